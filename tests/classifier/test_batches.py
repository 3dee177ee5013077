"""What training draws: balanced classes, weights from the training split alone, statistics of the pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from classifier.batches import Batches, loss_weights
from classifier.data import Split, channel_statistics
from classifier.model import normalise, predict_logits
from classifier.trainer import ClassifierTrainer
from core.models.classification.architectures import ARCHITECTURES
from photographs.labelled import lesion_hash
from tests.classifier.training_builders import batch, make_learner, read, splits_of, tiny

CPU = torch.device("cpu")


def split(labels: list[int]) -> Split:
    names = tuple(str(i) for i in range(len(labels)))
    pixels = torch.arange(len(labels), dtype=torch.uint8).view(-1, 1, 1, 1).repeat(1, 3, 8, 8)
    return Split(pixels, torch.tensor(labels), names, names, "")


def test_a_split_is_read_with_everything_that_belongs_to_its_images(labelled):
    config = tiny()
    images = splits_of(labelled, config).train
    train = read(images, config)
    assert train.pixels.shape == (len(images), 3, 16, 16)
    assert train.labels.tolist() == [image.label for image in images]
    assert train.image_ids == tuple(image.image_id for image in images)
    assert train.lesions == tuple(image.lesion_id for image in images)
    assert train.fingerprint == lesion_hash(images)


def test_channel_statistics_are_those_of_the_pixels(labelled):
    config = tiny()
    pixels = read(splits_of(labelled, config).train, config).pixels
    mean, std = channel_statistics(pixels)
    values = pixels.numpy().astype(np.float64) / 255
    assert mean == pytest.approx(values.mean((0, 2, 3)).tolist(), abs=1e-4)
    assert std == pytest.approx(values.std((0, 2, 3)).tolist(), abs=1e-4)
    assert normalise(pixels / 255, mean, std).mean((0, 2, 3)).abs().max() < 1e-2


@pytest.mark.parametrize("balance", ["none", "weights"])
def test_without_sampling_every_image_is_seen_once_and_no_batch_is_tiny(balance):
    drawn = Batches(tiny(balance=balance), split([0] * 33), None, CPU).draw_epoch(torch.Generator())
    assert sorted(torch.cat(drawn).tolist()) == list(range(33))
    assert [len(indices) for indices in drawn] == [11, 11, 11]


@pytest.mark.parametrize(("images", "sizes"), [(1, [1]), (2, [2]), (3, [3]), (5, [3, 2]), (8, [2, 2, 2, 2])])
def test_no_batch_has_one_image_where_two_are_wanted(images, sizes):
    drawn = Batches(tiny(batch_size=2), split([0] * images), None, CPU).draw_epoch(torch.Generator())
    assert [len(indices) for indices in drawn] == sizes


def test_sampling_draws_all_classes_equally_often():
    labels = [0] * 900 + [1] * 90 + [2] * 10
    drawn = torch.cat(Batches(tiny(balance="sampling"), split(labels), None, CPU).draw_epoch(torch.Generator()))
    counts = torch.bincount(torch.tensor(labels)[drawn], minlength=3)
    assert counts.min() > 270  # of 1000 draws; the standard deviation is 15


def test_a_batch_holds_the_drawn_images_and_their_targets():
    made = Batches(tiny(augmentation="none"), split([3, 1, 6]), None, CPU).make(torch.tensor([2, 0]), torch.Generator())
    assert torch.allclose(made.pixels[:, 0, 0, 0], torch.tensor([2.0, 0.0]) / 255)
    assert made.targets.argmax(1).tolist() == [6, 3]
    assert made.targets.sum().item() == 2
    assert made.masks is None


def test_loss_weights_are_scikit_learns_balanced_ones():
    labels = torch.tensor([0] * 70 + [2] * 20 + [6] * 10)
    weights = loss_weights(labels, 7)
    expected = compute_class_weight("balanced", classes=np.array([0, 2, 6]), y=labels.numpy())
    assert weights[[0, 2, 6]].tolist() == pytest.approx(expected.tolist())
    assert weights[[1, 3, 4, 5]].tolist() == [0] * 4
    assert weights[labels].mean().item() == pytest.approx(1)


def test_loss_weights_see_the_training_split_alone(labelled, tmp_path):
    config = tiny(balance="weights")
    splits = splits_of(labelled, config)
    few = tuple(image for image in splits.train if image.code != "MEL")
    one = next(image for image in splits.train if image.code == "MEL")
    trainer = ClassifierTrainer(config, read((*few, one), config), read(splits.validation, config), tmp_path)
    assert torch.allclose(trainer.learner._weights, loss_weights(torch.tensor([i.label for i in (*few, one)]), 7))
    assert trainer.learner._weights[0] == trainer.learner._weights.max()


def test_a_weight_counts_in_the_loss():
    weights = torch.ones(7)
    plain = make_learner(tiny(label_smoothing=0.0), weights).loss(batch(1, 16))[0]
    doubled = make_learner(tiny(label_smoothing=0.0), weights * 2).loss(batch(1, 16))[0]
    assert doubled.item() == pytest.approx(2 * plain.item())


def test_logits_do_not_depend_on_the_batch_size():
    torch.manual_seed(0)
    net = ARCHITECTURES["simple_cnn"].build(7)
    pixels = torch.randint(256, (5, 3, 16, 16), dtype=torch.uint8)
    all_at_once = predict_logits(net, pixels, (0.5,) * 3, (0.2,) * 3)
    assert torch.allclose(all_at_once, predict_logits(net, pixels, (0.5,) * 3, (0.2,) * 3, batch_size=2), atol=1e-6)
    expected = net.eval()((pixels / 255 - 0.5) / 0.2)
    assert torch.allclose(all_at_once, expected, atol=1e-5)
    assert predict_logits(net, pixels[:0], (0.5,) * 3, (0.2,) * 3).shape == (0, 7)


def test_bf16_is_not_chosen_by_itself_where_it_is_slower(monkeypatch):
    monkeypatch.setattr("training.runtime.has_bf16", lambda device: True)
    chosen = {
        (name, precision): make_learner(tiny(architecture=name, precision=precision)).dtype
        for name in ("small_cnn", "efficientnet_lite0")
        for precision in ("auto", "bf16", "fp32")
    }
    assert chosen == {
        ("small_cnn", "auto"): torch.bfloat16, ("small_cnn", "bf16"): torch.bfloat16, ("small_cnn", "fp32"): None,
        ("efficientnet_lite0", "auto"): None, ("efficientnet_lite0", "bf16"): torch.bfloat16,
        ("efficientnet_lite0", "fp32"): None,
    }  # fmt: skip


def test_dropout_acts_in_training_only():
    learner = make_learner(tiny(dropout=0.5))
    learner.train()
    noisy = [learner.loss(batch(size=16))[1] for _ in range(2)]
    assert not torch.equal(*noisy)
    learner.net.eval()
    still = [learner.loss(batch(size=16))[1] for _ in range(2)]
    assert torch.equal(*still)
