"""Images from images where something is not as it should be: hostile files, unlike ends, masks of nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import main
from core.beginning import Beginning
from core.cancel import CancelToken, StopMode
from core.errors import InputRefusedError, UsageError
from core.events import Event, Finished, ImageDone, Notice
from core.generation import GenerationRequest
from core.generator.guided import Inputs, image2image, inpaint, interpolate
from core.generator.image_generator import ImageGenerator
from core.generator.reproduce import reproduce
from core.generator.start import invert
from core.guided import Image2ImageRequest, InpaintRequest, InterpolateRequest
from core.images import read_image
from dataset.export.plan import plan_export
from dataset.export.request import ExportOptions
from dataset.png import encode_png, read_recipe
from tests.support.exports import export_to

SETTINGS: dict[str, Any] = {"steps": 4, "precision": "fp32", "device": "cpu"}


def files(events: list[Event]) -> list[Path]:
    return [event.file for event in events if isinstance(event, ImageDone)]


def notes(events: list[Event]) -> str:
    return "\n".join(str(event.message) for event in events if isinstance(event, Notice))


def generated(ask: Any, output: Path, **values: Any) -> Path:
    return files(list(ImageGenerator().generate(ask({"MEL": 1}, output=output, **{"steps": 4, **values}))))[0]


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    pixels = np.random.default_rng(3).integers(60, 200, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def mask_of(path: Path, rows: slice, columns: slice) -> Path:
    mask = np.zeros((48, 64), np.uint8)
    mask[rows, columns] = 255
    Image.fromarray(mask).save(path)
    return path


class TestEndsMadeOtherwise:
    @pytest.mark.parametrize("kind", ["steps", "begun"])
    def test_they_take_the_way_of_photographs_and_it_is_said(
        self, ask: Any, pack: Path, tmp_path: Path, kind: str
    ) -> None:
        first = generated(ask, tmp_path / "first")
        if kind == "steps":
            second = generated(ask, tmp_path / "second", steps=5)
        else:
            begun = Image2ImageRequest(
                images=(first,), class_code="MEL", strength=0.5, models=pack, output=tmp_path / "second", **SETTINGS
            )
            (second,) = files(list(image2image(begun, CancelToken())))
        request = InterpolateRequest(
            first=first, second=second, count=2, models=pack, output=tmp_path / "way", device="cpu", steps=4
        )
        events = list(interpolate(request, CancelToken()))
        made = files(events)
        assert read_recipe(made[0]).sampler == "ddim"
        assert read_recipe(made[0]).guidance == 1
        assert f"{second} was made with another model or other settings: its noise is" in notes(events)

    def test_a_precision_of_another_device_is_not_asked_for(self, ask: Any, pack: Path, tmp_path: Path) -> None:
        end = generated(ask, tmp_path / "end")
        recipe = dataclasses.replace(read_recipe(end), precision="fp16", device="cuda")
        end.write_bytes(encode_png(read_image(end), recipe))
        request = InterpolateRequest(first=end, second=end, count=2, models=pack, output=tmp_path / "way", device="cpu")
        made = files(list(interpolate(request, CancelToken())))
        assert read_recipe(made[0]).precision == "fp32"

    def test_the_noise_of_an_end_is_estimated_once(
        self, pack: Path, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = []

        def counted(*values: Any) -> Any:
            found.append(values)
            return invert(*values)

        monkeypatch.setattr("core.generator.start_images.invert", counted)
        request = InterpolateRequest(
            first=photo, second=photo, class_code="BCC", count=5, models=pack, output=tmp_path / "way", batch_size=2,
            **SETTINGS,
        )  # fmt: skip
        made = files(list(interpolate(request, CancelToken())))
        assert len(made) == 5
        assert len(found) == 1


class TestMasksOfNothing:
    def test_what_is_outside_of_the_square_or_too_small_is_refused_before_anything_is_made(
        self, pack: Path, photo: Path, tmp_path: Path
    ) -> None:
        outside = mask_of(tmp_path / "outside.png", slice(None), slice(0, 4))
        small = mask_of(tmp_path / "small.png", slice(20, 21), slice(30, 31))
        for mask in (outside, small):
            request = InpaintRequest(
                image=photo, mask=mask, class_code="NV", models=pack, output=tmp_path / "out", **SETTINGS
            )
            with pytest.raises(InputRefusedError, match="nothing would be generated"):
                list(inpaint(request, CancelToken()))
            assert not (tmp_path / "out").exists()


class TestKeptFiles:
    @pytest.mark.parametrize("kind", ["changed", "pipe", "link"])
    def test_what_is_in_place_of_one_is_replaced_and_not_followed(
        self, pack: Path, photo: Path, tmp_path: Path, kind: str
    ) -> None:
        request = Image2ImageRequest(images=(photo,), class_code="MEL", models=pack, output=tmp_path / "o", **SETTINGS)
        list(image2image(request, CancelToken()))
        (kept,) = (tmp_path / "o" / ".isicgui" / "inputs").iterdir()
        kept.unlink()
        other = tmp_path / "other"
        other.write_bytes(b"mine")
        if kind == "changed":
            kept.write_bytes(b"changed")
        elif kind == "pipe":
            os.mkfifo(kept)
        else:
            kept.symlink_to(other)
        (made,) = files(list(image2image(request, CancelToken())))
        assert reproduce(made, models=pack).identical
        assert other.read_bytes() == b"mine"
        assert not kept.is_symlink()


class TestHostileValues:
    def test_the_way_between_two_needs_their_classes(self) -> None:
        with pytest.raises(UsageError, match="classes"):
            Beginning.from_json({"kind": "interpolate", "images": ["a" * 64, "b" * 64]})

    def test_a_recipe_without_them_is_refused(self, ask: Any, pack: Path, tmp_path: Path) -> None:
        path = generated(ask, tmp_path / "x")
        kept = tmp_path / "x" / ".isicgui" / "inputs"
        kept.mkdir()
        name = hashlib.sha256(path.read_bytes()).hexdigest()
        shutil.copy(path, kept / f"{name}.png")
        recipe = dataclasses.replace(read_recipe(path), start={"kind": "interpolate", "images": [name, name]})
        path.write_bytes(encode_png(read_image(path), recipe))
        with pytest.raises(InputRefusedError):
            reproduce(path, models=pack)

    def test_a_run_begins_in_one_way(self, tmp_path: Path) -> None:
        one = Beginning("image2image", ("a" * 64,), strength=0.5)
        for other in (dataclasses.replace(one, strength=0.6), Beginning("inpaint", ("a" * 64,), "b" * 64)):
            good = GenerationRequest((("MEL", 2),), tmp_path, tmp_path / "o", start=(one, one))
            data = json.loads(json.dumps(good.to_json()))
            data["start"][1] = other.to_json()
            with pytest.raises(UsageError, match="start"):
                GenerationRequest.from_json(data)


class TestManyImages:
    def test_they_are_not_all_in_memory(self, pack: Path, photo: Path, tmp_path: Path) -> None:
        inputs = Inputs()
        name = inputs.picture(photo)
        assert hashlib.sha256(inputs[name]).hexdigest() == name
        Image.new("RGB", (20, 20)).save(photo)
        with pytest.raises(InputRefusedError, match="was changed"):
            inputs[name]

    def test_a_stop_while_they_are_read_leaves_nothing(self, pack: Path, photo: Path, tmp_path: Path) -> None:
        cancel = CancelToken()
        cancel.request(StopMode.AFTER_IMAGE)
        broken = tmp_path / "broken.png"
        broken.write_bytes(b"never read")
        request = Image2ImageRequest(
            images=(photo, broken), class_code="MEL", models=pack, output=tmp_path / "o", **SETTINGS
        )
        (end,) = list(image2image(request, cancel))
        assert isinstance(end, Finished)
        assert end.status == "stopped"
        assert not (tmp_path / "o").exists()

    def test_what_a_folder_holds_beside_pictures_is_told(self, pack: Path, photo: Path, tmp_path: Path) -> None:
        folder = tmp_path / "some"
        folder.mkdir()
        shutil.copy(photo, folder / "a.png")
        (folder / "b.gif").write_bytes(b"GIF89a")
        request = Image2ImageRequest(images=(folder,), class_code="MEL", models=pack, output=tmp_path / "o", **SETTINGS)
        assert "GIF: 1" in notes(list(image2image(request, CancelToken())))


def test_the_commands_say_that_they_need_scipy() -> None:
    for command in ("image2image", "inpaint", "interpolate"):
        assert "scipy" in main.NEEDED[command]


def test_images_of_one_picture_and_the_picture_are_one_group_of_an_export(
    ask: Any, pack: Path, photo: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    first = generated(ask, output)
    for begun, seed in ((first, 1), (first, 2), (photo, 3), (photo, 4)):
        request = Image2ImageRequest(
            images=(begun,), class_code="NV", seed=seed, models=pack, output=output, **SETTINGS
        )  # fmt: skip
        assert files(list(image2image(request, CancelToken())))
    plan = plan_export(output, ExportOptions(tmp_path / "set"))
    groups = {file.entry.picture.path: file.entry.group for file in plan.images}
    assert len(groups) == 5
    assert sorted(Counter(groups.values()).values()) == [2, 3]


def test_the_card_of_an_export_says_that_images_may_hold_parts_of_photographs(
    ask: Any, pack: Path, photo: Path, tmp_path: Path
) -> None:
    generated(ask, tmp_path / "plain")
    request = Image2ImageRequest(images=(photo,), class_code="NV", models=pack, output=tmp_path / "begun", **SETTINGS)
    list(image2image(request, CancelToken()))
    for name, is_begun in (("plain", False), ("begun", True)):
        export_to(tmp_path / name, tmp_path / f"{name}-set")
        card = (tmp_path / f"{name}-set" / "README.md").read_text(encoding="utf-8")
        assert ("No image shows a lesion of a real patient" in card) is not is_begun
        assert ("may be photographs of real patients" in " ".join(card.split())) is is_begun
