"""What lies in place of the latent images that an earlier sitting left: taken only if it is what was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.errors import ModelRefusedError
from diffusion.draws import ImageSet
from diffusion.latent.latents import CACHE, encode_photographs, keep, kept
from tests.support.tiny_latents import write_tiny_autoencoder
from training.runtime import save_checkpoint

CPU = torch.device("cpu")


def photographs(count: int) -> ImageSet:
    pixels = torch.randint(0, 256, (count, 3, 16, 16), generator=torch.Generator().manual_seed(count)).byte()
    return ImageSet(pixels, torch.zeros(count, dtype=torch.int64))


@pytest.fixture
def parts(tmp_path: Path) -> tuple[ImageSet, ImageSet, Path]:
    return photographs(3), photographs(2), write_tiny_autoencoder(tmp_path / "vae")


def state_of(parts: tuple[ImageSet, ImageSet, Path]) -> dict[str, Any]:
    latents = encode_photographs(*parts, CPU, "fp32")
    return {"fingerprint": "f", "train": latents.train.views.clone(), "validation": latents.validation.views.clone()}


def test_what_was_written_is_taken(parts: tuple[ImageSet, ImageSet, Path], tmp_path: Path):
    latents = encode_photographs(*parts, CPU, "fp32")
    keep(latents, "f", tmp_path)
    found = kept(*parts, "f", tmp_path)
    assert found is not None
    assert torch.equal(found.train.views, latents.train.views)
    assert torch.equal(found.validation.views, latents.validation.views)
    assert kept(*parts, "another", tmp_path) is None


ODD: dict[str, Callable[[dict[str, Any]], object]] = {
    "none of a part": lambda state: state.pop("train"),
    "text": lambda state: state.update(train="x"),
    "a number": lambda state: state.update(validation=3),
    "a scalar": lambda state: state.update(train=torch.tensor(1.0)),
    "one number a photograph": lambda state: state.update(train=torch.ones(3, dtype=torch.float16)),
    "other photographs": lambda state: state.update(train=state["train"][:2]),
    "other channels": lambda state: state.update(train=state["train"][:, :, :2]),
    "another side": lambda state: state.update(validation=state["validation"][..., :4]),
    "no views": lambda state: state.update(train=state["train"][:, :0]),
    "nine views": lambda state: state.update(train=torch.cat([state["train"], state["train"][:, :1]], dim=1)),
    "whole numbers": lambda state: state.update(train=state["train"].long()),
    "complex numbers": lambda state: state.update(train=state["train"].to(torch.complex64)),
    "not finite": lambda state: state["validation"][0, 0, 0].fill_(float("nan")),
    "a fingerprint that is none": lambda state: state.update(fingerprint=torch.ones(2)),
}


@pytest.mark.parametrize("what", ODD)
def test_what_was_not_written_so_is_encoded_again(parts: tuple[ImageSet, ImageSet, Path], tmp_path: Path, what: str):
    state = state_of(parts)
    ODD[what](state)
    save_checkpoint(tmp_path / CACHE, state)
    assert kept(*parts, "f", tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_checkpoint_is_refused_in_words(
    parts: tuple[ImageSet, ImageSet, Path], tmp_path: Path, content: bytes
):
    (tmp_path / CACHE).write_bytes(content)
    with pytest.raises(ModelRefusedError, match=r"latents\.pt"):
        kept(*parts, "f", tmp_path)
