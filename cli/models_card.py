"""`models judge`, `models sheet`, `models card`: evaluate a generator, show samples of it, write its model card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.console import Console
from cli.derive import (
    ANY_PATH,
    FOLDER,
    OUTPUT_FILE,
    OUTPUT_FOLDER,
    ImageBar,
    JobBar,
    RegistryChoice,
    device_option,
    json_option,
)
from core.errors import InputRefusedError, ModelArchitectureError, ModelMissingError, UsageError
from core.events import Event, Notice
from core.models.pack import PackRefused
from core.samplers import SAMPLERS

if TYPE_CHECKING:
    from diffusion.judgement import Judgement

CARD_FILE = "README.md"
CLASSIFIER_RECORD = "classifier.json"
_MAX_CARD = 16 << 20
"""Bytes."""

Command = TypeVar("Command", bound=Callable[..., Any])

model_argument = click.argument("model", type=ANY_PATH)
samples_option = click.option("--samples", type=FOLDER, help="Folder of generated images to use instead of new ones.")


def drawing_options(command: Command) -> Command:
    """Add the options for sampling; where one is not given, the model's own recommendation holds."""
    for option in (
        click.option("--sampler", type=RegistryChoice(SAMPLERS), help="Denoising method."),
        click.option("--steps", type=int, help="Denoising steps."),
        click.option("--guidance", type=float, help="Classifier-free guidance: 1 = none, 0 = without the class."),
        click.option("--batch-size", type=int, help="Images per batch."),
        device_option,
    ):
        command = option(command)
    return command


def judging_options(command: Command) -> Command:
    """Add the options for evaluating a generator."""
    for option in (
        click.option("--evaluator", type=ANY_PATH, help="Independent classifier [default: the starter's]."),
        click.option("--per-class", type=click.IntRange(1), default=50, show_default=True, help="Images per class."),
        click.option("--sweep", default="", metavar="1,1.5,2", help="Further guidance scales to evaluate."),
        samples_option,
        drawing_options,
    ):
        command = option(command)
    return command


@click.command(short_help="Evaluate a generator against held-out photographs.")
@model_argument
@click.option("--data", type=ANY_PATH, required=True, help="Photographs that it was trained on.")
@click.option(
    "--output",
    type=OUTPUT_FOLDER,
    required=True,
    help="Folder for images and results; images that are already in it are used again.",
)
@judging_options
@json_option
def judge(json_mode: bool, **values: Any) -> None:
    """Evaluate a generator: distance to photographs, class fidelity, suspected training copies, cost.

    `models evaluate` is the same command.

    Writes judgement.json, a sheet of samples, and the nearest training photographs (memorisation_pairs.png), which are
    real photographs: mind their licence.
    """
    console = Console(json_mode=json_mode)
    found = _judge(console, **values)
    if not json_mode:
        from diffusion.measured import measured
        from reports.markdown import blocks_markdown

        console.say(blocks_markdown(measured(found.to_json())))


@click.command(short_help="Draw a sheet of unselected samples, next to real photographs on request.")
@model_argument
@click.option("--output", type=OUTPUT_FILE, required=True, help="PNG file to write.")
@click.option("--columns", type=click.IntRange(1, 100), default=12, show_default=True, help="Samples per class.")
@click.option(
    "--real", type=ANY_PATH, help="Data set; photographs of its held-out lesions are shown next to the samples."
)
@click.option("--keep", "folder", type=OUTPUT_FOLDER, help="Keep the samples in this folder.")
@samples_option
@drawing_options
@json_option
def sheet(json_mode: bool, model: Path, output: Path, **values: Any) -> None:
    """Draw the first images of every class, those that `generate --seed 42 --no-color` generates; none is selected.

    A sheet with real photographs is for your own use: mind their licence before you share it.
    """
    from diffusion.sheet import SheetRequest, write_sheet

    console = Console(json_mode=json_mode)
    request = SheetRequest(model, output, drawing=_drawing(values), **values)
    with ImageBar() as bar:
        write_sheet(request, _teller(bar, console))
    console.event({"event": "sheet", "file": str(output)})
    if not json_mode:
        console.say(str(output))


