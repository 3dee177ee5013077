"""`doctor`: the system check: what this machine has, what is missing, and how to get it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click

from cli.console import Console, Styled
from cli.derive import Words, carry_out, follow, json_option, request_options
from core.checks import Check, Checked, DoctorRequest
from core.errors import ISICGUIError
from core.events import ImageDone
from core.files.text import shown
from core.jobs.registry import Request, run
from core.utils.path_manager import PathManager

MARKS: Final = {"ok": ("ok  ", "green"), "warn": ("note", "yellow"), "fail": ("FAIL", "red")}


@click.command(short_help="Check this system: what it has and what is missing.")
@request_options(DoctorRequest)
@click.option("--smoke", is_flag=True, help="Also generate, explain and reproduce one image.")
@json_option
def doctor(json_mode: bool, smoke: bool) -> int:
    """Check Python, libraries, devices, models and folders; exit code 1 if something necessary is missing."""
    words: Words = {} if json_mode else {Checked: _lines}
    console = Console(json_mode=json_mode)
    code = carry_out(DoctorRequest(), console, words, results=(Checked,))
    if not smoke:
        return code
    return max(code, follow(smoke_test(PathManager().default_models_dir), console, words, results=(Checked,)))


def smoke_test(models: Path) -> Iterator[Checked]:
    """Generate one image with six steps, explain it and reproduce it, in a folder that is deleted; tell of each.

    What fails ends it: the rest stands on it.
    """
    with tempfile.TemporaryDirectory(prefix="isicgui-smoke-", ignore_cleanup_errors=True) as folder:
        work = Path(folder)
        found: list[Path] = []
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("Generate", lambda: _generated(models, work, found)),
            ("Explain", lambda: _explained(found[0], work)),
            ("Reproduce", lambda: _reproduced(found[0], models)),
        )
        for name, step in steps:
            checked = _checked(name, step)
            yield checked
            if checked.check.status == "fail":
                return


def _checked(name: str, step: Callable[[], str]) -> Checked:
    began = time.monotonic()
    try:
        detail = step()
    except ISICGUIError as error:
        return Checked(Check(name, "fail", str(error.message), str(error.remedy)))
    return Checked(Check(name, "ok", f"{detail} ({time.monotonic() - began:.1f} s)"))


def _generated(models: Path, work: Path, found: list[Path]) -> str:
    from core.generation import GenerationRequest
    from core.models.discovery import discover

    code = next(iter(discover(models).available), "MEL")
    request = GenerationRequest(((code, 1),), models, work / "images", preset="fast")
    found += [event.file for event in _events(request) if isinstance(event, ImageDone)]
    if not found:
        raise ISICGUIError("No image came out of it.", remedy="See the messages of 'python main.py generate'.")
    return f"one image of {code}, six steps"


def _explained(image: Path, work: Path) -> str:
    from xai.explanation import Explained, ExplainRequest

    request = ExplainRequest(inputs=(image,), output=work / "map", methods=("ig",), max_steps=64)
    maps = [event for event in _events(request) if isinstance(event, Explained)]
    if not maps:
        raise ISICGUIError("No map came out of it.", remedy="See the messages of 'python main.py explain'.")
    return f"one map; reliability check: {maps[0].gate.result}"


def _reproduced(image: Path, models: Path) -> str:
    from core.generation import ReproduceRequest
    from core.generator.image_generator import Reproduced

    (made,) = (event for event in _events(ReproduceRequest(image, models)) if isinstance(event, Reproduced))
    if not made.identical:
        raise ISICGUIError(
            f"The largest pixel difference is {made.max_difference} of 255.",
            remedy="Something on this machine does not compute the same twice; try --precision fp32.",
        )
    return "equal to the bit"


def _events(request: Request) -> Iterator[object]:
    from core.cancel import CancelToken

    return run(request, CancelToken())


def _lines(event: Checked) -> Iterator[str]:
    check = event.check
    word, color = MARKS[check.status]
    yield Styled(f"{click.style(word, fg=color)}  {shown(check.name)}: {shown(check.detail)}")
    if check.remedy and check.status != "ok":
        yield f"      {check.remedy}"
