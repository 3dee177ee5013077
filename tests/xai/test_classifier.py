"""Classifier files of every form: what loads, what is refused, and what the gate thinks of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy, interpolate
from torchvision.models import resnet18

from core.errors import (
    ModelArchitectureError,
    ModelMissingError,
    ModelNotFiniteError,
    ModelRefusedError,
    ModelTruncatedError,
    ModelUnsafeError,
)
from core.models.classification.loading import to_tensor
from core.taxonomy import CLASS_CODES
from tests.support.tiny_classifier import draw_lesion, random_resnet, write_random_resnet, write_tiny_classifier
from xai.classifier import load_classifier

IMAGE = to_tensor(draw_lesion("MEL", side=40))


class Hostile:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return open, (str(self.witness), "w")


def predecessor_logits(net, image):
    """The predecessor's preprocessing, step by step as it was written there."""
    x = interpolate(image * 2 - 1, size=(224, 224), mode="bilinear", align_corners=False, antialias=True)
    x = ((x + 1) / 2).clamp(0, 1)
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.no_grad():
        return net((x - mean) / std)


@pytest.mark.parametrize(
    ("prefix", "wrapped"),
    [("", False), ("model.", False), ("module.", False), ("model.", True), ("module.model.", True)],
)
def test_every_form_of_the_predecessor_gives_its_logits(tmp_path, prefix, wrapped):
    path = write_random_resnet(tmp_path / "classifier.pth", prefix=prefix, wrapped=wrapped)
    found = load_classifier(path).logits(IMAGE)
    assert torch.allclose(found, predecessor_logits(random_resnet(8), IMAGE), atol=1e-4)


@pytest.mark.parametrize(
    ("outputs", "classes"),
    [
        (7, CLASS_CODES),
        (8, (*CLASS_CODES, "unnamed")),
        (3, ("output 0", "output 1", "output 2")),
        (1000, tuple(f"output {i}" for i in range(1000))),
    ],
)
def test_class_names_by_head_size_and_random_heads_are_red(tmp_path, outputs, classes):
    found = load_classifier(write_random_resnet(tmp_path / "classifier.pth", classes=outputs))
    assert found.classes == classes
    assert found.provenance.level == "red"
    assert len(found.sha256) == 64
    assert found.validation is None


def legacy_file(path, change):
    state = {f"model.{name}": tensor.clone() for name, tensor in random_resnet(8).state_dict().items()}
    change(state)
    torch.save(state, path)
    return path


def train_head(state):
    """Fit the head of a random ResNet-18 to four colours for some steps, as a stand-in for real training."""
    net = resnet18(num_classes=8)
    net.load_state_dict({name.removeprefix("model."): tensor for name, tensor in state.items()})
    net.eval()
    codes = CLASS_CODES[:4]
    pictures = torch.cat([to_tensor(draw_lesion(code, seed)) for code in codes for seed in range(3)])
    head, net.fc = net.fc, torch.nn.Identity()
    with torch.no_grad():
        features = net(interpolate(pictures, size=(224, 224)) * 4 - 2)
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-2)
    for _ in range(30):
        optimizer.zero_grad()
        cross_entropy(head(features), torch.arange(4).repeat_interleave(3)).backward()
        optimizer.step()
    state["model.fc.weight"], state["model.fc.bias"] = head.weight.detach(), head.bias.detach()


def test_a_trained_legacy_head_is_amber_for_lack_of_a_record_and_nothing_else(tmp_path):
    classifier = load_classifier(legacy_file(tmp_path / "classifier.pth", train_head))
    verdict = classifier.provenance
    assert classifier.temperature == 1
    assert verdict.level == "amber"
    assert len(verdict.reasons) == 2
    assert "the order MEL, NV, BCC" in verdict.reasons[0]
    assert "no validation record" in verdict.reasons[1]


@pytest.mark.parametrize(
    ("absent", "words"), [(["fc.bias"], "fc.bias"), (["fc.weight", "fc.bias"], "fc.weight and fc.bias")]
)
def test_a_partly_loaded_head_is_red_with_the_reason(tmp_path, absent, words):
    def cut(state):
        train_head(state)
        for name in absent:
            del state[f"model.{name}"]

    verdict = load_classifier(legacy_file(tmp_path / "classifier.pth", cut)).provenance
    assert verdict.level == "red"
    assert f"lacks a fitting {words}" in verdict.reasons[0]


def test_a_bias_of_another_size_is_no_head(tmp_path):
    path = legacy_file(tmp_path / "c.pth", lambda state: state.update({"model.fc.bias": torch.ones(5)}))
    assert "lacks a fitting fc.bias" in load_classifier(path).provenance.reasons[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("model.layer3.1.conv2.weight"), "layer3.1.conv2.weight"),
        (lambda s: s.update({"model.conv1.weight": torch.ones(64, 3, 3, 3)}), "conv1.weight"),
        (lambda s: s.update({"model.layer1.2.conv1.weight": torch.ones(64, 64, 3, 3)}), "layer1.2.conv1.weight"),
        (lambda s: s.update({"model.fc.weight": torch.ones(8)}), "head of shape"),
        (lambda s: s.update({"fc.weight": torch.ones(8, 512)}), "twice"),
    ],
)
def test_another_architecture_is_refused(tmp_path, change, words):
    with pytest.raises(ModelArchitectureError, match=words):
        load_classifier(legacy_file(tmp_path / "classifier.pth", change))


