"""Prefixes of wrappers, in any order, are none of the network's own names."""

from __future__ import annotations

from itertools import permutations

import pytest

from core.models.safe_weights import TwiceError, without_wrappers

WRAPPERS = ("module", "_orig_mod", "ema_model", "unet")


@pytest.mark.parametrize(
    "prefix", [".".join(order) for count in range(1, 5) for order in permutations(WRAPPERS, count)]
)
def test_wrappers_in_any_order(prefix):
    assert without_wrappers({f"{prefix}.conv_in.weight": 1, f"{prefix}.mid_block.attentions.0.to_q.bias": 2}) == {
        "conv_in.weight": 1, "mid_block.attentions.0.to_q.bias": 2,
    }  # fmt: skip


def test_names_inside_are_left_alone():
    names = {"down_blocks.0.module.weight": 1, "features.model.0": 2, "layer1.0.conv1.weight": 3}
    assert without_wrappers(names) == names


def test_a_tensor_twice_is_not_guessed():
    with pytest.raises(TwiceError):
        without_wrappers({"conv.weight": 1, "module.conv.weight": 2})


def test_of_a_network_and_its_average_the_average_is_meant():
    both = {"online_model.conv.weight": 1, "ema_model.conv.weight": 2, "initted": 3, "step": 4}
    assert without_wrappers(both) == {"conv.weight": 2}
