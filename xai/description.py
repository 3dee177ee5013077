"""What a method did, in plain sentences: what its map can and cannot say, in the numbers of this one map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.message import Message

if TYPE_CHECKING:  # annotations only: it imports torch
    from xai.attribution import Attribution


def describe_shapley(found: Attribution) -> Message:
    """Return how the values came about, and how sure they are."""
    players, orders = found.parameters["players"], found.parameters.get("permutations")
    if not orders:
        return Message(
            "Exact Shapley values of {players} superpixels; each value is spread evenly over its superpixel.",
            players=players,
        )
    return Message(
        "Shapley values of {players} superpixels, estimated from {orders} permutations in antithetic pairs; the "
        "largest standard error is {share:.1%} of the largest value.",
        players=players, orders=orders, share=found.parameters["relative_standard_error"],
    )  # fmt: skip


def describe_combined(found: Attribution) -> Message:
    """Return how far the two methods agree."""
    agreement = found.parameters["rank_agreement"]
    if agreement is None:
        return Message("Agreement map (no completeness).")
    return Message(
        "Agreement map (no completeness); rank correlation of the two methods over the superpixels: {agreement:.2f}.",
        agreement=agreement,
    )


def describe_grad_cam(found: Attribution) -> Message:
    """Return how coarse the map is."""
    height, width = found.cell or (0.0, 0.0)
    return Message(

            "The map has cells of {width:.0f} x {height:.0f} pixels, smoothly enlarged, and nothing "
            "finer. Completeness is not defined for this method.",
        width=width, height=height,
    )  # fmt: skip


def describe_layer_cam(found: Attribution) -> Message:
    """Return how coarse the map is, and what it leaves out."""
    height, width = found.cell or (0.0, 0.0)
    return Message(

            "The map has cells of {width:.0f} x {height:.0f} pixels, smoothly enlarged, and shows "
            "positive contributions only; a regular grid of spots is the trace of the network's "
            "strides. Completeness is not defined for this method.",
        width=width, height=height,
    )  # fmt: skip


def describe_occlusion(found: Attribution) -> Message:
    """Return what was covered, and how."""
    (height, width), (down, right) = found.parameters["window"], found.parameters["stride"]
    return Message(

            "The decrease of the logit where a window of {width} x {height} pixels, moved by {right} x "
            "{down}, shows the baseline; shared evenly by its pixels. Completeness is not defined for "
            "this method.",
        width=width, height=height, right=right, down=down,
    )  # fmt: skip


def describe_smoothgrad(found: Attribution) -> Message:
    """Return what the map is the mean of."""
    return Message(

            "The mean gradient of {samples} noisy copies (standard deviation {noise:.2f}): where a "
            "small change would matter, not what has mattered. Completeness is not defined for this "
            "method.",
        samples=found.parameters["samples"], noise=found.parameters["noise"],
    )  # fmt: skip
