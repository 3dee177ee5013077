"""Options that several requests have, asked for in the same words everywhere."""

from __future__ import annotations

from typing import Any

from core.jobs.options import option


def device_option() -> Any:
    """Return the field that says which device computes."""
    return option("--device", "auto, cpu, cuda or cuda:N.", default="auto")


def classifier_option() -> Any:
    """Return the field that names another classifier than the starter one."""
    return option("--classifier", "Classifier file or folder.", kind="path", default=None, default_words="starter")
