"""EfficientNet-Lite0 against slow, obvious re-implementations; no published weights are needed."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch
from torch.nn import functional

from core.models.classification.efficientnet_lite import (
    FEATURES,
    EfficientNetLite0,
    SamePad2d,
    efficientnet_lite0,
    rename_published,
)

# Table 1 of the EfficientNet paper, one row a block: kernel, stride, expansion, channels in and out.
BLOCKS = [
    (3, 1, 1, 32, 16),
    (3, 2, 6, 16, 24), (3, 1, 6, 24, 24),
    (5, 2, 6, 24, 40), (5, 1, 6, 40, 40),
    (3, 2, 6, 40, 80), (3, 1, 6, 80, 80), (3, 1, 6, 80, 80),
    (5, 1, 6, 80, 112), (5, 1, 6, 112, 112), (5, 1, 6, 112, 112),
    (5, 2, 6, 112, 192), (5, 1, 6, 192, 192), (5, 1, 6, 192, 192), (5, 1, 6, 192, 192),
    (3, 1, 6, 192, 320),
]  # fmt: skip


@pytest.fixture(scope="module")
def net():
    """A network whose every number is random: a fresh batch norm would hide most mistakes."""
    torch.manual_seed(0)
    net = EfficientNetLite0(7).eval()
    for name, tensor in net.state_dict().items():
        if name.endswith(("running_var", "1.weight")):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith(("running_mean", "1.bias")):
            tensor.normal_(0, 0.1)
    return net


def naive_same_convolution(image, kernel, stride):
    """TensorFlow's rule, one output pixel at a time: image (H, W), kernel (k, k)."""
    size, k = image.shape[0], kernel.shape[0]
    out = math.ceil(size / stride)
    before = max((out - 1) * stride + k - size, 0) // 2
    result = np.zeros((out, out))
    for row in range(out):
        for column in range(out):
            for i in range(k):
                for j in range(k):
                    y, x = row * stride + i - before, column * stride + j - before
                    if 0 <= y < size and 0 <= x < size:
                        result[row, column] += image[y, x] * kernel[i, j]
    return result


@pytest.mark.parametrize("size", [7, 8])
@pytest.mark.parametrize("kernel_size", [3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_pads_as_tensorflow_does(size, kernel_size, stride):
    image, kernel = torch.randn(1, 1, size, size), torch.randn(1, 1, kernel_size, kernel_size)
    found = functional.conv2d(SamePad2d(kernel_size, stride)(image), kernel, stride=stride)[0, 0]
    np.testing.assert_allclose(
        found, naive_same_convolution(image[0, 0].numpy(), kernel[0, 0].numpy(), stride), atol=1e-5
    )


def published(net):
    """The same weights under the names of `efficientnet_lite_pytorch`, and in its order of blocks."""
    state = net.state_dict()
    names = {"expand.0": "_expand_conv", "expand.1": "_bn0", "depthwise.0": "_depthwise_conv", "depthwise.1": "_bn1",
             "project.0": "_project_conv", "project.1": "_bn2"}  # fmt: skip
    outer = {"stem.0": "_conv_stem", "stem.1": "_bn0", "head.0": "_conv_head", "head.1": "_bn1", "classifier": "_fc"}
    result = {}
    for name, tensor in state.items():
        part, last = name.rsplit(".", 1)
        if block := re.fullmatch(r"blocks\.(\d+)\.(.+)", part):
            result[f"_blocks.{block[1]}.{names[block[2]]}.{last}"] = tensor
        else:
            result[f"{outer[part]}.{last}"] = tensor
    return result


def slow_forward(weights, pixels):
    """The network written out once more, straight from the paper's table and from the published names."""

    def norm(maps, prefix):
        mean, var, scale, shift = (
            weights[f"{prefix}.{name}"].view(1, -1, 1, 1) for name in ("running_mean", "running_var", "weight", "bias")
        )
        return (maps - mean) / torch.sqrt(var + 1e-3) * scale + shift

    def conv(maps, name, stride=1, groups=1):
        weight = weights[f"{name}.weight"]
        size, k = maps.shape[-1], weight.shape[-1]
        total = max((-(-size // stride) - 1) * stride + k - size, 0)
        first, last = total // 2, total - total // 2
        return functional.conv2d(functional.pad(maps, (first, last, first, last)), weight, stride=stride, groups=groups)

    maps = norm(conv(pixels, "_conv_stem", 2), "_bn0").clamp(0, 6)
    for index, (_, stride, expansion, before, after) in enumerate(BLOCKS):
        prefix, start = f"_blocks.{index}", maps
        if expansion > 1:
            maps = norm(conv(maps, f"{prefix}._expand_conv"), f"{prefix}._bn0").clamp(0, 6)
        wide = conv(maps, f"{prefix}._depthwise_conv", stride, groups=before * expansion)
        maps = norm(conv(norm(wide, f"{prefix}._bn1").clamp(0, 6), f"{prefix}._project_conv"), f"{prefix}._bn2")
        if stride == 1 and before == after:
            maps = maps + start
    maps = norm(conv(maps, "_conv_head"), "_bn1").clamp(0, 6)
    return maps.mean((2, 3)) @ weights["_fc.weight"].T + weights["_fc.bias"]


@pytest.mark.parametrize("side", [32, 45])
def test_forward_equals_the_table_written_out(net, side):
    pixels = torch.randn(2, 3, side, side)
    with torch.inference_mode():
        torch.testing.assert_close(net(pixels), slow_forward(published(net), pixels), atol=1e-4, rtol=1e-4)


def test_the_kernels_are_those_of_the_table(net):
    kernels = [block.depthwise[0].kernel_size[0] for block in net.blocks]
    assert kernels == [row[0] for row in BLOCKS]


def test_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in efficientnet_lite0(1000).parameters()) == 4_652_008


def test_published_names_are_all_understood(net):
    renamed = rename_published(published(net))
    assert renamed.keys() == net.state_dict().keys()
    other = EfficientNetLite0(7)
    other.load_state_dict(renamed)
    for name, tensor in net.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor), name


def test_own_names_pass_through(net):
    assert rename_published(net.state_dict()).keys() == net.state_dict().keys()


def test_head_reads_the_features_and_blocks_are_dropped_only_in_training(net):
    assert net.classifier.in_features == FEATURES
    pixels = torch.randn(1, 3, 32, 32)
    with torch.inference_mode():
        assert torch.equal(net(pixels), net(pixels))
    drops = [block.drop.p for block in net.blocks if block.drop is not None]
    assert drops == sorted(drops)
    assert 0 < drops[-1] < 0.2


def test_fresh_weights_neither_explode_nor_vanish():
    torch.manual_seed(0)
    net = EfficientNetLite0(7).train()
    maps = net.head(net.blocks(net.stem(net.pad(torch.randn(8, 3, 64, 64)))))
    assert 0.1 < maps.detach().std() < 3


def test_statistics_follow_within_few_steps_what_is_normalised():
    torch.manual_seed(0)
    net = EfficientNetLite0(7)
    norm = net.stem[1]
    before = norm.running_mean.clone()
    pixels = torch.rand(4, 3, 32, 32)
    for _ in range(30):  # the weights stay, so the statistics should arrive
        net.train()(pixels)
    now = net.stem[0](net.pad(pixels)).mean((0, 2, 3))
    assert (norm.running_mean - now).norm() < 0.1 * (before - now).norm()
