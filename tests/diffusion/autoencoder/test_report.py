"""The report: a perfect and a destroying autoencoder get the numbers that they deserve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from core.models.classification.loading import LoadedNetwork, load_network
from core.taxonomy import CLASS_CODES
from diffusion.autoencoder.report import measure_reconstruction, save_sheet, write_report
from photographs.labelled import LabelledImage
from photographs.pixels import load_pixels
from photographs.sources import read_dataset
from tests.support.tiny_classifier import SIDE, draw_lesion, write_tiny_classifier

pytestmark = pytest.mark.slow


class Repeating(nn.Module):
    """An autoencoder whose latents are the picture itself, and whose decoder makes of them what it is told."""

    def __init__(self, blacken: int = 0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self._blacken = blacken

    def encoder(self, pictures: torch.Tensor) -> torch.Tensor:
        return torch.cat([pictures, pictures], dim=1)

    def quant_conv(self, moments: torch.Tensor) -> torch.Tensor:
        return moments

    def post_quant_conv(self, latents: torch.Tensor) -> torch.Tensor:
        return latents

    def decoder(self, latents: torch.Tensor) -> torch.Tensor:
        if self._blacken:
            return -torch.ones_like(latents)
        return latents


@pytest.fixture
def held_out(tmp_path: Path) -> tuple[LabelledImage, ...]:
    for code in CLASS_CODES:
        (tmp_path / "photos" / code).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(draw_lesion(code, 100 + number)).save(tmp_path / "photos" / code / f"{code}{number}.png")
    return tuple(read_dataset(tmp_path / "photos").images)


@pytest.fixture
def judge(tmp_path: Path) -> LoadedNetwork:
    return load_network(write_tiny_classifier(tmp_path / "judge"))


def test_a_perfect_autoencoder_loses_nothing(held_out: tuple[LabelledImage, ...], judge: LoadedNetwork, tmp_path: Path):
    train = torch.from_numpy(load_pixels(held_out, SIDE).array).flip(0)
    report, pixels, made = measure_reconstruction(Repeating(), held_out, train, measured_on="test", judge=judge)
    assert torch.equal(pixels, made)
    assert (report.images, report.ssim.mean) == (28, 1.0)
    assert report.perceptual is not None
    assert report.perceptual.mean == pytest.approx(0, abs=1e-6)
    assert report.kernel_distance == report.floor
    assert report.agreement is not None
    assert report.agreement.same.mean == 1.0
    assert report.agreement.on_photographs == report.agreement.on_reconstructions
    assert report.agreement.on_photographs.mean > 0.8
    assert write_report(report, tmp_path).is_file()
    save_sheet(pixels, made, tmp_path)
    sheet = np.asarray(Image.open(tmp_path / "reconstruction.png"))
    assert sheet.shape == (6 * SIDE, 8 * SIDE, 3)
    assert np.array_equal(sheet[:SIDE], sheet[SIDE : 2 * SIDE])  # photographs, and below them what became of them


def test_black_pictures_are_told_apart(held_out: tuple[LabelledImage, ...], judge: LoadedNetwork):
    train = torch.from_numpy(load_pixels(held_out, SIDE).array)
    report, pixels, made = measure_reconstruction(Repeating(1), held_out, train, measured_on="test", judge=judge)
    assert int(made.max()) == 0
    by_hand = [-10 * np.log10(np.square(one.double().numpy() / 255).mean()) for one in pixels]
    assert report.psnr.mean == pytest.approx(np.mean(by_hand))
    assert report.psnr.low < report.psnr.mean < report.psnr.high
    assert report.kernel_distance is not None
    assert report.floor is not None
    assert report.kernel_distance[0] > report.floor[2]
    assert report.agreement is not None
    assert report.agreement.same.mean < 0.5
    assert report.agreement.on_reconstructions.mean == pytest.approx(1 / 7)
    assert "28 photographs" in report.sentence


def test_without_a_judge_pixels_are_compared(held_out: tuple[LabelledImage, ...]):
    train = torch.from_numpy(load_pixels(held_out, SIDE).array)
    report, _, _ = measure_reconstruction(Repeating(), held_out, train, measured_on="validation")
    assert report.agreement is None
    assert report.perceptual is None
    assert "validation" in report.sentence
