"""Parts of every architecture: blocks that hold each weight once, a linear head, a feature map, gradients."""

from __future__ import annotations

import pytest
import torch
from captum.attr import IntegratedGradients
from torch import nn

from core.models.classification.architectures import ARCHITECTURES

SIDE = 64


@pytest.fixture(params=ARCHITECTURES)
def architecture(request):
    return ARCHITECTURES[request.param]


def built(architecture) -> nn.Module:
    torch.manual_seed(0)
    return architecture.build(7).eval()


def test_parts_are_where_the_architecture_says(architecture):
    with torch.device("meta"):  # names and shapes only: the large ones take seconds to initialise
        net = architecture.build(7).eval()
    owners = [
        next((block for block in architecture.blocks if name.startswith(f"{block}.")), architecture.head.split(".")[0])
        for name, _ in net.named_parameters()
    ]
    order = [*architecture.blocks, architecture.head.split(".")[0]]
    positions = [order.index(owner) for owner in owners]
    assert positions == sorted(positions), "blocks do not follow the data from the input to the output"
    assert set(order) == set(owners), "a block holds no weight, or a weight lies before the head in no block"
    assert architecture.head_of(net).out_features == 7

    shapes: dict[str, torch.Size] = {}
    for name, module in net.named_modules():
        module.register_forward_hook(lambda module, inputs, output, name=name: shapes.update({name: output.shape}))
    assert net(torch.rand(2, 3, SIDE, SIDE, device="meta")).shape == (2, 7)
    last, finer = shapes[architecture.features], shapes[architecture.finer]
    assert len(last) == len(finer) == 4
    assert last[0] == finer[0] == 2
    assert finer[2] >= 2 * last[2]
    assert finer[3] >= 2 * last[3]


@pytest.mark.parametrize("name", ["densenet121", "resnet18", "simple_cnn"])
def test_integrated_gradients_add_up_to_the_difference(name):
    net = built(ARCHITECTURES[name]).double()
    image = torch.rand(1, 3, 32, 32, dtype=torch.double)
    attribution = IntegratedGradients(net).attribute(image, torch.zeros_like(image), target=1, n_steps=48)
    with torch.inference_mode():
        difference = (net(image) - net(torch.zeros_like(image)))[0, 1]
    assert attribution.sum().item() == pytest.approx(difference.item(), abs=0.05 * difference.abs().item() + 1e-3)


def test_simple_cnn_is_the_predecessors():
    weights = sum(p.numel() for p in built(ARCHITECTURES["simple_cnn"]).parameters())
    convolutions = 3 * 32 * 9 + 32 + 32 * 64 * 9 + 64 + 64 * 128 * 9 + 128
    assert weights == convolutions + 2 * (32 + 64 + 128) + 128 * 128 + 128 + 128 * 7 + 7
