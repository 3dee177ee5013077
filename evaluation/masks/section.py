"""How well the lesions of images follow the masks they were asked to follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.errors import InputRefusedError
from core.images import read_image
from core.message import Message
from evaluation.finding import Finding
from evaluation.masks.heuristics import HEURISTICS
from evaluation.masks.overlap import Masks, dice, iou
from evaluation.masks.segmenter import Segmenter
from evaluation.pairs import summarise
from evaluation.sets import ImageSet
from photographs.pixels import inside_mask, middle_square
from reports.model import Level, Paragraph, Table

KEY: Final = "masks"
SIDE: Final = 128
SEGMENTER: Final = "segmenter"
FAR: Final = 0.8
"""Below this share of what the segmenter reaches on real photographs, images do not follow their masks well."""

SUFFIXES: Final = (".png", ".bmp", ".tif", ".tiff", ".jpg", ".jpeg")


def follow_masks(images: ImageSet, folder: Path, segmenter: Segmenter) -> Finding:
    """Compare the lesion that the segmenter finds in each image with the mask of its name.

    The control gives each image the mask of another one; images that follow their masks beat it.

    Parameters
    ----------
    folder
        Masks of any label values, named like the images, in sub-folders, too.
    """
    title = Message("Following masks")
    known = _masks_of(images, folder)
    rows = [row for row, image in enumerate(images.images) if image.name in known]
    if not rows:
        words = Message("No mask in {folder} has the name of an image.", folder=folder)
        return Finding(KEY, title, "unknown", words, data={"n": 0})
    chosen = images.only(rows)
    pixels = chosen.pixels(SIDE)
    asked = np.stack([_read(known[image.name]) for image in chosen.images])
    finders: Mapping[str, Callable[[NDArray[np.uint8]], Masks]] = {SEGMENTER: segmenter, **HEURISTICS}
    found = {name: _measure(finder(pixels), asked) for name, finder in finders.items()}
    return _section(title, found, segmenter, len(images), len(rows), int((~asked.any((1, 2))).sum()))


def _masks_of(images: ImageSet, folder: Path) -> dict[str, Path]:
    """Return the mask of each image that has one, by the image's name."""
    if not folder.is_dir():
        raise InputRefusedError(
            Message("There is no folder {path}.", path=folder), remedy=Message("Check the path."), path=folder
        )
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    by_path = {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}
    by_name = {path.stem.removesuffix("_segmentation"): path for path in files}
    stems = {image.name: PurePosixPath(image.name).with_suffix("") for image in images.images}
    found = {name: by_path.get(stem.as_posix()) or by_name.get(stem.name) for name, stem in stems.items()}
    return {name: path for name, path in found.items() if path is not None}


def _read(path: Path) -> Masks:
    mask = inside_mask(middle_square(read_image(path)).max(axis=2))
    size = Image.fromarray(mask).resize((SIDE, SIDE), Image.Resampling.NEAREST)
    return np.asarray(size)


def _measure(found: Masks, asked: Masks) -> dict[str, Any]:
    others = np.roll(asked, 1, axis=0)
    scores = {"dice": dice(found, asked), "iou": iou(found, asked)}
    control = float(dice(found, others).mean()) if len(asked) > 1 else None
    return {**{key: summarise(key, values) for key, values in scores.items()}, "dice_of_wrong_masks": control}


def _section(
    title: Message, found: Mapping[str, Mapping[str, Any]], segmenter: Segmenter, images: int, matched: int, empty: int
) -> Finding:
    own = found[SEGMENTER]
    level = _level(own, segmenter.ceiling)
    verdict = Message(
        "Mean Dice {dice:.2f} (95 % interval {low:.2f} to {high:.2f}) between mask and found lesion over {n} images; "
        "the segmenter itself reaches {ceiling:.2f} on real photographs. {words}",
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
                "An empty mask and no lesion found count as 1, one of them empty as 0; {empty} masks are empty. "
                "{without} images have no mask.",
                empty=empty,
                without=images - matched,
            ),
            "muted",
        ),
    )
    data = {"n": matched, "without_mask": images - matched, "empty_masks": empty, "ceiling": segmenter.ceiling}
    return Finding(KEY, title, level, verdict, parts, {**data, **found})


_WORDS: Final[dict[Level, Message]] = {
    "good": Message("The images follow their masks."),
    "doubt": Message("The images follow their masks only roughly."),
    "bad": Message("The images do not follow their masks: wrong masks fit them as well."),
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
