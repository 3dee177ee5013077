"""What a scenario trains, what it leaves alone to the last statistic, and how fast each part learns."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from classifier.learner import parameter_groups, trained_blocks
from core.models.classification.architectures import ARCHITECTURES
from tests.classifier.training_builders import batch, make_learner, tiny

RESNET_BLOCKS = ("conv1", "bn1", *(f"layer{i}.{j}" for i in (1, 2, 3, 4) for j in (0, 1)))


def resnet(**changes):
    return tiny(architecture="resnet18", pretrained="weights.pt", **changes)


@pytest.mark.parametrize(
    ("scenario", "percent", "blocks"),
    [
        ("head_only", 20, ()),
        ("partial_unfreeze", 20, ("layer4.0", "layer4.1")),
        ("partial_unfreeze", 21, ("layer3.1", "layer4.0", "layer4.1")),
        ("partial_unfreeze", 0.1, ("layer4.1",)),
        ("partial_unfreeze", 100, RESNET_BLOCKS),
        ("full_training", 20, RESNET_BLOCKS),
    ],
)
def test_a_scenario_trains_the_last_blocks_and_nothing_else(scenario, percent, blocks):
    config = resnet(scenario=scenario, unfreeze_percent=percent)
    assert trained_blocks(ARCHITECTURES["resnet18"], config) == blocks
    learner = make_learner(config)
    wanted = sum(
        parameter.numel()
        for name, parameter in learner.net.named_parameters()
        if name.startswith(("fc.", *(f"{block}." for block in blocks)))
    )
    trained = sum(p.numel() for p in learner.net.parameters() if p.requires_grad)
    assert trained == wanted
    assert sum(p.numel() for group in learner.optimizer.param_groups for p in group["params"]) == wanted


def test_frozen_blocks_keep_weights_and_batch_norm_statistics():
    learner = make_learner(resnet(scenario="partial_unfreeze", unfreeze_percent=20, weight_decay=0.1, ema_decay=0.5))
    before = {name: tensor.clone() for name, tensor in learner.net.state_dict().items()}
    for _ in range(2):
        learner.net.eval()  # as a measurement in between leaves it
        learner.train()
        learner.step(learner.loss(batch())[0])
    changed = {name for name, tensor in learner.net.state_dict().items() if not torch.equal(tensor, before[name])}
    assert changed
    assert all(name.startswith(("layer4.", "fc.")) for name in changed)
    assert "layer4.0.bn1.running_mean" in changed
    modes = {
        m.training for n, m in learner.net.named_modules() if n.startswith("layer3") and isinstance(m, nn.BatchNorm2d)
    }
    assert modes == {False}
    kept = learner.best_net.state_dict()
    assert torch.equal(kept["layer3.1.bn2.running_var"], before["layer3.1.bn2.running_var"])


def test_stages_nearer_to_the_input_learn_more_slowly():
    config = resnet(learning_rate=1e-3, rate_decay=0.5, weight_decay=0.1)
    net = ARCHITECTURES["resnet18"].build(7)
    groups = parameter_groups(net, ARCHITECTURES["resnet18"], config)
    rate_of = {id(p): group["lr"] for group in groups for p in group["params"]}
    names = {name: rate_of[id(parameter)] for name, parameter in net.named_parameters()}
    assert len(names) == sum(len(group["params"]) for group in groups)
    for name, depth in {"layer4.1.conv1": 0, "layer4.0.bn1": 0, "layer3.0.conv1": 1, "layer1.0.conv1": 3}.items():
        assert names[f"{name}.weight"] == pytest.approx(1e-3 * 0.5**depth)
    assert names["conv1.weight"] == names["bn1.bias"] == pytest.approx(1e-3 * 0.5**4)
    assert names["fc.weight"] == pytest.approx(1e-2)
    decays = {id(p): group["weight_decay"] for group in groups for p in group["params"]}
    assert all(decays[id(p)] == (0.1 if p.ndim > 1 else 0) for p in net.parameters())


def test_the_head_includes_hidden_layers_before_it():
    architecture = ARCHITECTURES["densenet121_ham"]
    net = architecture.build(7)
    config = tiny(architecture="densenet121_ham", pretrained="weights.pt", learning_rate=1e-4)
    rate_of = {id(p): group["lr"] for group in parameter_groups(net, architecture, config) for p in group["params"]}
    for name, parameter in net.named_parameters():
        assert math.isclose(rate_of[id(parameter)], 1e-3 if name.startswith("classifier.") else 1e-4)
