"""Colour statistics: measured on training lesions alone, and neutral when they are applied to what was measured."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.generator.color import ColorStatistics, apply_color_statistics, load_color_statistics
from core.taxonomy import CLASS_CODES
from diffusion.colour_statistics import class_statistics, main, measure_statistics
from photographs.pixels import load_pixels
from photographs.sources import read_dataset
from photographs.splits import split_by_lesion
from tests.support.labelled_data import write_labelled_folder


def pictures(count: int = 60) -> np.ndarray:
    """Return pictures (N, 3, 16, 16) that differ in brightness and contrast, but never so much that a limit is met."""
    rng = np.random.default_rng(3)
    mean = rng.uniform(90, 150, (count, 3, 1, 1))
    deviation = rng.uniform(18, 22, (count, 3, 1, 1))
    return np.clip(np.rint(rng.normal(mean, deviation, (count, 3, 16, 16))), 0, 255).astype(np.uint8)


def corrected(pixels: np.ndarray, statistics: ColorStatistics) -> np.ndarray:
    return np.stack([apply_color_statistics(p.transpose(1, 2, 0), statistics).transpose(2, 0, 1) for p in pixels])


def averages(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the average over images of their mean and of their deviation, pixel by pixel."""
    means, deviations = [], []
    for picture in pixels.astype(np.float64):
        mean = [sum(channel.ravel()) / channel.size for channel in picture]
        square = [sum((v - m) ** 2 for v in channel.ravel()) for channel, m in zip(picture, mean, strict=True)]
        means.append(mean)
        deviations.append([(s / picture[0].size) ** 0.5 for s in square])
    return np.mean(means, axis=0), np.mean(deviations, axis=0)


def test_statistics_are_averages_over_the_images_of_a_class():
    pixels = pictures(12)
    codes = ["VASC", "MEL", "VASC"] * 4
    found = class_statistics(pixels, codes)
    assert list(found) == ["MEL", "VASC"]
    for code, statistics in found.items():
        mean, deviation = averages(pixels[[its_code == code for its_code in codes]])
        np.testing.assert_allclose(statistics.mean, mean, atol=0.006)
        np.testing.assert_allclose(statistics.std, deviation, atol=0.006)


def test_the_correction_leaves_the_averages_of_a_class_alone():
    pixels = pictures()
    statistics = class_statistics(pixels, ["MEL"] * len(pixels))["MEL"]
    (mean, deviation), (new_mean, new_deviation) = averages(pixels), averages(corrected(pixels, statistics))
    np.testing.assert_allclose(new_mean, mean - 0.5, atol=0.05)  # it truncates, as the predecessor did
    np.testing.assert_allclose(new_deviation, deviation, atol=0.05)
    assert np.abs(corrected(pixels, statistics).astype(int) - pixels).max() > 5  # it does do something


def test_the_deviation_of_all_pixels_together_would_raise_the_contrast():
    pixels = pictures()
    statistics = class_statistics(pixels, ["MEL"] * len(pixels))["MEL"]
    pooled = ColorStatistics(statistics.mean, tuple(pixels.std(axis=(0, 2, 3)).tolist()))
    assert (averages(corrected(pixels, pooled))[1] > averages(pixels)[1] + 1).all()


def test_a_single_image_at_the_averages_is_left_as_it_is():
    pixels = pictures(1)
    statistics = class_statistics(pixels, ["DF"])["DF"]
    assert np.abs(corrected(pixels, statistics).astype(int) - pixels).max() <= 1


def test_only_training_lesions_are_measured(tmp_path):
    folder = write_labelled_folder(tmp_path, lesions=8, val=2)
    before, _ = measure_statistics(folder, 16)
    splits = split_by_lesion(read_dataset(folder).images)
    for image in (*splits.validation, *splits.test, *splits.extra):
        Image.new("RGB", (24, 24), (255, 255, 255)).save(image.path)
    assert measure_statistics(folder, 16)[0] == before
    Image.new("RGB", (24, 24), (255, 255, 255)).save(splits.train[0].path)
    assert measure_statistics(folder, 16)[0] != before


def test_command_writes_what_the_generator_reads(tmp_path, capsys):
    folder = write_labelled_folder(tmp_path / "data", lesions=4)
    output = tmp_path / "color_statistics.json"
    assert main(["--data", str(folder), "--output", str(output), "--size", "16"]) == 0
    content = json.loads(output.read_text(encoding="utf-8"))
    assert list(content) == list(CLASS_CODES)
    assert all(set(entry) == {"rgb"} and set(entry["rgb"]) == {"mean", "std"} for entry in content.values())
    assert load_color_statistics(output) == measure_statistics(folder, 16)[0]
    assert str(output) in capsys.readouterr().err


def test_command_names_unreadable_files(tmp_path, capsys):
    folder = write_labelled_folder(tmp_path / "data")
    image = split_by_lesion(read_dataset(folder).images).train[0]
    image.path.write_bytes(b"rubbish")
    assert main(["--data", str(folder), "--output", str(tmp_path / "s.json"), "--size", "16"]) == 0
    assert str(image.path) in capsys.readouterr().err


def test_command_refuses_in_words(tmp_path, capsys):
    assert main(["--data", str(tmp_path), "--output", str(tmp_path / "s.json")]) == 3
    assert "Expected is one of" in capsys.readouterr().err
    assert not (tmp_path / "s.json").exists()
    folder = write_labelled_folder(tmp_path / "data", lesions=4)
    assert main(["--data", str(folder), "--output", str(tmp_path / "none" / "s.json"), "--size", "16"]) == 4
    assert str(tmp_path / "none") in capsys.readouterr().err


@pytest.mark.skipif("ISICGUI_HAM10000" not in os.environ, reason="ISICGUI_HAM10000 does not name the photographs")
@pytest.mark.parametrize("code", ["DF", "VASC"])
def test_the_correction_is_neutral_on_real_photographs(code):
    train = split_by_lesion(read_dataset(Path(os.environ["ISICGUI_HAM10000"])).images).train
    pixels = load_pixels([image for image in train if image.code == code], 64).array
    statistics = class_statistics(pixels, [code] * len(pixels))[code]
    after = corrected(pixels, statistics)
    assert np.abs(after.mean(axis=(0, 2, 3)) + 0.5 - pixels.mean(axis=(0, 2, 3))).max() < 0.1
    change = after.std(axis=(2, 3)).mean(axis=0) - pixels.std(axis=(2, 3)).mean(axis=0)
    assert np.abs(change).max() < 1  # not 0: the change of contrast has limits, which some photographs meet
