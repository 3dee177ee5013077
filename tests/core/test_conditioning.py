"""A new kind of condition: one entry, a network that takes it, and it goes from the command line into the recipe."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DModel

from cli.generate import condition_options, conditioning_of
from core.conditioning import CONDITIONS, NOTHING, Conditioning, ConditionKind, Inputs
from core.errors import ModelArchitectureError, UsageError
from core.events import Failed, Finished, ImageDone
from core.generation import GenerationRequest, order_counts
from core.generator.image_generator import ImageGenerator
from core.generator.reproduce import reproduce
from core.images import read_image
from core.models.discovery import discover
from core.taxonomy import CLASS_CODES
from dataset.png import read_recipe
from tests.support.tiny_models import tiny_scheduler, write_tiny_pack

KEY = "brightness"


def encode(model: Any, value: Any, count: int) -> Inputs:
    size = model.image_size
    return Inputs(channels=(torch.full((count, 1, size, size), 0.0 if value is None else float(value)),))


@pytest.fixture(autouse=True)
def _kind() -> Iterator[None]:
    CONDITIONS.add(
        ConditionKind(
            key=KEY, title="Brightness", hint="How bright, 0 to 1.", encode=encode, flag="--brightness", channels=1,
            read=float, check=lambda value: isinstance(value, float) and 0 <= value <= 1,
        )
    )  # fmt: skip
    yield
    CONDITIONS.remove(KEY)


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A pack whose network takes the class and the brightness."""
    torch.manual_seed(0)
    net = UNet2DModel(
        sample_size=16, in_channels=4, out_channels=3, layers_per_block=1, block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "AttnDownBlock2D"), up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=8, norm_num_groups=4, num_class_embeds=8,
    )  # fmt: skip
    folder = tmp_path / "models" / "bright"
    net.save_pretrained(folder)
    tiny_scheduler().save_pretrained(folder)
    about = {
        "format": 1, "name": "bright", "classes": list(CLASS_CODES), "null_class": 7,
        "conditions": ["class", KEY], "recommended": {"guidance": 1.0},
    }  # fmt: skip
    (folder / "isicgui.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def request_of(models: Path, output: Path, brightness: float | None, **changes: Any) -> GenerationRequest:
    conditioning = Conditioning.of({KEY: brightness})
    return GenerationRequest(
        order_counts({"MEL": 1}), models, output, steps=3, conditioning=conditioning, precision="fp32", **changes
    )


def image_of(request: GenerationRequest) -> Path:
    (done,) = [event for event in ImageGenerator().generate(request) if isinstance(event, ImageDone)]
    return done.file


def pixels(path: Path) -> Any:
    return read_image(path).astype(int)


def test_it_decides_the_image_and_its_null_is_not_asking(pack: Path, tmp_path: Path) -> None:
    dark, bright, unasked = (
        pixels(image_of(request_of(pack, tmp_path / str(value), value))) for value in (0.0, 1.0, None)
    )
    assert np.abs(dark - bright).max() > 0
    assert np.abs(dark - unasked).max() == 0


def test_guidance_leads_away_from_the_null(pack: Path, tmp_path: Path) -> None:
    plain = pixels(image_of(request_of(pack, tmp_path / "a", 1.0, guidance=1.0)))
    guided = pixels(image_of(request_of(pack, tmp_path / "b", 1.0, guidance=3.0)))
    assert np.abs(plain - guided).max() > 0


def test_the_recipe_tells_it_and_the_image_is_made_again(pack: Path, tmp_path: Path) -> None:
    image = image_of(request_of(pack, tmp_path / "out", 0.75))
    assert read_recipe(image).conditioning == {KEY: 0.75}
    assert reproduce(image, models=pack).max_difference == 0


def test_an_image_without_one_has_a_recipe_as_before(tmp_path: Path) -> None:
    models = write_tiny_pack(tmp_path / "models" / "tiny")
    image = image_of(GenerationRequest(order_counts({"MEL": 1}), models, tmp_path / "out", steps=2))
    assert "conditioning" not in read_recipe(image).to_json()


def test_it_goes_through_the_journal(pack: Path, tmp_path: Path) -> None:
    request = request_of(pack, tmp_path / "out", 0.5)
    again = GenerationRequest.from_json(json.loads(json.dumps(request.to_json())))
    assert again.conditioning == request.conditioning
    plain = request_of(pack, tmp_path / "out", None)
    assert "conditioning" not in plain.to_json()
    assert GenerationRequest.from_json(plain.to_json()).conditioning == NOTHING


def test_a_network_that_does_not_take_it_is_refused_by_name(tmp_path: Path) -> None:
    models = write_tiny_pack(tmp_path / "models" / "tiny")
    with pytest.raises(ModelArchitectureError, match=f"does not take these conditions: {KEY}"):
        list(ImageGenerator().generate(request_of(models, tmp_path / "out", 0.5)))


def test_a_pack_that_takes_what_is_not_known_is_refused_by_name(pack: Path) -> None:
    about = json.loads((pack / "isicgui.json").read_text(encoding="utf-8"))
    (pack / "isicgui.json").write_text(json.dumps({**about, "conditions": ["class", "odour"]}), encoding="utf-8")
    assert "not known here: odour" in discover(pack).classes["MEL"].reason


def test_a_value_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be"):
        Conditioning.of({KEY: 7.0})
    with pytest.raises(UsageError, match="no condition 'odour'"):
        Conditioning.of({"odour": 1})


def test_the_command_line_has_its_flag() -> None:
    import click

    command = condition_options(click.command()(lambda **values: None))
    values = command.make_context("generate", ["--brightness", "0.25"]).params
    assert conditioning_of(dict(values)) == Conditioning(((KEY, 0.25),))


def test_the_copied_command_asks_for_it_again(pack: Path, tmp_path: Path) -> None:
    import click

    request = request_of(pack, tmp_path / "out", 0.5)
    words = request.arguments()
    assert words[-2:] == ["--brightness", "0.5"]
    command = condition_options(click.command()(lambda **values: None))
    values = command.make_context("generate", words[-2:]).params
    assert conditioning_of(dict(values)) == request.conditioning


def test_a_text_that_is_no_value_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="--brightness cannot be 'x'"):
        conditioning_of({f"condition_{KEY}": "x"})


def test_other_images_of_the_run_are_made(pack: Path, tmp_path: Path) -> None:
    events = list(ImageGenerator().generate(request_of(pack, tmp_path / "out", 0.5)))
    assert not [event for event in events if isinstance(event, Failed)]
    assert isinstance(events[-1], Finished)
