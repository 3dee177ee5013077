"""`train classifier`: from a folder of photographs to a measured classifier, in one command."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from cli.console import Console
from cli.options import ANY_PATH, OUTPUT_FOLDER, json_option
from cli.signals import EXIT_INTERRUPTED
from core.errors import UsageError
from core.events import Event, Notice

if TYPE_CHECKING:
    from classifier.config import ClassifierConfig
    from classifier.parts import Part
    from classifier.run import ClassifierRun
    from core.dataset.sources import Photographs

SCENARIOS = click.Choice(["head_only", "partial_unfreeze", "full_training"])


@click.command("classifier")
@click.option("--data", type=ANY_PATH, required=True, help="Photographs: a folder of a known form, or a CSV.")
@click.option("--output", type=OUTPUT_FOLDER, help="Folder of the run [default: a new one in runs/].")
@click.option(
    "--config",
    "settings_file",
    type=ANY_PATH,
    help="Settings, TOML or JSON; the keys are listed in classifier/config.py.",
)
@click.option("--preset", help="quick (CPU minutes), starter (as shipped) or gpu.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Change one setting; repeatable.")
@click.option("--architecture", help="resnet18, densenet121, efficientnet_lite0, simple_cnn ...")
@click.option("--scenario", type=SCENARIOS, help="What is trained of a pretrained network.")
@click.option("--unfreeze-percent", type=float, help="Share of blocks that partial_unfreeze trains.")
@click.option("--pretrained", metavar="none|imagenet|FILE", help="Where the trunk's weights come from.")
@click.option("--weights-sha256", help="Checksum that the pretrained weights must have.")
@click.option("--batch-size", type=int, help="Images of one step.")
@click.option("--epochs", type=int, help="Passes over the training images.")
@click.option("--max-minutes", type=float, help="Time limit.")
@click.option("--learning-rate", type=float, help="[default: what suits the scenario]")
@click.option("--dropout-rate", "dropout", type=float, help="Share of the head's inputs left out in training.")
@click.option("--image-size", type=int, help="Side of the square input in pixels.")
@click.option("--augmentation", type=click.Choice(["none", "dihedral", "full"]), help="Views in training.")
@click.option("--use-class-weights", is_flag=True, help="Weigh the loss instead of drawing classes equally often.")
@click.option("--early-stopping-patience", type=int, help="Epochs without improvement.")
@click.option("--seed", type=int, help="Of weights, draws and views.")
@click.option("--seeds", metavar="N,N,...", help="Train once for each seed.")
@click.option("--folds", type=int, help="Cross-validate over so many folds of lesions.")
@click.option("--device", help="auto, cpu, cuda or cuda:N.")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), help="Number format.")
@click.option("--threads", type=int, help="Processor threads.")
@click.option(
    "--tracker",
    type=click.Choice(["tensorboard", "wandb", "none"]),
    default="tensorboard",
    show_default=True,
    help="Where the curves go.",
)
@click.option("--resume", is_flag=True, help="Go on with the run in --output, with its settings.")
@click.option("--allow-leakage", is_flag=True, help="Train although held-out images show lesions of training.")
@json_option
def classifier_command(
    data: Path,
    output: Path | None,
    settings_file: Path | None,
    preset: str | None,
    assignments: tuple[str, ...],
    tracker: Any,
    resume: bool,
    allow_leakage: bool,
    json_mode: bool,
    **flags: Any,
) -> int:
    """Train a classifier on your own photographs.

    Lesions, not images, are divided into training, validation and test; the epoch with the best balanced accuracy on
    the validation lesions is kept, measured on the test lesions, and exported to OUTPUT/model.
    """
    from classifier.run import ClassifierRun
    from core.dataset.sources import read_dataset

    console = Console(json_mode=json_mode)
    config = _settings(output, settings_file, preset, _overrides(flags, assignments), resume=resume)
    photographs = read_dataset(data)
    parts = _plan(photographs, config, allow_leakage=allow_leakage)
    folder = output or _new_folder(config)
    _say_what_begins(console, photographs, config, folder)
    return _train(ClassifierRun(photographs, config, parts, folder, tracker), console)


def _overrides(flags: dict[str, Any], assignments: tuple[str, ...]) -> dict[str, object]:
    from core.training.settings import parse_assignments

    weigh, seeds = flags.pop("use_class_weights"), flags.pop("seeds")
    values: dict[str, object] = {name: value for name, value in flags.items() if value is not None}
    if weigh:
        values["balance"] = "weights"
    if seeds is not None:
        values["seeds"] = seeds.split(",")
    return {**values, **parse_assignments(assignments)}


def _settings(
    output: Path | None, file: Path | None, preset: str | None, overrides: dict[str, object], *, resume: bool
) -> ClassifierConfig:
    from classifier.config import PRESETS, ClassifierConfig
    from core.training.run_folder import read_run_settings
    from core.training.runtime import CHECKPOINT
    from core.training.settings import load_settings

    if preset is not None and preset not in PRESETS:
        raise UsageError(f"There is no preset '{preset}'.", remedy=f"The presets are {', '.join(PRESETS)}.")
    if resume and output is None:
        raise UsageError("--resume does not say which run.", remedy="Name its folder with --output.")
    if output is not None and not resume and any(output.rglob(CHECKPOINT)):
        raise UsageError(
            f"{output} holds a run already.", remedy="Continue it with --resume, or name another folder.", path=output
        )
    base = read_run_settings(output, "classifier") if resume and output is not None else {}
    return load_settings(
        ClassifierConfig, file=file, preset={**base, **PRESETS.get(preset or "", {})}, overrides=overrides
    )


def _plan(photographs: Photographs, config: ClassifierConfig, *, allow_leakage: bool) -> list[Part]:
    from classifier.parts import plan_parts
    from classifier.run import check_leakage

    parts = plan_parts(photographs.images, config)
    check_leakage(parts, allowed=allow_leakage)
    return parts


def _new_folder(config: ClassifierConfig) -> Path:
    from classifier.run import run_name
    from core.training.run_folder import new_run_folder

    return new_run_folder(run_name(config))


def _say_what_begins(console: Console, photographs: Photographs, config: ClassifierConfig, folder: Path) -> None:
    lesions = len({image.lesion_id for image in photographs.images})
    what = f"{len(photographs.images)} images of {lesions} lesions" if photographs.grouped else (
        f"{len(photographs.images)} images; it names no lesions, so each image counts as one"
    )  # fmt: skip
    console.warn(f"Data: {photographs.source} ({photographs.kind}), {what}.")
    for note in photographs.notes:
        console.warn(note)
    weights = "pretrained weights" if config.is_pretrained else "random weights, from scratch: nothing is pretrained"
    console.warn(f"Network: {config.architecture}, {config.scenario}, {weights}.")
    console.warn(f"Run: {folder}")


def _train(run: ClassifierRun, console: Console) -> int:
    from classifier.events import Measured, Summarised
    from core.training.runtime import StopRequest

    complete, last = False, Summarised if len(run.parts) > 1 else Measured
    with StopRequest().listening() as stop, _Narrator(console) as narrator:
        for event in run.carry_out(stop):
            console.event(event)
            narrator.tell(event)
            complete |= isinstance(event, last)
    if stop.requested and not complete:
        console.warn(f'Stopped; everything is kept. Go on with the same --data and --resume --output "{run.folder}"')
        return EXIT_INTERRUPTED
    return 0


class _Narrator:
    """Tells people how training goes: progress and a line for each epoch on standard error, results at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar: Any = None

    def __enter__(self) -> _Narrator:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self._close()

    def tell(self, event: Event) -> None:
        """Follow an event."""
        from classifier import events

        if isinstance(event, events.TrainingStarted):
            self._open(event.images, event.total)
        elif isinstance(event, events.TrainingStep):
            self._bar.update(event.images - self._bar.n)
            self._bar.set_postfix_str(f"loss {event.loss:.3f}", refresh=False)
        else:
            self._say(event)

    def _say(self, event: Event) -> None:
        from classifier import events

        if isinstance(event, events.SplitReady):
            parts = (f"{name} {n['images']} images of {n['lesions']} lesions" for name, n in event.counts.items())
            self._note(f"{event.title}: {', '.join(parts)}. {event.leakage}")
        elif isinstance(event, events.Evaluated):
            self._note(
                f"epoch {event.epoch:3}  loss {event.loss:.3f}  validation balanced accuracy "
                f"{event.val_balanced_accuracy:.3f}  best {event.best:.3f}"
            )
        elif isinstance(event, events.TrainingFinished):
            self._close()
        elif isinstance(event, events.Measured):
            self._result(_measured(event))
        elif isinstance(event, events.Summarised):
            self._result(f"Over {event.parts} trainings: {event.summary}")
        elif isinstance(event, Notice):
            self._note(event.message)

    def _open(self, images: int, total: int) -> None:
        self._bar = tqdm(
            total=total,
            initial=images,
            unit="image",
            disable=None,
            dynamic_ncols=True,
            file=sys.stderr,
            mininterval=0.5,
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _note(self, text: str) -> None:
        tqdm.write(text, file=sys.stderr)

    def _result(self, text: str) -> None:
        self._close()
        self._console.say(text)


def _measured(event: Any) -> str:
    value = "not defined" if event.balanced_accuracy is None else f"{event.balanced_accuracy:.3f}"
    interval = "" if event.low is None else f" (95 % interval {event.low:.3f} to {event.high:.3f})"
    return (
        f"{event.title}: balanced accuracy {value}{interval} on the {event.measured_on} lesions.\n"
        f'Use it: python main.py classify IMAGE --classifier "{event.model}"'
    )
