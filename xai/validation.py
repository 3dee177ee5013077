"""What the explanations are worth on real photographs: every method on held-out lesions with masks, beside random maps.

`python -m xai.validation --data HAM10000 --output WORK [--per-class 6] [--methods ig,gradcam]` measures, and keeps a
row for each image and method in `WORK/rows.jsonl`, so that it can be stopped and continued; it ends with a table in
Markdown, `WORK/validation.md`. `--data` is a folder that `train` reads, with the lesion masks in `masks/`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy import ndimage

from core.files.atomic import write_text_atomic
from core.files.reading import Line, parse_json_lines, read_input
from core.models.classification.loading import to_tensor
from core.taxonomy import CLASS_CODES
from measures.bootstrap import bootstrap_by_group
from photographs.labelled import LabelledImage
from photographs.masks import MASKS_FOLDER, Masked, find_masks
from photographs.sources import read_dataset
from photographs.splits import split_by_lesion
from xai.explain import explanations, get_classifier
from xai.explanation import ExplainOptions, Explanation
from xai.faithfulness import measure_faithfulness
from xai.methods import METHODS
from xai.subject import read_mask

RANDOM: Final = "random"
"""The control: smooth noise that knows neither the picture nor the classifier."""

ROWS_FILE: Final = "rows.jsonl"
TABLE_FILE: Final = "validation.md"
_SMOOTHNESS: Final = 0.05

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over images with its 95 % interval, by bootstrap over lesions."""

    mean: float
    low: float
    high: float
    images: int

    def __str__(self) -> str:
        return f"{self.mean:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def masks_of(data: Path) -> Mapping[str, Path]:
    """Return the mask of each photograph that has one, by the photograph's id."""
    images = (Masked(image.image_id, image.code, image.path) for image in read_dataset(data).images)
    return find_masks(images, data / MASKS_FOLDER).of


def chosen_images(data: Path, masks: Mapping[str, Path], per_class: int) -> list[LabelledImage]:
    """Return held-out images with a mask, one of each lesion, as many of each class as there are up to `per_class`."""
    chosen: list[LabelledImage] = []
    held_out = split_by_lesion(read_dataset(data).images).test
    for code in CLASS_CODES:
        lesions = {image.lesion_id: image for image in held_out if image.code == code}
        masked = [image for image in lesions.values() if image.image_id in masks]
        chosen += sorted(masked, key=lambda image: image.image_id)[:per_class]
    return chosen


def measure_image(image: LabelledImage, mask: Path, methods: Sequence[str]) -> Iterator[Row]:
    """Explain an image by each method and by noise, and yield what was measured of each map."""
    options = ExplainOptions(tuple(methods), target="label", mask=mask, faithfulness=True)
    explanation = None
    for explanation in explanations(image.path, options, label=image.code):
        yield {**_facts(image, explanation.method), **_measured(explanation.faithfulness), **_verdict(explanation)}
    if explanation is not None:
        yield {**_facts(image, RANDOM), **_measured(_random_map(explanation, mask, image.image_id))}


def summarise(rows: Sequence[Mapping[str, Any]], method: str, key: str) -> Estimate | None:
    """Return the mean over a method's images of value - control, or None where it was not measured.

    Parameters
    ----------
    key
        Of a measure; for shares of a region the control is the region's share of the area.
    """
    kept = [row for row in rows if row["method"] == method and key in row]
    if not kept:
        return None
    gaps = np.array([row[key]["value"] - row[key]["control"] for row in kept])
    lesions = [row["lesion"] for row in kept]
    low, high = bootstrap_by_group(lambda indices: float(gaps[indices].mean()), lesions)
    return Estimate(float(gaps.mean()), low, high, len(kept))


def render_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the Markdown table of all methods that were measured, the control last."""
    head = (
        "| method | n | deletion (below 0 is better) | insertion (above 0) | ROAD (above 0) | in the lesion: share, "
        "and above the area's share | check green / amber / red |\n| --- | --- | --- | --- | --- | --- | --- |\n"
    )
    measured = {row["method"] for row in rows}
    return head + "".join(_line(rows, method) for method in (*METHODS, RANDOM) if method in measured)


def _line(rows: Sequence[Mapping[str, Any]], method: str) -> str:
    own = [row for row in rows if row["method"] == method]
    cells = [str(summarise(rows, method, key) or "") for key in ("deletion", "insertion", "road")]
    share = np.mean([row["inside"]["value"] for row in own if "inside" in row])
    levels = [row.get("gate") for row in own]
    gate = " / ".join(str(levels.count(level)) for level in ("green", "amber", "red")) if method != RANDOM else ""
    title = "noise (control)" if method == RANDOM else METHODS[method].title
    inside = f"{share:.0%}, {summarise(rows, method, 'inside')}"
    return f"| {title} | {len(own)} | {' | '.join(cells)} | {inside} | {gate} |\n"


def _facts(image: LabelledImage, method: str) -> Row:
    return {"image": image.image_id, "lesion": image.lesion_id, "class": image.code, "method": method}


def _measured(faithfulness: Mapping[str, Any] | None) -> Row:
    measures = [] if faithfulness is None else faithfulness["measures"]
    names = {"lesion": "inside"}
    return {
        names.get(measure["key"], measure["key"]): {key: measure[key] for key in ("value", "control", "random_order")}
        for measure in measures
    }


def _verdict(explanation: Explanation) -> Row:
    return {
        "gate": explanation.gate.level,
        "predicted": explanation.classification.predicted,
        "relative_delta": explanation.relative_delta,
        "seconds": round(explanation.seconds, 2),
    }


def _random_map(explanation: Explanation, mask: Path, image_id: str) -> dict[str, Any]:
    height, width = explanation.image.shape[:2]
    rng = np.random.default_rng(int(image_id[5:]))
    noise = ndimage.gaussian_filter(rng.normal(size=(height, width)), _SMOOTHNESS * max(height, width), mode="wrap")
    classifier = get_classifier(None, "auto")
    shape = (height, width)
    return measure_faithfulness(
        classifier.logits,
        classifier.index[explanation.target],
        to_tensor(explanation.image),
        noise,
        mask=read_mask(mask, shape, shape),
    ).to_json()


def read_rows(path: Path) -> list[Row]:
    """Return the rows that were written so far; a torn or damaged line is left out."""
    if not path.exists():
        return []
    lines: Iterator[Line[Row]] = parse_json_lines(read_input(path, what="rows of a validation"), Row)
    return [line.value for line in lines if line.value is not None and {"image", "method"} <= line.value.keys()]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m xai.validation", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--per-class", type=int, default=6)
    parser.add_argument("--methods", default=",".join(METHODS))
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / ROWS_FILE
    rows = read_rows(path)
    done = {row["image"] for row in rows if row["method"] == RANDOM}
    rows = [row for row in rows if row["image"] in done]
    masks = masks_of(options.data)
    for image in chosen_images(options.data, masks, options.per_class):
        if image.image_id in done:
            continue
        rows += measure_image(image, masks[image.image_id], options.methods.split(","))
        write_text_atomic(path, "".join(json.dumps(row) + "\n" for row in rows))
        sys.stderr.write(f"{image.image_id}: {len(rows)} rows\n")
    write_text_atomic(options.output / TABLE_FILE, render_table(rows))


if __name__ == "__main__":
    main()
