"""The card of an autoencoder: what its files say, and odd files refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from diffusers import AutoencoderKL

from core.errors import InputRefusedError
from diffusion.autoencoder.card import write_card
from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.autoencoder.report import ReconstructionReport, Value, write_report

VALUE = {"mean": 30.5, "low": 30.0, "high": 31.0}
REPORT: dict[str, Any] = {
    "images": 12, "lesions": 9, "measured_on": "test", "image_size": 16, "psnr": VALUE, "ssim": VALUE,
    "perceptual": VALUE, "features": "pixels", "kernel_distance": [0.1, 0.05, 0.2], "floor": None,
    "agreement": {"judge": "small@12345678", "same": VALUE, "on_photographs": VALUE, "on_reconstructions": VALUE},
}  # fmt: skip
TRAINING: dict[str, Any] = {
    "images_seen": 5, "seconds": 7200, "precision": "fp32", "init_from": None, "licence": "CC0", "data": "photos",
    "split_fingerprint": "abc", "photographs": {"train": {"MEL": 3}, "test": {"MEL": 1}}, "leakage": {"known": True},
}  # fmt: skip
FILES = {"training.json": TRAINING, "reconstruction.json": REPORT}


@pytest.fixture
def pack(config: AutoencoderConfig, tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2,
        block_out_channels=[8, 8], norm_num_groups=4, latent_channels=2, sample_size=16, scaling_factor=1,
        latents_mean=[0.0, 0.0], latents_std=[1.0, 1.0],
    ).save_config(folder)  # fmt: skip
    for name, content in FILES.items():
        known = {**content, "settings": config.model_dump(mode="json")} if content is TRAINING else content
        (folder / name).write_text(json.dumps(known), encoding="utf-8")
    return folder


def test_card_says_what_the_files_say(pack: Path):
    card = write_card(pack).read_text(encoding="utf-8")
    for part in ("latent pixels of 2 channels", "2.0 hours", "`abc`", "30.50", "0.0500 to 0.2000", "small@12345678"):
        assert part in card


ODD = [
    ("training.json", {"images_seen": "many"}),
    ("training.json", {"seconds": 1e300}),
    ("training.json", {"photographs": [1]}),
    ("training.json", {"leakage": []}),
    ("training.json", {"hardware": {"gpus": 3}}),
    ("training.json", {"precision": {}}),
    ("training.json", {"split_fingerprint": [1]}),
    ("training.json", {"settings": 3}),
    ("reconstruction.json", {"psnr": None}),
    ("reconstruction.json", {"psnr": {"mean": "x", "low": 1, "high": 2}}),
    ("reconstruction.json", {"images": -1}),
    ("reconstruction.json", {"lesions": []}),
    ("reconstruction.json", {"kernel_distance": [1.0, 2.0]}),
    ("reconstruction.json", {"agreement": {"judge": "x"}}),
    ("config.json", {"latent_channels": {}}),
    ("config.json", {"latents_std": [0.0, 1.0]}),
]


@pytest.mark.parametrize(
    ("name", "odd"), ODD, ids=[f"{name}-{next(iter(odd))}-{n}" for n, (name, odd) in enumerate(ODD)]
)
def test_files_that_are_none_of_a_pack_are_refused_in_words(pack: Path, name: str, odd: dict[str, Any]):
    content = json.loads((pack / name).read_text(encoding="utf-8"))
    (pack / name).write_text(json.dumps({**content, **odd}), encoding="utf-8")
    with pytest.raises(InputRefusedError, match=name.replace(".", r"\.")) as caught:
        write_card(pack)
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["training.json", "reconstruction.json", "config.json"])
@pytest.mark.parametrize("text", ["[" * 5000, "[]", "", "\x00", '{"a": ' * 5000])
def test_what_is_no_object_is_refused_in_words(pack: Path, name: str, text: str):
    (pack / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputRefusedError, match=name.replace(".", r"\.")):
        write_card(pack)


def test_a_measure_that_has_no_value_is_written_as_json_and_said(pack: Path):
    nothing, some = Value(float("nan"), float("nan"), float("nan")), Value(0.5, 0.4, 0.6)
    report = ReconstructionReport(3, 2, "test", 16, nothing, some, None, "pixels", None, None, None)
    text = write_report(report, pack).read_text(encoding="utf-8")
    assert json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))["psnr"]["mean"] is None
    assert "not known" in write_card(pack).read_text(encoding="utf-8")