def test_old_files_without_batch_counters_load(tmp_path):
    def cut(state):
        for name in [n for n in state if n.endswith("num_batches_tracked")]:
            del state[name]

    found = load_classifier(legacy_file(tmp_path / "classifier.pth", cut)).logits(IMAGE)
    assert torch.allclose(found, predecessor_logits(random_resnet(8), IMAGE), atol=1e-4)


def test_a_hostile_file_does_not_run(tmp_path):
    witness = tmp_path / "witness"
    path = legacy_file(tmp_path / "classifier.pth", lambda state: state.update({"x": Hostile(witness)}))
    with pytest.raises(ModelUnsafeError):
        load_classifier(path)
    assert not witness.exists()


def test_damaged_and_diverged_files(tmp_path):
    path = legacy_file(tmp_path / "classifier.pth", lambda state: state["model.bn1.weight"].fill_(float("nan")))
    with pytest.raises(ModelNotFiniteError, match=r"bn1\.weight"):
        load_classifier(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelTruncatedError):
        load_classifier(path)


def test_missing_places(tmp_path):
    for place in (tmp_path / "none.pth", tmp_path):
        with pytest.raises(ModelMissingError) as caught:
            load_classifier(place)
        assert str(place) in str(caught.value)
        assert "starter classifier" in caught.value.remedy


def test_a_classifier_folder_and_its_weights_file_are_the_same(tmp_path):
    folder = write_tiny_classifier(tmp_path / "c", temperature=2.0, strength_p5=0.5)
    one, two = load_classifier(folder), load_classifier(folder / "model.safetensors")
    assert one.provenance.level == two.provenance.level == "green"
    assert one.classes == two.classes == CLASS_CODES
    assert torch.equal(one.logits(IMAGE), two.logits(IMAGE))
    assert (one.temperature, one.validation.strength_p5, one.preprocessing.image_size) == (2.0, 0.5, 32)


def test_a_folder_with_a_legacy_file(tmp_path):
    write_random_resnet(tmp_path / "classifier.pth")
    assert load_classifier(tmp_path).path == tmp_path / "classifier.pth"


def test_half_precision_weights_are_used_in_single_precision(tmp_path):
    folder = write_tiny_classifier(tmp_path / "c")
    state = load_file(folder / "model.safetensors")
    full = load_classifier(folder).logits(IMAGE)
    save_file({name: tensor.half() for name, tensor in state.items()}, folder / "model.safetensors")
    half = load_classifier(folder)
    assert half.net.fc.weight.dtype == torch.float32
    assert torch.allclose(half.logits(IMAGE), full, rtol=0.02, atol=0.1)


def test_classes_go_by_name_not_by_place(tmp_path):
    alphabetical = sorted(CLASS_CODES)
    assert load_classifier(write_tiny_classifier(tmp_path / "c", classes=alphabetical)).classes == tuple(alphabetical)


@pytest.mark.parametrize(
    ("record", "level", "words"),
    [
        ({"trained_head": False}, "red", "classifier.json says so"),
        ({"val_balanced_accuracy": None}, "amber", "no validation record"),
        ({"split_hash": ""}, "amber", "no validation record"),
        ({"val_balanced_accuracy": 0.15}, "red", "not better than chance"),
        ({"val_balanced_accuracy": 0.4}, "amber", "weak"),
    ],
)
def test_what_the_record_says_decides(tmp_path, record, level, words):
    verdict = load_classifier(write_tiny_classifier(tmp_path / "c", **record)).provenance
    assert verdict.level == level
    assert words in verdict.reasons[0]


def test_a_record_that_lies_about_training_does_not_help(tmp_path):
    folder = write_tiny_classifier(tmp_path / "c", trained=False, trained_head=True)
    assert load_classifier(folder).provenance.level == "red"


@pytest.mark.parametrize(
    "record",
    [
        {"format": 2},
        {"architecture": "vgg"},
        {"classes": ["MEL", "NEVUS"]},
        {"classes": ["MEL"] * 7},
        {"classes": list(CLASS_CODES[:5])},
        {"image_size": 0},
        {"image_size": "large"},
        {"mean": [0.1, 0.2]},
        {"std": [0.2, 0.0, 0.2]},
        {"temperature": -1},
        {"temperature": float("nan")},
        {"val_balanced_accuracy": 7},
        {"architecture": "resnet18"},
    ],
)
def test_impossible_records_are_refused(tmp_path, record):
    with pytest.raises(ModelArchitectureError):
        load_classifier(write_tiny_classifier(tmp_path / "c", **record))


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"format": 1}', "\udcff"])
def test_broken_records_are_refused(tmp_path, text):
    folder = write_tiny_classifier(tmp_path / "c")
    (folder / "classifier.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelRefusedError):
        load_classifier(folder)


def test_a_record_without_weights(tmp_path):
    (tmp_path / "classifier.json").write_text(json.dumps({"format": 1}))
    with pytest.raises(ModelRefusedError):
        load_classifier(tmp_path)


def test_evaluation_mode_frozen_and_the_random_state_untouched(tmp_path):
    folder = write_tiny_classifier(tmp_path / "c")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    found = load_classifier(folder)
    assert torch.equal(torch.rand(3), expected)
    assert not found.net.training
    assert not any(p.requires_grad for p in found.net.parameters())


def test_the_support_classifier_knows_its_drawings(tmp_path):
    found = load_classifier(write_tiny_classifier(tmp_path / "c"))
    right = [
        found.classes[int(found.logits(to_tensor(draw_lesion(code, 10_000 + i)))[0].argmax())] == code
        for code in CLASS_CODES
        for i in range(5)
    ]
    assert np.mean(right) > 0.9
