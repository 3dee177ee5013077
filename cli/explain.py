"""`explain`: attribution maps of images, with overlays, raw arrays and a report."""

from __future__ import annotations

from pathlib import Path

import click

from cli.console import Console
from cli.inputs import find_images
from cli.options import FOLDER, classifier_option, device_option, inputs_argument, json_option
from core.errors import InputRefusedError
from xai.explanation import BASELINES, METHODS, ExplainOptions, Explanation


@click.command()
@inputs_argument
@click.option("--output", type=FOLDER, required=True, help="Folder for overlays, raw maps (.npz) and reports.")
@click.option("--methods", default="ig", show_default=True, help=f"Comma list of: {', '.join(METHODS)}.")
@click.option("--target", default="label", show_default=True, help="label, predicted, or a class such as MEL.")
@classifier_option
@click.option("--baseline", type=click.Choice(BASELINES), default="skin", show_default=True)
@device_option
@json_option
def explain(
    inputs: tuple[Path, ...],
    output: Path,
    methods: str,
    target: str,
    classifier: Path | None,
    baseline: str,
    device: str,
    json_mode: bool,
) -> int:
    """Show which pixels speak for and against a class, in logits.

    All images share one report in the output folder. Ctrl-C keeps what is finished.
    """
    names = tuple(name.strip() for name in methods.split(",") if name.strip())
    options = ExplainOptions(names, target, classifier, baseline, device)
    images = find_images(inputs)
    console = Console(json_mode=json_mode)
    finished: list[Explanation] = []
    try:
        return max(_explain_one(image, options, finished, output, console) for image in images)
    finally:
        if finished:
            _save(finished, output, console)


def _explain_one(
    image: Path, options: ExplainOptions, finished: list[Explanation], output: Path, console: Console
) -> int:
    from xai.explain import explain_image

    try:
        explanations = explain_image(image, options)
    except InputRefusedError as error:
        console.error(error.kind, error.message, error.remedy)
        return error.exit_code
    finished += explanations
    for explanation in explanations:
        console.event(
            {
                "event": "explained",
                "file": str(image),
                "method": explanation.method,
                "target": explanation.target,
                "relative_delta": explanation.relative_delta,
                "gate": explanation.gate.to_json(),
                "output": str(output),
            }
        )
        if not console.json_mode:
            console.say(f"{image}  {explanation.method} for {explanation.target}  gate: {explanation.gate.level}")
    return 0


def _save(explanations: list[Explanation], output: Path, console: Console) -> None:
    from xai.report import save_explanations

    saved = save_explanations(explanations, output)
    console.say(f"Report: {saved.report}")
