"""`doctor`: the system check: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import click

from cli.console import Console, Styled
from cli.derive import Words, carry_out, json_option, request_options
from core.checks import Checked, DoctorRequest
from core.files.text import shown

MARKS: Final = {"ok": ("ok  ", "green"), "warn": ("note", "yellow"), "fail": ("FAIL", "red")}


@click.command(short_help="Check this system: what it has and what is missing.")
@request_options(DoctorRequest)
@json_option
def doctor(json_mode: bool) -> int:
    """Check Python, libraries, devices, models and folders; exit code 1 if something necessary is missing."""
    words: Words = {} if json_mode else {Checked: _lines}
    return carry_out(DoctorRequest(), Console(json_mode=json_mode), words, results=(Checked,))


def _lines(event: Checked) -> Iterator[str]:
    check = event.check
    word, color = MARKS[check.status]
    yield Styled(f"{click.style(word, fg=color)}  {shown(check.name)}: {shown(check.detail)}")
    if check.remedy and check.status != "ok":
        yield f"      {check.remedy}"
