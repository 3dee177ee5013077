"""The table on real photographs, from rows that were made by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from core.taxonomy import CLASS_CODES
from tests.support.tiny_classifier import draw_lesion
from xai.validation import RANDOM, chosen_images, main, masks_of, measure_image, read_rows, render_table, summarise

pytestmark = pytest.mark.slow


def row(method: str, lesion: str, value: float, control: float, gate: str = "green") -> dict:
    measure = {"value": value, "control": control, "random_order": None}
    keys = ("deletion", "insertion", "road", "inside")
    facts = {"image": f"I{lesion}", "lesion": lesion, "class": "MEL", "method": method, "gate": gate}
    return facts | dict.fromkeys(keys, measure)


def test_the_mean_gap_and_its_interval() -> None:
    rows = [row("ig", str(n), value, 1.0) for n, value in enumerate((2.0, 3.0, 4.0, 5.0))]
    found = summarise(rows, "ig", "road")
    assert found is not None
    assert found.mean == pytest.approx(2.5)
    assert 1 <= found.low < 2.5 < found.high <= 4
    assert summarise(rows, "gradcam", "road") is None
    assert summarise(rows, "ig", "hair") is None


def test_photographs_of_one_lesion_are_one_witness() -> None:
    alone = [row("ig", str(n), n % 2, 0.0) for n in range(40)]
    together = [row("ig", str(n % 2), n % 2, 0.0) for n in range(40)]
    wide, narrow = summarise(together, "ig", "road"), summarise(alone, "ig", "road")
    assert wide is not None
    assert narrow is not None
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_the_table_has_a_line_for_each_method_and_the_control_last() -> None:
    rows = [row(m, str(n), 0.5, 0.25, g) for m in ("gradcam", RANDOM, "ig") for n, g in enumerate(("green", "amber"))]
    lines = render_table(rows).splitlines()[2:]
    assert [line.split("|")[1].strip() for line in lines] == ["Integrated Gradients", "Grad-CAM", "noise (control)"]
    assert lines[0].split("|")[2:] == [
        " 2 ", *[" +0.25 (+0.25 to +0.25) "] * 3, " 50%, +0.25 (+0.25 to +0.25) ", " 1 / 1 / 0 ", "",
    ]  # fmt: skip


def test_a_torn_last_row_is_measured_again(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    assert read_rows(path) == []
    path.write_text(json.dumps({"image": "a", "method": "ig"}) + '\n{"ima', encoding="utf-8")
    assert read_rows(path) == [{"image": "a", "method": "ig"}]


def test_held_out_lesions_with_a_mask_are_chosen_one_photograph_each(tmp_path: Path) -> None:
    rows = [(f"ISIC_{n:07d}", "MEL", f"L{n // 2}", f"train/MEL/ISIC_{n:07d}.jpg") for n in range(80)]
    with (tmp_path / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "class", "lesion_id", "path"), *rows])
    for name, _, _, path in rows:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / path)
        if name != rows[0][0]:
            (tmp_path / "masks").mkdir(exist_ok=True)
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "masks" / f"{name}.png")
    chosen = chosen_images(tmp_path, masks_of(tmp_path), 3)
    assert len(chosen) == 3
    assert len({image.lesion_id for image in chosen}) == 3
    assert all((tmp_path / "masks" / f"{image.image_id}.png").is_file() for image in chosen)


def small_set(folder: Path, images: int = 40) -> None:
    """Write a data set of drawn melanomas, a fifth of it held out, each with the mask of its blotch."""
    (folder / "masks").mkdir(parents=True)
    (folder / "train/MEL").mkdir(parents=True)
    rows = [(f"ISIC_{n:07d}", "MEL", f"L{n}", f"train/MEL/ISIC_{n:07d}.png") for n in range(images)]
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "class", "lesion_id", "path"), *rows])
    for number, (name, _, _, path) in enumerate(rows):
        picture = draw_lesion("MEL", number, side=64)
        Image.fromarray(picture).save(folder / path)
        Image.fromarray((picture.mean(axis=2) < 110).astype(np.uint8) * 255).save(folder / "masks" / f"{name}.png")


def test_a_data_set_is_measured_and_continued(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small_set(tmp_path / "data")
    arguments = ["--data", str(tmp_path / "data"), "--output", str(tmp_path / "work"), "--methods", "gradcam"]
    main([*arguments, "--per-class", "1"])
    first = read_rows(tmp_path / "work/rows.jsonl")
    assert [row["method"] for row in first] == ["gradcam", RANDOM]
    main([*arguments, "--per-class", "2"])
    rows = read_rows(tmp_path / "work/rows.jsonl")
    assert rows[:2] == first, "measured once"
    assert [row["method"] for row in rows] == ["gradcam", RANDOM] * 2
    assert capsys.readouterr().err.count("rows") == 2
    for row in rows:
        name = row["image"]
        mask = np.asarray(Image.open(tmp_path / "data/masks" / f"{name}.png")) > 127
        assert row["inside"]["control"] == pytest.approx(mask.mean(), abs=1e-6)
        assert {"deletion", "insertion", "road"} <= row.keys()
        assert row["lesion"] == f"L{int(name[5:])}"
    assert len({row["image"] for row in rows}) == 2
    table = (tmp_path / "work/validation.md").read_text(encoding="utf-8")
    assert table == render_table(rows)


def test_the_control_is_smooth_noise_that_is_always_the_same(tmp_path: Path) -> None:
    small_set(tmp_path / "data")
    (image,) = chosen_images(tmp_path / "data", masks_of(tmp_path / "data"), 1)
    mask = tmp_path / "data/masks" / f"{image.image_id}.png"
    explained, control = measure_image(image, mask, ["gradcam"])
    rng = np.random.default_rng(int(image.image_id[5:]))
    noise = ndimage.gaussian_filter(rng.normal(size=(64, 64)), 0.05 * 64, mode="wrap")
    inside = np.asarray(Image.open(mask)) > 127
    assert control["inside"]["value"] == pytest.approx(np.abs(noise)[inside].sum() / np.abs(noise).sum(), rel=1e-4)
    assert explained["predicted"] in CLASS_CODES
    assert explained["gate"] in ("green", "amber", "red")
