"""Sheets: every image lies where its class and number say."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.taxonomy import CLASS_CODES
from diffusion.sheet import labelled_sheet


def plain(colours: list[tuple[int, int, int]], side: int = 32) -> np.ndarray:
    return np.stack([np.broadcast_to(np.array(c, np.uint8)[:, None, None], (3, side, side)) for c in colours])


def colour(row: int, column: int) -> tuple[int, int, int]:
    return (10 + 20 * row, 10 + 20 * column, 200)


def full() -> dict[str, np.ndarray]:
    return {code: plain([colour(row, column) for column in range(3)]) for row, code in enumerate(CLASS_CODES)}


def places(sheet: Image.Image, wanted: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return the box of all pixels of one colour."""
    rows, columns = np.nonzero((np.asarray(sheet) == wanted).all(axis=2))
    assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1), "one solid square"
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_rows_are_classes_and_columns_are_in_order():
    sheet = labelled_sheet(dict(reversed(full().items())))
    boxes = {(r, c): places(sheet, colour(r, c)) for r in range(7) for c in range(3)}
    assert all(right - left == bottom - top == 32 for left, top, right, bottom in boxes.values())
    for (row, column), (left, top, *_) in boxes.items():
        assert left - boxes[0, 0][0] == 36 * column
        assert top == 36 * row
    assert sheet.height == 7 * 36 - 4


def test_labels_stand_at_the_left_of_their_row():
    left = places(labelled_sheet(full()), colour(0, 0))[0]
    labels = np.asarray(labelled_sheet(full()))[:, : left - 1].min(axis=2) < 128
    for row in range(7):
        assert labels[36 * row : 36 * row + 32].any()
        assert not labels[36 * row + 32 : 36 * row + 36].any()


def test_real_photographs_stand_to_the_right_and_may_be_fewer():
    real = {"MEL": plain([(0, 250, 0)]), "VASC": plain([(0, 0, 250), (250, 0, 0)])}
    sheet = labelled_sheet(full(), real)
    assert places(sheet, (0, 250, 0))[0] == places(sheet, (0, 0, 250))[0] > places(sheet, colour(0, 2))[2]
    assert places(sheet, (0, 250, 0))[1] == places(sheet, colour(0, 0))[1]
    assert places(sheet, (250, 0, 0))[1] == places(sheet, colour(6, 0))[1] > 6 * 36


def test_photographs_of_another_size_are_fitted():
    sheet = labelled_sheet({"NV": plain([(9, 9, 9)])}, {"NV": plain([(0, 250, 0)], side=50)})
    left, top, right, bottom = places(sheet, (0, 250, 0))
    assert (right - left, bottom - top) == (32, 32)


@pytest.mark.parametrize("codes", [["DF"], ["MEL", "DF"]])
def test_shows_only_the_classes_there_are(codes: list[str]):
    sheet = labelled_sheet({code: plain([(1, 2, 3)], side=16) for code in codes})
    assert sheet.height == 20 * len(codes) - 4
