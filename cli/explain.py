"""`explain`: attribution maps of images, with overlays, raw arrays and a report."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from cli.console import Console
from cli.inputs import find_images
from cli.options import ANY_PATH, OUTPUT_FOLDER, classifier_option, device_option, inputs_argument, json_option
from core.errors import InputRefusedError
from core.utils.finite_json import finite
from xai.explanation import BASELINES, METHODS, STYLES, ExplainOptions, Explanation, Style

if TYPE_CHECKING:
    from xai.report import AnalysisWriter


@click.command()
@inputs_argument
@click.option("--output", type=OUTPUT_FOLDER, required=True, help="Folder for overlays, raw maps (.npz) and reports.")
@click.option("--methods", default="ig", show_default=True, help=f"Comma list of: {', '.join(METHODS)}; or all.")
@click.option(
    "--target", default="label", show_default=True, help="label, predicted, or classes such as MEL or MEL,NV."
)
@classifier_option
@click.option("--baseline", default="skin", show_default=True, help=f"One of: {', '.join(BASELINES)}.")
@click.option("--players", default=12, show_default=True, help="Superpixels, at most; Shapley is exact up to 12.")
@click.option("--max-steps", default=512, show_default=True, help="Integrated Gradients doubles its steps up to this.")
@click.option(
    "--style", type=click.Choice(STYLES), default="signed", show_default=True, help="Colours of the overlays."
)
@click.option("--faithfulness", is_flag=True, help="Also measure how faithful each map is (slower).")
@click.option("--mask", type=ANY_PATH, help="Lesion mask, or a folder of them; implies --faithfulness.")
@click.option("--seed", default=0, show_default=True, help="Of noise, permutations and random controls.")
@device_option
@json_option
def explain(inputs: tuple[Path, ...], output: Path, style: Style, json_mode: bool, **choices: Any) -> int:
    """Show which pixels speak for and against a class.

    All images share one report in the output folder. Ctrl-C keeps what is finished.
    """
    targets = _names(choices.pop("target")) or ("label",)
    options = _options(**choices)
    console = Console(json_mode=json_mode)
    jobs = list(itertools.product(find_images(inputs, console.warn), targets))
    from xai.report import AnalysisWriter

    writer = AnalysisWriter(output, style)
    with tqdm(total=len(jobs) * len(options.methods), unit="map", disable=None, file=sys.stderr) as bar:
        try:
            return max(_explain_one(image, replace(options, target=t), writer, console, bar) for image, t in jobs)
        finally:
            if writer.maps:
                bar.clear()
                console.say(f"Report: {writer.finish().report}")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _options(*, methods: str, mask: Path | None, faithfulness: bool, **others: Any) -> ExplainOptions:
    names = tuple(METHODS) if methods.strip() == "all" else _names(methods)
    return ExplainOptions(names, mask=mask, faithfulness=faithfulness or mask is not None, **others)


def _explain_one(image: Path, options: ExplainOptions, writer: AnalysisWriter, console: Console, bar: tqdm[Any]) -> int:
    from xai.explain import explanations

    planned = bar.n + len(options.methods)
    bar.set_description_str(image.name)
    try:
        for explanation in explanations(image, options):
            writer.add(explanation)
            bar.update()
            bar.clear()
            _tell(image, explanation, writer.folder, console)
    except InputRefusedError as error:
        bar.clear()
        console.error(error.kind, error.message, error.remedy)
        bar.update(planned - bar.n)
        return error.exit_code
    return 0


def _tell(image: Path, explanation: Explanation, folder: Path, console: Console) -> None:
    event = {
        "event": "explained",
        "file": str(image),
        "method": explanation.method,
        "target": explanation.target,
        "relative_delta": explanation.relative_delta,
        "gate": explanation.gate.to_json(),
        "faithfulness": explanation.faithfulness,
        "output": str(folder),
    }
    console.event(finite(event))
    if not console.json_mode:
        console.say(f"{image}  {explanation.method} for {explanation.target}  gate: {explanation.gate.level}")
