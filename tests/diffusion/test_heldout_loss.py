"""The loss on unseen and on seen lesions: the same timesteps, noise and classes on both sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from diffusion.draws import ImageSet
from diffusion.heldout_loss import image_losses, matched, measure_loss_gap
from photographs.labelled import LabelledImage
from photographs.pixels import Pixels
from tests.support.tiny_models import tiny_net, tiny_scheduler

LABELS = {"MEL": 0, "NV": 1}


def photographs(codes: list[str], seed: int, brightest: int = 256) -> Pixels:
    rng = np.random.default_rng(seed)
    images = tuple(LabelledImage(f"{seed}-{i}", code, f"L{seed}-{i // 2}", "", Path()) for i, code in enumerate(codes))
    return Pixels(rng.integers(0, brightest, (len(codes), 3, 16, 16), dtype=np.uint8), images, ())


def test_pairs_share_their_class_and_no_photograph_is_used_twice():
    train = photographs(["NV", "MEL", "NV", "BCC"], 1).images
    assert matched(train, ["MEL", "MEL", "NV", "NV", "NV", ""]) == ([1, 0, 2], [0, 2, 3])


def test_the_same_photographs_have_no_gap():
    same = photographs(["MEL", "NV", "MEL", "NV", "MEL"], 1)
    gap = measure_loss_gap(tiny_net(), tiny_scheduler(), LABELS, same, same, 5.0)
    assert gap.held_out == gap.train
    assert (gap.low, gap.high, gap.n) == (0.0, 0.0, 5)


def test_a_network_that_knows_its_photographs_is_found_out():
    # A network that predicts no velocity at all is right about black pictures of no noise: it "knows" grey ones.
    held, train = photographs(["MEL", "NV"] * 8, 1), photographs(["MEL", "NV"] * 8, 2)
    train.array[:] = 128
    net = tiny_net()
    torch.nn.init.zeros_(net.conv_out.weight)
    torch.nn.init.zeros_(net.conv_out.bias)
    gap = measure_loss_gap(net, tiny_scheduler(), LABELS, train, held, None)
    assert gap.held_out > gap.train
    assert gap.low > 0


def test_losses_do_not_depend_on_the_day_nor_on_the_batch():
    pixels = torch.from_numpy(photographs(["MEL"] * 40, 3).array)
    images = ImageSet(pixels, torch.zeros(40, dtype=torch.int64))
    whole = image_losses(tiny_net(), tiny_scheduler(), images, 5.0)
    assert whole.shape == (40,)
    first = image_losses(tiny_net(), tiny_scheduler(), ImageSet(pixels[:3], images.labels[:3]), 5.0)
    assert first == pytest.approx(whole[:3], rel=1e-3)


def test_classes_that_the_network_does_not_know_are_left_out():
    held, train = photographs(["MEL", "DF"], 1), photographs(["MEL", "DF", "NV"], 2)
    assert measure_loss_gap(tiny_net(), tiny_scheduler(), LABELS, train, held, 5.0).n == 1
