"""Batches: how often a class and the null class come, and what a picture looks like in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from core.dataset.labelled import hold_out_lesions, read_labels
from diffusion.config import DiffusionConfig
from diffusion.data import ImagePool, draw_batch, drop_labels, read_pool, training_images
from diffusion.model import NULL_CLASS
from tests.support.labelled_data import write_labelled_folder


def test_a_tenth_of_the_labels_is_dropped():
    labels = torch.arange(7).repeat(2000)
    dropped = drop_labels(labels, 0.1, torch.Generator().manual_seed(0))
    share = (dropped == NULL_CLASS).float().mean().item()
    assert share == pytest.approx(0.1, abs=0.011)  # four standard errors
    kept = dropped != NULL_CLASS
    assert torch.equal(dropped[kept], labels[kept])


def test_classes_come_by_the_square_root_of_their_count():
    labels = torch.tensor([0] * 900 + [1] * 100)
    pool = ImagePool.of(torch.zeros(1000, 3, 2, 2, dtype=torch.uint8), labels, 0.5)
    config = DiffusionConfig(batch_size=20_000, label_dropout=0.0)
    _, drawn = draw_batch(pool, config, False, torch.Generator().manual_seed(0))
    assert (drawn == 0).float().mean().item() == pytest.approx(0.75, abs=0.013)


def test_pixels_lie_within_one_and_are_only_turned(config: DiffusionConfig, pool: ImagePool):
    pixels, labels = draw_batch(pool, replace(config, label_dropout=0.0), False, torch.Generator().manual_seed(0))
    assert pixels.shape == (8, 3, 16, 16)
    assert pixels.dtype == torch.float32
    for image, label in zip(pixels, labels.tolist(), strict=True):
        sources = pool.pixels[pool.labels == label].float() / 127.5 - 1
        values = [source.flatten(1).sort().values for source in sources]
        assert any(torch.allclose(image.flatten(1).sort().values, v) for v in values)


def test_half_size_shows_the_same_pictures_at_half_the_side(config: DiffusionConfig, pool: ImagePool):
    whole, _ = draw_batch(pool, config, False, torch.Generator().manual_seed(0))
    half, _ = draw_batch(pool, config, True, torch.Generator().manual_seed(0))
    assert torch.allclose(half, whole.unflatten(2, (8, 2)).unflatten(4, (8, 2)).mean((3, 5)), atol=1e-6)


def test_training_never_sees_held_out_or_reserved_lesions(tmp_path: Path):
    folder = write_labelled_folder(tmp_path, lesions=8, val=2)
    config = DiffusionConfig(image_size=16, test_fraction=0.25)
    mine = {image.lesion_id for image in training_images(folder, config)}
    images = read_labels(folder)
    held, _ = hold_out_lesions([i for i in images if i.split != "val"], 0.25, "test")
    assert not mine & {i.lesion_id for i in held}
    assert not mine & {i.lesion_id for i in images if i.split == "val"}
    assert len(mine) == 7 * 6
    assert len(read_pool(folder, config).labels) == len(training_images(folder, config))
