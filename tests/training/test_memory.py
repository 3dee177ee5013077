"""Memory of a training, against sums that can be made by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.memory import BYTES_PER_PARAMETER, estimate


def layers() -> nn.Module:
    return nn.Sequential(nn.Linear(10, 20), nn.ReLU(), nn.Sequential(nn.Linear(20, 3, bias=False)))


@pytest.mark.parametrize("value_bytes", [2, 4])
def test_every_layer_puts_out_once_and_every_weight_counts_five_times(value_bytes: int) -> None:
    found = estimate(layers, lambda net: net(torch.empty(7, 10)), value_bytes)
    assert found.parameters == 10 * 20 + 20 + 20 * 3
    assert found.state_bytes == BYTES_PER_PARAMETER * found.parameters
    assert found.activation_bytes == value_bytes * 7 * (20 + 20 + 3)
    assert found.total_bytes == found.state_bytes + found.activation_bytes


def test_a_layer_that_is_used_twice_keeps_two_outputs() -> None:
    found = estimate(lambda: nn.Linear(8, 8), lambda net: net(net(torch.empty(3, 8))))
    assert found.activation_bytes == 4 * 2 * 3 * 8


def test_nothing_is_allocated() -> None:
    """A network of 40 TB."""
    found = estimate(lambda: nn.Linear(10**6, 10**7), lambda net: net(torch.empty(1, 10**6)))
    assert found.parameters == 10**13 + 10**7
