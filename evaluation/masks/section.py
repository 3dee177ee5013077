"""How well the lesions of images follow the masks they were asked to follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.message import Message
from evaluation.finding import Finding
from evaluation.masks.heuristics import HEURISTICS
from evaluation.masks.overlap import Masks, dice, iou
from evaluation.masks.segmenter import Segmenter
from evaluation.pairs import summarise
from evaluation.sets import ImageSet
from photographs.masks import FoundMasks, Masked, find_masks, read_mask
from photographs.pixels import middle_square
from reports.model import Level, Paragraph, Table

KEY: Final = "masks"
SIDE: Final = 128
SEGMENTER: Final = "segmenter"
FAR: Final = 0.8
"""Below this share of what the segmenter reaches on real photographs, images do not follow their masks well."""


def follow_masks(images: ImageSet, folder: Path, segmenter: Segmenter) -> Finding:
    """Compare the lesion that the segmenter finds in each image with the mask of its name.

    The control gives each image the mask of another one; images that follow their masks beat it.

    Parameters
    ----------
    folder
        Masks of any label values, named like the images, in sub-folders, too.
    """
    title = Message("Agreement with the masks")
    matched = _masks_of(images, folder)
    known = matched.of
    rows = [row for row, image in enumerate(images.images) if image.name in known]
    if not rows:
        words = Message(
            "No mask in {folder} has the name of an image. {found}", folder=folder, found=matched.sentence()
        )
        return Finding(KEY, title, "unknown", words, data={"n": 0, "ambiguous": len(matched.ambiguous)})
    chosen = images.only(rows)
    pixels = chosen.pixels(SIDE)
    asked = np.stack([_read(known[image.name]) for image in chosen.images])
    finders: Mapping[str, Callable[[NDArray[np.uint8]], Masks]] = {SEGMENTER: segmenter, **HEURISTICS}
    found = {name: _measure(finder(pixels), asked) for name, finder in finders.items()}
    return _section(title, found, segmenter, matched, int((~asked.any((1, 2))).sum()))


def _masks_of(images: ImageSet, folder: Path) -> FoundMasks:
    """Return the mask of each image that has one, by the image's name."""
    return find_masks((Masked(image.name, image.code, image.path) for image in images.images), folder)


def _read(path: Path) -> Masks:
    size = Image.fromarray(middle_square(read_mask(path))).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    return np.asarray(size)


def _measure(found: Masks, asked: Masks) -> dict[str, Any]:
    others = np.roll(asked, 1, axis=0)
    scores = {"dice": dice(found, asked), "iou": iou(found, asked)}
    control = float(dice(found, others).mean()) if len(asked) > 1 else None
    return {**{key: summarise(key, values) for key, values in scores.items()}, "dice_of_wrong_masks": control}


def _section(
    title: Message, found: Mapping[str, Mapping[str, Any]], segmenter: Segmenter, masks: FoundMasks, empty: int
) -> Finding:
    images, matched = masks.images, len(masks.of)
    own = found[SEGMENTER]
    level = _level(own, segmenter.ceiling)
    verdict = Message(

            "Mean Dice {dice:.2f} (95 % CI {low:.2f} to {high:.2f}, n = {n}) between mask and "
            "segmented lesion; the segmenter itself reaches {ceiling:.2f} on real photographs. {words}",
        dice=own["dice"]["mean"], low=own["dice"]["low"], high=own["dice"]["high"], n=matched,
        ceiling=segmenter.ceiling, words=_WORDS[level],
    )  # fmt: skip
    rows = [_row(name, one) for name, one in found.items()]
    parts = (
        Table(
            ("lesion found by", "Dice", "95 % interval", "band", "IoU", "Dice with wrong masks"),
            rows,
            words=frozenset({0, 3}),
            folded=True,
        ),
        Paragraph(
            Message(
                "The three rules below the segmenter are an earlier program's, for comparison with its numbers only. "
                "An empty mask and no lesion found count as 1, one of them empty as 0. {found}",
                found=masks.sentence(empty),
            ),
            "muted",
        ),
    )
    data = {
        "n": matched,
        "without_mask": images - matched,
        "ambiguous": len(masks.ambiguous),
        "empty_masks": empty,
        "ceiling": segmenter.ceiling,
    }
    return Finding(KEY, title, level, verdict, parts, {**data, **found})


_WORDS: Final[dict[Level, Message]] = {
    "good": Message("The images follow their masks."),
    "doubt": Message("The images follow their masks only roughly."),
    "bad": Message("The images do not follow their masks: mismatched masks fit equally well."),
    "unknown": Message("There are too few images to say more."),
}


def _level(own: Mapping[str, Any], ceiling: float) -> Level:
    control = own["dice_of_wrong_masks"]
    if control is None:
        return "unknown"
    if own["dice"]["low"] <= control:
        return "bad"
    return "good" if own["dice"]["mean"] >= FAR * ceiling else "doubt"


def _row(name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    one, control = found["dice"], found["dice_of_wrong_masks"]
    interval = f"{one['low']:.2f} .. {one['high']:.2f}"
    wrong = "\u2013" if control is None else f"{control:.2f}"
    return name.replace("_", " "), f"{one['mean']:.2f}", interval, one["band"], f"{found['iou']['mean']:.2f}", wrong
