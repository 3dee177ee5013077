"""Where hair, ruler marks and dark corners are: what a classifier may use instead of the lesion.

Rules for finding them, not a trained detector: they find what is plain, and miss what is faint. Used only to say which
share of a map is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

DARK_CORNER: Final = 60.0
"""Grey value, of 255, below which a corner of the picture is taken for the edge of the lens."""

MIN_CORNER: Final = 0.002
"""Share of the area from which a dark corner counts."""

LINE_DEPTH: Final = 18.0
"""Grey values by which a hair or a mark is darker than what surrounds it."""

LINE_WIDTH: Final = 0.03
HAIR_LENGTH: Final = 0.18
MARK_LENGTHS: Final = (0.03, 0.15)
MAX_SPACING: Final = 0.12
"""All as fractions of the longer side."""

MIN_MARKS: Final = 6
MARK_SHAPE: Final = 2.0
"""Length over width from which a short thing is a mark and not a dot."""

MARK_ANGLE: Final = np.radians(20)
SPACING_ERROR: Final = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """A thin dark thing: its pixels, its middle (y, x), its direction, length and width in pixels."""

    pixels: tuple[NDArray[np.intp], NDArray[np.intp]]
    middle: Floats
    direction: Floats
    length: float
    width: float


def artefact_masks(image: NDArray[np.uint8]) -> dict[str, Mask]:
    """Return where the artefacts of a photograph are.

    Parameters
    ----------
    image
        RGB, uint8, shape (H, W, 3).

    Returns
    -------
    dict
        `hair`, `ruler` and `corner`, each of shape (H, W); all False where there is none.
    """
    grey = image.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    corner = _dark_corners(grey)
    lines = [line for line in _lines(grey, corner) if line.width <= LINE_WIDTH * max(grey.shape)]
    marks = _regular(lines, max(grey.shape))
    hairs = [line for line in lines if line not in marks and line.length >= HAIR_LENGTH * max(grey.shape)]
    return {"hair": _drawn(hairs, grey.shape), "ruler": _drawn(marks, grey.shape), "corner": corner}


def _dark_corners(grey: Floats) -> Mask:
    labels, _ = ndimage.label(grey < DARK_CORNER)
    height, width = grey.shape
    found = {labels[y, x] for y in (0, height - 1) for x in (0, width - 1)} - {0}
    sizes = {label: int((labels == label).sum()) for label in found}
    return np.isin(labels, [label for label, size in sizes.items() if size >= MIN_CORNER * grey.size])


def _lines(grey: Floats, outside: Mask) -> list[_Line]:
    """Return the thin dark things: what a closing fills in, piece by piece."""
    size = 2 * max(1, round(LINE_WIDTH * max(grey.shape))) + 1
    depth = ndimage.grey_closing(grey, footprint=_disc(size)) - grey
    labels, count = ndimage.label((depth > LINE_DEPTH) & ~outside, structure=np.ones((3, 3)))
    pieces = ndimage.find_objects(labels)
    return [_measured(labels[place] == number + 1, place) for number, place in zip(range(count), pieces, strict=True)]


def _disc(size: int) -> Mask:
    y, x = np.mgrid[:size, :size] - size // 2
    disc: Mask = y**2 + x**2 <= (size / 2) ** 2
    return disc


def _measured(piece: Mask, place: tuple[slice, slice]) -> _Line:
    ys, xs = np.nonzero(piece)
    points = np.stack([ys, xs], axis=1).astype(np.float64)
    middle = points.mean(axis=0)
    _, axes = np.linalg.eigh(np.cov((points - middle).T) if len(points) > 1 else np.eye(2))
    along = (points - middle) @ axes[:, 1]
    length = float(np.ptp(along)) + 1
    rows, columns = ys + place[0].start, xs + place[1].start
    return _Line(
        (rows, columns), middle + np.array([place[0].start, place[1].start]), axes[:, 1], length, len(points) / length
    )


def _regular(lines: Iterable[_Line], side: int) -> list[_Line]:
    """Return the marks that stand in a row, across it and evenly spaced: a ruler."""
    low, high = (share * side for share in MARK_LENGTHS)
    marks = [line for line in lines if low <= line.length <= high and line.length >= MARK_SHAPE * line.width]
    found: list[_Line] = []
    for first, second in combinations(marks, 2):
        if first in found and second in found:
            continue
        row = _row_of(first, second, marks, side)
        found += [mark for mark in row if mark not in found]
    return found


def _row_of(first: _Line, second: _Line, marks: Sequence[_Line], side: int) -> list[_Line]:
    along = second.middle - first.middle
    along = along / np.linalg.norm(along)
    across = np.array([-along[1], along[0]])
    row = [
        mark
        for mark in marks
        if abs((mark.middle - first.middle) @ across) <= 0.015 * side
        and abs(mark.direction @ across) >= np.cos(MARK_ANGLE)
    ]
    places = np.sort([(mark.middle - first.middle) @ along for mark in row])
    return row if len(row) >= MIN_MARKS and _evenly(np.diff(places), MAX_SPACING * side) else []


def _evenly(gaps: Floats, widest: float) -> bool:
    """Whether all gaps are about whole multiples of the usual one: a mark may be missing."""
    unit = float(np.median(gaps))
    if not 2 < unit <= widest:
        return False
    multiples = gaps / unit
    return bool((np.abs(multiples - np.maximum(1, np.round(multiples))) <= SPACING_ERROR).all())


def _drawn(lines: Sequence[_Line], shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, bool)
    for line in lines:
        mask[line.pixels] = True
    return ndimage.binary_dilation(mask) if lines else mask
