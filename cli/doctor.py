"""`doctor`: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import dataclasses

import click

from cli.console import Console
from cli.options import json_option
from core.doctor import diagnose

MARKS = {"ok": ("ok  ", "green"), "warn": ("note", "yellow"), "fail": ("FAIL", "red")}


@click.command(short_help="Say what this machine has and what is missing.")
@json_option
def doctor(json_mode: bool) -> int:
    """Check Python, libraries, devices, models and folders; end with 1 if something necessary is missing."""
    console = Console(json_mode=json_mode)
    is_ready = True
    for check in diagnose():
        is_ready = is_ready and check.status != "fail"
        console.event({"event": "check", **dataclasses.asdict(check)})
        if not json_mode:
            word, color = MARKS[check.status]
            console.say(f"{click.style(word, fg=color)}  {check.name}: {check.detail}")
            if check.remedy and check.status != "ok":
                console.say(f"      {check.remedy}")
    return int(not is_ready)