@click.command(short_help="Write the model card of a generator, or show that of a classifier.")
@model_argument
@click.option("--judged", type=OUTPUT_FOLDER, help="Folder of `models judge`, whose results go into the card.")
@click.option("--data", type=ANY_PATH, help="Photographs that it was trained on: evaluate it first, into --judged.")
@judging_options
@json_option
def card(json_mode: bool, model: Path, judged: Path | None, data: Path | None, **values: Any) -> None:
    """Write README.md and SHA256SUMS of a model pack; of a classifier, show the card that it has.

    The card is written from the files in the pack: its configuration, training.json, judgement.json, and NOTES.md with
    the known faults.
    """
    from core.files.reading import read_input

    console = Console(json_mode=json_mode)
    if data is not None:
        if judged is None:
            raise UsageError("The folder for images and results is missing.", remedy="Name a folder with --judged DIR.")
        _judge(console, model=model, data=data, output=judged, **values)
    path = _classifier_card(model) if (model / CLASSIFIER_RECORD).is_file() else _generator_card(model, judged)
    text = read_input(path, what="a model card", limit=_MAX_CARD).decode("utf-8", "replace")
    console.event({"event": "card", "file": str(path), "text": text})
    if not json_mode:
        console.say(text)


def _judge(
    console: Console,
    *,
    model: Path,
    data: Path,
    output: Path,
    evaluator: Path | None,
    per_class: int,
    samples: Path | None,
    sweep: str,
    device: str,
    **values: Any,
) -> Judgement:
    """Judge a generator and show the progress."""
    from diffusion.judge import JudgeRequest, judge_pack

    guidances = _numbers(sweep)
    request = JudgeRequest(
        model, data, output, evaluator, per_class, samples, guidances, drawing=_drawing(values), device=device
    )
    with ImageBar() as bar:
        found = judge_pack(request, _teller(bar, console))
    console.event({"event": "judged", **found.to_json()})
    return found


def _drawing(values: dict[str, Any]) -> dict[str, Any]:
    """Take the given fields of `Draw` out of a command's options."""
    asked = {name: values.pop(name, None) for name in ("sampler", "steps", "guidance", "batch_size", "device")}
    return {name: value for name, value in asked.items() if value is not None}


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(f"'{text}' is no list of numbers.", remedy="Write for example --sweep 1,1.5,2,3.") from error


def _teller(bar: JobBar, console: Console) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        bar.take(event)
        console.event(event)
        if isinstance(event, Notice):
            console.warn(event.message)

    return tell


def _classifier_card(model: Path) -> Path:
    path = model / CARD_FILE
    if not path.exists():
        raise ModelMissingError(
            f"The classifier {model} has no {CARD_FILE}.", remedy="Export it again from its training run.", path=path
        )
    return path


def _generator_card(model: Path, judged: Path | None) -> Path:
    from diffusion.card import write_card

    if judged is not None:
        _take_over(judged, model)
    try:
        return write_card(model)
    except PackRefused as error:
        raise ModelArchitectureError(
            f"{model} is neither a model pack nor a classifier: {error}.",
            remedy="Name the folder of one, such as the pack/ of a training run.",
            path=model,
        ) from error


def _take_over(judged: Path, model: Path) -> None:
    from core.files.atomic import output_errors
    from core.files.reading import read_input
    from core.keeping import replace_kept
    from diffusion.judgement import JUDGEMENT_FILE, read_judgement

    path = judged / JUDGEMENT_FILE
    if read_judgement(judged) is None:
        raise InputRefusedError(f"There is no {path}.", remedy="Make it with: python main.py models judge", path=path)
    data = read_input(path, what="a judgement")
    with output_errors(model):
        replace_kept(model / JUDGEMENT_FILE, data)
