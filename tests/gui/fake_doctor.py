"""A look at this computer that finds what a test says, or dies: declared in the process of the worker."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator

from core.cancel import CancelToken
from core.checks import Check, Checked, DoctorRequest
from core.events import Event
from core.jobs import registry

FOUND = (
    Check("Python", "ok", "fine"),
    Check("Memory", "warn", "0.4 GiB free", "Close other programs."),
    Check("x.safetensors", "ok", "SHA-256 00"),
)


def install() -> None:
    """Let the look find what stands above."""
    _carry_out_by("found")


def install_death() -> None:
    """Let the process end in the middle."""
    _carry_out_by("dies")


def _carry_out_by(function: str) -> None:
    known = registry.job_of
    registry.job_of = lambda request: dataclasses.replace(known(request), run=f"{__name__}:{function}")


def found(request: DoctorRequest, cancel: CancelToken) -> Iterator[Event]:
    """Tell what was found."""
    return (Checked(check) for check in FOUND)


def dies(request: DoctorRequest, cancel: CancelToken) -> Iterator[Event]:
    """End the process."""
    os._exit(9)
    yield
