"""From settings to the way in which images are explained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gui.common.settings import SettingsModel
from xai.explanation import ExplainOptions
from xai.methods import METHODS

REMEMBERED: Final = "xai/methods"
FIRST: Final = ("ig",)


def recall_options(settings: SettingsModel) -> ExplainOptions:
    """Return how images are explained, as the settings and the methods chosen last say."""
    get = settings.get
    return ExplainOptions(
        methods=recall_methods(settings),
        target=get("xai.target"),
        classifier=settings.classifier,
        baseline=get("xai.baseline"),
        device=get("generation.device"),
        max_steps=get("xai.steps"),
    )


def recall_methods(settings: SettingsModel) -> tuple[str, ...]:
    """Return the methods chosen last, in the order of `METHODS`; Integrated Gradients where there are none."""
    chosen = settings.recall(REMEMBERED, [], list)
    return tuple(key for key in METHODS if key in chosen) or FIRST


def remember_methods(settings: SettingsModel, methods: Sequence[str]) -> None:
    """Keep the chosen methods for the next start."""
    settings.remember(REMEMBERED, list(methods))
