"""Images from images, the whole way: read, kept, made, written, resumed and made again."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.beginning import Beginning
from core.cancel import CancelToken, StopMode
from core.errors import InputRefusedError, ModelRefusedError, OutputError, UsageError
from core.events import Event, ImageDone, Step
from core.generation import GenerationRequest
from core.generator.guided import grown, image2image, inpaint, interpolate
from core.generator.image_generator import ImageGenerator
from core.generator.reproduce import reproduce
from core.guided import Image2ImageRequest, InpaintRequest, InterpolateRequest
from core.images import read_image
from core.jobs.registry import Request
from dataset.png import read_recipe
from tests.support.tiny_models import write_tiny_pack

JOBS = {Image2ImageRequest: image2image, InpaintRequest: inpaint, InterpolateRequest: interpolate}
SETTINGS: dict[str, Any] = {"steps": 4, "precision": "fp32", "device": "cpu"}


def carried_out(request: Request, cancel: CancelToken | None = None) -> list[Event]:
    return list(JOBS[type(request)](request, cancel or CancelToken()))


def files(events: list[Event]) -> list[Path]:
    return [event.file for event in events if isinstance(event, ImageDone)]


@pytest.fixture(scope="module")
def size(pack: Path) -> int:
    return int(json.loads((pack / "config.json").read_text())["sample_size"])


@pytest.fixture
def photo(tmp_path: Path, size: int) -> Path:
    pixels = np.random.default_rng(3).integers(60, 200, (size, size, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture
def half(tmp_path: Path, size: int) -> Path:
    """A mask of the left half."""
    mask = np.zeros((size, size), np.uint8)
    mask[:, : size // 2] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


@pytest.fixture
def wanted(pack: Path, tmp_path: Path, photo: Path, half: Path) -> dict[str, Request]:
    shared = {"models": pack, "output": tmp_path / "out", **SETTINGS}
    return {
        "image2image": Image2ImageRequest(images=(photo,), class_code="MEL", count=2, strength=0.5, **shared),
        "inpaint": InpaintRequest(image=photo, mask=half, class_code="NV", count=2, **shared),
        "interpolate": InterpolateRequest(first=photo, second=photo, class_code="BCC", count=3, **shared),
    }


class TestImageToImage:
    def test_every_image_of_a_folder_is_begun_from_equally_often(self, pack: Path, tmp_path: Path, size: int) -> None:
        folder = tmp_path / "some"
        folder.mkdir()
        for value in (10, 120, 240):
            Image.new("RGB", (size + 9, size), (value,) * 3).save(folder / f"{value}.png")
        request = Image2ImageRequest(
            images=(folder,), class_code="MEL", count=2, strength=0.25, models=pack, output=tmp_path / "out", **SETTINGS
        )
        made = files(carried_out(request))
        begun = [read_recipe(path).start["images"][0] for path in made]
        assert len(made) == 6
        assert sorted(begun.count(one) for one in set(begun)) == [2, 2, 2]

    def test_less_strength_changes_less(self, pack: Path, tmp_path: Path, photo: Path) -> None:
        differences = []
        for strength in (0.25, 0.5, 1.0):
            request = Image2ImageRequest(
                images=(photo,), class_code="MEL", strength=strength, models=pack,
                output=tmp_path / f"out{strength}", **SETTINGS,
            )  # fmt: skip
            (made,) = files(carried_out(request))
            differences.append(float(np.abs(read_image(made).astype(int) - read_image(photo)).mean()))
        assert differences == sorted(differences)
        assert differences[0] < differences[-1]

    def test_at_full_strength_it_is_the_image_that_generate_makes(
        self, pack: Path, tmp_path: Path, photo: Path, ask: Any
    ) -> None:
        request = Image2ImageRequest(
            images=(photo,), class_code="MEL", strength=1.0, models=pack, output=tmp_path / "out", **SETTINGS
        )
        (made,) = files(carried_out(request))
        (plain,) = files(list(ImageGenerator().generate(ask({"MEL": 1}, output=tmp_path / "plain", steps=4))))
        assert np.array_equal(read_image(made), read_image(plain))

    def test_only_the_steps_of_its_strength_are_made(self, wanted: dict[str, Request]) -> None:
        steps = [event for event in carried_out(wanted["image2image"]) if isinstance(event, Step)]
        assert [(step.step, step.steps) for step in steps] == [(1, 2), (2, 2)] * 2

    @pytest.mark.parametrize("strength", [0.0, -0.1, 1.1, float("nan")])
    def test_an_impossible_strength_is_refused(self, photo: Path, tmp_path: Path, strength: float) -> None:
        with pytest.raises(UsageError):
            Image2ImageRequest(images=(photo,), class_code="MEL", strength=strength, output=tmp_path)

    def test_a_folder_without_images_is_named(self, pack: Path, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        request = Image2ImageRequest(
            images=(tmp_path / "empty",), class_code="MEL", models=pack, output=tmp_path / "out", **SETTINGS
        )
        with pytest.raises(InputRefusedError, match="no image to begin from"):
            carried_out(request)
        assert not (tmp_path / "out").exists()


class TestInpainting:
    def test_outside_of_the_mask_it_is_the_image_to_the_bit(self, wanted: dict[str, Request], photo: Path) -> None:
        before = read_image(photo)
        for path in files(carried_out(wanted["inpaint"])):
            made = read_image(path)
            middle = before.shape[1] // 2
            assert np.array_equal(made[:, middle:], before[:, middle:])
            assert (made[:, :middle] != before[:, :middle]).any()

    def test_with_colour_statistics_too(self, wanted: dict[str, Request], pack: Path, photo: Path) -> None:
        models = photo.parent / "models"
        shutil.copytree(pack, models / "tiny")
        statistics = {"NV": {"rgb": {"mean": [0.9, 0.1, 0.1], "std": [0.05, 0.05, 0.05]}}}
        (models / "color_statistics.json").write_text(json.dumps(statistics))
        made, *_ = files(carried_out(dataclasses.replace(wanted["inpaint"], models=models)))
        middle = read_image(photo).shape[1] // 2
        assert np.array_equal(read_image(made)[:, middle:], read_image(photo)[:, middle:])

    def test_a_larger_image_is_cut_to_its_middle_and_scaled_with_its_mask(
        self, wanted: dict[str, Request], tmp_path: Path, size: int
    ) -> None:
        large = np.random.default_rng(1).integers(0, 255, (size * 2, size * 3, 3), dtype=np.uint8)
        mask = np.zeros((size * 2, size * 3), np.uint8)
        mask[:, : size + size // 2] = 1  # labels of 0 and 1, and the left half
        Image.fromarray(large).save(tmp_path / "large.png")
        Image.fromarray(mask).save(tmp_path / "large_mask.png")
        request = dataclasses.replace(wanted["inpaint"], image=tmp_path / "large.png", mask=tmp_path / "large_mask.png")
        made = read_image(files(carried_out(request))[0])
        shown = np.array(ImageOps.fit(Image.fromarray(large), (size, size), Image.Resampling.LANCZOS))
        assert np.array_equal(made[:, size // 2 :], shown[:, size // 2 :])

    @pytest.mark.parametrize("fault", ["shape", "empty"])
    def test_a_mask_that_cannot_be_is_refused_before_anything_is_made(
        self, wanted: dict[str, Request], tmp_path: Path, size: int, fault: str
    ) -> None:
        mask = np.zeros((size + (fault == "shape"), size), np.uint8)
        mask[:3] = 255 if fault == "shape" else 0
        Image.fromarray(mask).save(tmp_path / "bad.png")
        with pytest.raises(InputRefusedError, match="pixels" if fault == "shape" else "is empty"):
            carried_out(dataclasses.replace(wanted["inpaint"], mask=tmp_path / "bad.png"))
        assert not (tmp_path / "out").exists()

    def test_a_mask_grows_and_shrinks_by_pixels(self) -> None:
        mask = np.zeros((9, 9), bool)
        mask[3:6, 3:6] = True
        assert grown(mask, 2).sum() == 49
        assert grown(mask, -1).sum() == 1
        assert grown(grown(mask, 2), -2).tolist() == mask.tolist()


class TestInterpolation:
    @pytest.fixture
    def ends(self, ask: Any, tmp_path: Path) -> tuple[Path, Path]:
        request = ask({"MEL": 1, "NV": 1}, output=tmp_path / "ends", steps=4, seed=11)
        first, second = files(list(ImageGenerator().generate(request)))
        return first, second

    def test_the_ends_are_the_images_to_the_bit(self, ends: tuple[Path, Path], pack: Path, tmp_path: Path) -> None:
        for sampler in ("", "ddpm"):
            request = InterpolateRequest(
                first=ends[0], second=ends[1], count=4, models=pack, output=tmp_path / f"way{sampler}", device="cpu"
            )
            if sampler:
                again = [self._made_with(end, sampler, pack, tmp_path) for end in ends]
                request = dataclasses.replace(request, first=again[0], second=again[1])
            made = files(carried_out(request))
            assert [path.parent.name for path in made] == ["MEL", "MEL", "NV", "NV"]
            assert np.array_equal(read_image(made[0]), read_image(request.first))
            assert np.array_equal(read_image(made[-1]), read_image(request.second))
            assert not np.array_equal(read_image(made[1]), read_image(request.first))

    def _made_with(self, end: Path, sampler: str, pack: Path, tmp_path: Path) -> Path:
        code = end.parent.name
        request = GenerationRequest(((code, 1),), pack, tmp_path / "ddpm", sampler=sampler, **SETTINGS)
        return files(list(ImageGenerator().generate(request)))[0]

    def test_it_goes_without_jumps(self, ends: tuple[Path, Path], pack: Path, tmp_path: Path) -> None:
        request = InterpolateRequest(
            first=ends[0], second=ends[1], count=9, models=pack, output=tmp_path / "way", device="cpu"
        )
        made = [read_image(path).astype(float) for path in files(carried_out(request))]
        steps = [float(np.abs(a - b).mean()) for a, b in itertools.pairwise(made)]
        assert max(steps) < float(np.abs(made[0] - made[-1]).mean())

    def test_a_second_time_into_the_same_folder_it_is_the_same_way(
        self, ends: tuple[Path, Path], pack: Path, tmp_path: Path
    ) -> None:
        request = InterpolateRequest(
            first=ends[0], second=ends[1], count=4, models=pack, output=tmp_path / "way", device="cpu"
        )
        ways = [[read_image(path).tolist() for path in files(carried_out(request))] for _ in range(2)]
        assert ways[0] == ways[1]

    def test_a_picture_of_unknown_class_needs_one(self, photo: Path, pack: Path, tmp_path: Path) -> None:
        request = InterpolateRequest(first=photo, second=photo, models=pack, output=tmp_path / "out", **SETTINGS)
        with pytest.raises(InputRefusedError, match="its class is not known"):
            carried_out(request)

    def test_networks_of_their_own_have_nothing_between_them(self, tmp_path: Path, checkpoint: Path, ask: Any) -> None:
        models = tmp_path / "models"
        models.mkdir()
        for code in ("MEL", "NV"):
            shutil.copy(checkpoint, models / f"unet_{code}_best.pth")
        ends = []
        for code in ("MEL", "NV"):
            run = ask({code: 1}, models=models, output=tmp_path / "ends", steps=2)
            ends += files(list(ImageGenerator().generate(run)))
        request = InterpolateRequest(first=ends[0], second=ends[1], count=2, models=models, output=tmp_path / "out")
        with pytest.raises(ModelRefusedError, match="nothing between them"):
            carried_out(request)


@pytest.mark.parametrize("kind", ["image2image", "inpaint", "interpolate"])
class TestEveryKind:
    def test_it_is_made_again_to_the_bit(self, wanted: dict[str, Request], kind: str) -> None:
        for path in files(carried_out(wanted[kind])):
            assert reproduce(path, models=wanted[kind].models).identical

    def test_a_stopped_run_is_resumed_to_the_same_images(self, wanted: dict[str, Request], kind: str) -> None:
        whole = [read_image(path).tolist() for path in files(carried_out(wanted[kind]))]
        again, cancel = dataclasses.replace(wanted[kind], output=wanted[kind].output.with_name("again")), CancelToken()
        made: list[Path] = []
        for event in JOBS[type(again)](again, cancel):
            if isinstance(event, ImageDone):
                made.append(event.file)
                cancel.request(StopMode.AFTER_IMAGE)
        made += files(list(ImageGenerator().resume(again.output)))
        assert [read_image(path).tolist() for path in made] == whole

    def test_it_is_kept_by_hash_and_the_recipe_names_no_path(self, wanted: dict[str, Request], kind: str) -> None:
        request = wanted[kind]
        (path, *_) = files(carried_out(request))
        recipe = read_recipe(path)
        kept = request.output / ".isicgui" / "inputs"
        assert {f"{one}.png" for one in recipe.start["images"]} <= {file.name for file in kept.iterdir()}
        assert recipe.start["kind"] == kind
        assert str(request.output.parent) not in json.dumps(recipe.to_json())

    def test_without_what_it_began_from_it_is_refused_by_name(self, wanted: dict[str, Request], kind: str) -> None:
        request = wanted[kind]
        path, *_ = files(carried_out(request))
        kept = request.output / ".isicgui" / "inputs"
        elsewhere = kept.parent.parent.with_name("elsewhere")
        shutil.move(kept, elsewhere)
        with pytest.raises(InputRefusedError, match="begins from is missing"):
            reproduce(path, models=request.models)
        assert reproduce(path, models=request.models, inputs=elsewhere).identical

    def test_a_changed_one_is_noticed(self, wanted: dict[str, Request], kind: str) -> None:
        request = wanted[kind]
        path, *_ = files(carried_out(request))
        for file in (request.output / ".isicgui" / "inputs").iterdir():
            Image.new("RGB", (32, 32)).save(file)
        with pytest.raises(InputRefusedError, match="was changed after it was used"):
            reproduce(path, models=request.models)

    def test_a_link_in_place_of_the_folder_is_refused(self, wanted: dict[str, Request], kind: str) -> None:
        request = wanted[kind]
        target = request.output.with_name("target")
        target.mkdir()
        (request.output / ".isicgui").mkdir(parents=True)
        (request.output / ".isicgui" / "inputs").symlink_to(target)
        with pytest.raises(OutputError):
            carried_out(request)
        assert not list(target.iterdir())


def bad_beginnings() -> Iterator[dict[str, Any]]:
    good = Beginning("image2image", ("a" * 64,)).to_json()
    yield {}
    yield {**good, "kind": "other"}
    yield {**good, "images": []}
    yield {**good, "images": ["../../etc/passwd"]}
    yield {**good, "images": ["A" * 64]}
    yield {**good, "images": "a" * 64}
    yield {**good, "mask": "a" * 64}
    yield {**good, "strength": 0}
    yield {**good, "strength": float("nan")}
    yield {**good, "strength": True}
    yield {**good, "share": 1e300}
    yield {**good, "classes": ["XYZ"]}
    yield {**good, "target": []}
    yield {**good, "kind": "inpaint"}
    yield {**good, "kind": "interpolate"}


@pytest.mark.parametrize("data", list(bad_beginnings()), ids=repr)
def test_a_beginning_that_cannot_be_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Beginning.from_json(data)


def test_in_memory_a_beginning_is_refused_not_passed_over(pack: Path) -> None:
    with pytest.raises(UsageError, match="output folder"):
        ImageGenerator(models=pack).sample({"MEL": 1}, start=(Beginning("image2image", ("a" * 64,)),), steps=2)


def test_a_beginning_is_read_back_as_it_was_written() -> None:
    for one in (
        Beginning("image2image", ("a" * 64,), strength=0.5),
        Beginning("inpaint", ("a" * 64,), "b" * 64),
        Beginning("interpolate", ("a" * 64, "b" * 64), share=0.25, classes=("MEL", "NV"), target="MEL"),
    ):
        assert Beginning.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_a_larger_model_and_another_pack_take_the_same_start(tmp_path: Path, photo: Path) -> None:
    """Two packs of different sizes: each gets the picture at its own."""
    for side in (16, 32):
        models = write_tiny_pack(tmp_path / f"models{side}" / "tiny", image_size=side)
        request = Image2ImageRequest(
            images=(photo,), class_code="MEL", models=models, output=tmp_path / f"out{side}", **SETTINGS
        )
        (made,) = files(carried_out(request))
        assert read_image(made).shape == (side, side, 3)
