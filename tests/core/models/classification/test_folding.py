"""Folded batch norms: the same answers from fewer layers, and the network itself is left alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.folding import folded


def network(name: str) -> nn.Module:
    """Return a network whose batch norms do something."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = ARCHITECTURES[name].build(7).eval()
        for part in net.modules():
            if isinstance(part, nn.BatchNorm2d):
                for values, (low, high) in zip(
                    (part.weight.data, part.bias.data, part.running_mean, part.running_var),
                    ((0.5, 1.5), (-0.2, 0.2), (-0.2, 0.2), (0.5, 1.5)),
                    strict=True,
                ):
                    values.uniform_(low, high)
    return net.requires_grad_(False)


def norms_of(net: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in net.modules())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_answers_are_the_same(name: str):
    net = network(name)
    pixels = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected, found = net(pixels), folded(net)(pixels)
    assert float((found - expected).abs().max()) <= 1e-5 * float(expected.abs().max())


def test_the_judge_of_the_starter_has_no_batch_norm_left_and_the_network_keeps_its_own():
    net = network("efficientnet_lite0")
    before, state = norms_of(net), {name: value.clone() for name, value in net.state_dict().items()}
    assert norms_of(folded(net)) == 0
    assert norms_of(net) == before == 49
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())


def test_a_sequence_with_a_way_of_its_own_is_left_alone():
    class Reversed(nn.Sequential):
        def forward(self, pixels):
            for part in reversed(list(self)):
                pixels = part(pixels)
            return pixels

    net = Reversed(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)).eval()
    assert norms_of(folded(net)) == 1
