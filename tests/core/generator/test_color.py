"""Colour correction against a slow pixel-by-pixel re-implementation of the predecessor's rule."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from core.errors import InputRefusedError
from core.generator.color import ColorStatistics, apply_color_statistics, load_color_statistics


def slowly(image: np.ndarray, mean_t: list[float], std_t: list[float]) -> np.ndarray:
    out = np.zeros_like(image)
    for channel in range(3):
        values = [float(v) for v in image[:, :, channel].ravel()]
        mean = sum(values) / len(values)
        std = math.sqrt(sum((v - mean) ** 2 for v in values) / len(values))
        scale = min(1.4, max(0.6, std_t[channel] / max(std, 1e-6)))
        for (row, column), x in np.ndenumerate(image[:, :, channel].astype(float)):
            shifted = (x - mean) * scale + mean_t[channel]
            out[row, column, channel] = int(min(255.0, max(0.0, 0.35 * shifted + 0.65 * x)))
    return out


@pytest.mark.parametrize("spread", [0, 5, 60, 255])
def test_the_rule_is_the_predecessors(spread):
    rng = np.random.default_rng(spread)
    image = np.clip(rng.normal(140, spread / 2, (9, 7, 3)), 0, 255).astype(np.uint8)
    mean, std = [180.0, 120.5, 110.0], [20.0, 45.0, 3.0]
    ours = apply_color_statistics(image, ColorStatistics(tuple(mean), tuple(std)))
    assert ours.dtype == np.uint8
    assert np.abs(ours.astype(int) - slowly(image, mean, std)).max() <= 1  # float32 against float64 at a whole number


def test_the_image_given_is_left_alone():
    image = np.full((4, 4, 3), 100, np.uint8)
    apply_color_statistics(image, ColorStatistics((200, 200, 200), (10, 10, 10)))
    assert (image == 100).all()


def test_a_file_of_the_predecessor_is_read(tmp_path):
    path = tmp_path / "color_statistics.json"
    path.write_text(json.dumps({"MEL": {"rgb": {"mean": [1, 2, 3], "std": [4.5, 5, 6]}, "hsv": None}}))
    statistics = load_color_statistics(path)["MEL"]
    assert statistics == ColorStatistics((1, 2, 3), (4.5, 5, 6))
    assert ColorStatistics.from_json(statistics.to_json()) == statistics


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"MEL": 3}', '{"MEL": {"rgb": {}}}', '{"MEL": {"rgb": {"mean": [1, 2], "std": [1, 2, 3]}}}',
        '{"MEL": {"rgb": {"mean": [1, 2, NaN], "std": [1, 2, 3]}}}', '{"MEL": {"rgb": {"mean": "abc", "std": "abc"}}}',
        '{"MEL": {"rgb": {"mean": [1, 2, 3], "std": [1, 2, -3]}}}',
    ],
)  # fmt: skip
def test_a_malformed_file_is_refused_with_a_way_out(tmp_path, text):
    path = tmp_path / "color_statistics.json"
    path.write_text(text)
    with pytest.raises(InputRefusedError) as refusal:
        load_color_statistics(path)
    assert "--no-color" in refusal.value.remedy
    assert refusal.value.path == path
