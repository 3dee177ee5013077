"""A sampler that is added in one place is found by every door."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from cli.app import cli
from core.config.schema import BY_KEY
from core.errors import UsageError
from core.generation import GenerationRequest, order_counts
from core.generator.sampler import build_scheduler
from core.samplers import SAMPLERS, sampler
from scripts.reference import render


@pytest.fixture
def added() -> Iterator[str]:
    @sampler("backwards", title="Backwards", steps=7)
    def build(config: Mapping[str, Any], steps: int) -> Any:
        """Steps backwards."""
        return SAMPLERS["ddpm"].build(config, steps)

    yield "backwards"
    SAMPLERS.remove("backwards")


def test_the_command_line_offers_it(added: str) -> None:
    for command in ("generate", "trajectory"):
        shown = CliRunner().invoke(cli, [command, "--help"]).output
        assert added in shown.replace("\n", "").replace(" ", "")


def test_a_request_takes_it_and_only_what_there_is(added: str, tmp_path: Any) -> None:
    request = GenerationRequest(order_counts({"MEL": 1}), tmp_path, tmp_path, sampler=added)
    assert request.sampler == added
    with pytest.raises(UsageError, match="There is no sampler 'forwards'"):
        GenerationRequest(order_counts({"MEL": 1}), tmp_path, tmp_path, sampler="forwards")


def test_it_is_built(added: str) -> None:
    scheduler = build_scheduler(added, {"num_train_timesteps": 100, "beta_schedule": "squaredcos_cap_v2"}, 7)
    assert len(scheduler.timesteps) == 7


def test_the_settings_and_the_docs_know_it(added: str) -> None:
    setting = BY_KEY["generation.sampler"]
    assert setting.known_choices[added] == "Backwards"
    assert setting.check(added) == added
    assert "| `backwards` | Backwards | 7 | Steps backwards. |" in render()
