"""The auxiliary task of drawing the mask: a known loss, a gradient in the trunk, no trace in what is kept."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from classifier.batches import make_views
from classifier.data import mask_loss, read_masks
from core.errors import InputRefusedError
from photographs.labelled import LabelledImage
from tests.classifier.training_builders import batch, make_learner, tiny


def labelled(*names: str) -> list[LabelledImage]:
    return [LabelledImage(name, "MEL", name, "", Path(f"{name}.jpg")) for name in names]


def known_masks(count: int, size: int, known: list[bool]) -> torch.Tensor:
    masks = torch.zeros(count, 2, size, size)
    masks[:, 0, : size // 2] = 1
    masks[:, 1] = 1
    return masks * torch.tensor(known).view(-1, 1, 1, 1)


def test_masks_are_read_in_the_photographs_crop_and_missing_ones_are_unknown(tmp_path):
    mask = np.zeros((8, 12), np.uint8)
    mask[:4, 2:10] = 255  # the upper half of the middle square, of which the sides are cut away
    Image.fromarray(mask).convert("1").save(tmp_path / "a.png")
    found = read_masks(tmp_path, labelled("a", "b"), ["b", "a"], 4)
    assert found.words == "Masks: 1 of 2 images have one; 0 are empty."
    masks = found.layers
    assert masks.dtype == torch.uint8
    assert not masks[0].any()
    assert (masks[1, 1] == 255).all()
    assert masks[1, 0].tolist() == [[255] * 4] * 2 + [[0] * 4] * 2


def test_a_folder_without_masks_is_refused_by_the_setting_to_change(tmp_path):
    with pytest.raises(InputRefusedError, match="mask_weight"):
        read_masks(tmp_path, labelled("a"), ["a"], 4)


@pytest.mark.parametrize("inside", [1, 2, 255])
@pytest.mark.parametrize("ending", ["", "_segmentation", "_Mask"])
def test_a_mask_of_any_values_and_name_teaches_the_same(tmp_path, inside, ending):
    mask = np.zeros((8, 8), np.uint8)
    mask[2:6, 2:6] = inside
    Image.fromarray(mask).save(tmp_path / f"a{ending}.png")
    layers = read_masks(tmp_path, labelled("a"), ["a"], 8).layers
    assert layers[0, 0].float().mean().item() / 255 == pytest.approx(0.25)


def test_a_mask_that_would_do_for_two_photographs_is_taken_for_neither(tmp_path):
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "1.png")
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(tmp_path / "2.png")
    whole = [
        LabelledImage(name, code, name, "", Path(name))
        for name, code in (("MEL/1.jpg", "MEL"), ("NV/1.jpg", "NV"), ("MEL/2.jpg", "MEL"))
    ]
    found = read_masks(tmp_path, whole, ["MEL/1.jpg", "MEL/2.jpg"], 4)
    assert not found.layers[0].any()
    assert found.layers[1].all()
    assert "MEL/1.jpg" in found.words


def test_loss_is_the_cross_entropy_of_the_known_cells():
    logits = torch.tensor([0.0, 2.0, -1.0, 5.0]).view(1, 1, 2, 2).repeat(2, 1, 1, 1)
    masks = known_masks(2, 8, [True, False])
    sigmoid = [1 / (1 + math.exp(-x)) for x in (0.0, 2.0, -1.0, 5.0)]
    expected = -(math.log(sigmoid[0]) + math.log(sigmoid[1]) + math.log(1 - sigmoid[2]) + math.log(1 - sigmoid[3])) / 4
    assert mask_loss(logits, masks).item() == pytest.approx(expected, rel=1e-5)


def test_images_without_a_mask_contribute_nothing():
    logits = torch.randn(3, 1, 4, 4, requires_grad=True)
    mask_loss(logits, known_masks(3, 8, [True, False, True])).backward()
    assert logits.grad is not None
    assert not logits.grad[1].any()
    assert logits.grad[0].any()
    assert mask_loss(logits, known_masks(3, 8, [False] * 3)).item() == 0


def test_a_half_known_cell_is_judged_by_what_is_known():
    masks = torch.zeros(1, 2, 2, 2)
    masks[0, :, 0] = 1  # lesion and known above; unknown below
    assert mask_loss(torch.full((1, 1, 1, 1), 20.0), masks).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("architecture", ["small_cnn", "resnet18", "densenet121"])
def test_the_mask_teaches_the_trunk_and_leaves_no_trace_in_the_weights(architecture):
    plain = make_learner(tiny(architecture=architecture))
    learner = make_learner(tiny(architecture=architecture, mask_weight=0.3, label_smoothing=0.0))
    masks = make_views(known_masks(4, 32, [True, True, False, True]), "none", torch.Generator())
    loss, _ = learner.loss(batch(masks=masks))
    without, _ = plain.loss(batch())
    assert loss.item() > without.item()

    head = learner.net.get_submodule("classifier" if architecture == "densenet121" else "fc")
    head.requires_grad_(False)
    learner.model.requires_grad_(True)
    loss.backward()
    with_masks = next(learner.net.parameters()).grad
    plain.loss(batch())[0].backward()
    assert not torch.allclose(with_masks, next(plain.net.parameters()).grad)
    assert learner.net.state_dict().keys() == plain.net.state_dict().keys()
    assert not any("mask" in name for name in learner.best_net.state_dict())
