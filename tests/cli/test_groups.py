"""Commands that have a second name."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from cli.app import cli


@pytest.mark.parametrize(
    ("alias", "name"), [(["runs"], ["experiments"]), (["models", "evaluate"], ["models", "judge"])]
)
def test_a_command_answers_to_its_other_name(alias: list[str], name: list[str]) -> None:
    other, own = (CliRunner().invoke(cli, [*words, "--help"]) for words in (alias, name))
    assert (other.exit_code, own.exit_code) == (0, 0)
    assert other.output.splitlines()[1:] == own.output.splitlines()[1:], "all but the line that quotes the name"


def test_a_command_is_listed_once_and_in_the_order_of_adding() -> None:
    listed = cli.list_commands(click.Context(cli))
    assert listed.index("generate") < listed.index("evaluate") < listed.index("doctor")
    assert "experiments" in listed
    assert "runs" not in listed


def test_an_unknown_name_is_refused() -> None:
    assert CliRunner().invoke(cli, ["rnus"]).exit_code == 2
