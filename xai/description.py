"""What a method did, in plain sentences: what its map can and cannot say, in the numbers of this one map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from core.message import Message
from xai.attribution import Attribution


def describe(method: str, found: Attribution) -> list[Message]:
    """Return what a reader of the map needs to know about how it came about; nothing for Integrated Gradients."""
    words = _WORDS.get(method)
    return [] if words is None else [words(found)]


def _shapley(found: Attribution) -> Message:
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


def _combined(found: Attribution) -> Message:
    agreement = found.parameters["rank_agreement"]
    if agreement is None:
        return Message("Agreement map (no completeness).")
    return Message(
        "Agreement map (no completeness); rank correlation of the two methods over the superpixels: {agreement:.2f}.",
        agreement=agreement,
    )


def _grad_cam(found: Attribution) -> Message:
    height, width = found.cell or (0.0, 0.0)
    return Message(
        "The map knows cells of {width:.0f} x {height:.0f} pixels, smoothly enlarged, and nothing finer. Its values do "
        "not add up to the logit, so there is no convergence to check.",
        width=width, height=height,
    )  # fmt: skip


def _layer_cam(found: Attribution) -> Message:
    height, width = found.cell or (0.0, 0.0)
    return Message(
        "The map knows cells of {width:.0f} x {height:.0f} pixels, smoothly enlarged, and only what speaks for the "
        "class; a regular grid of spots is the trace of the network's strides. Its values do not add up to the logit, "
        "so there is no convergence to check.",
        width=width, height=height,
    )  # fmt: skip


def _occlusion(found: Attribution) -> Message:
    (height, width), (down, right) = found.parameters["window"], found.parameters["stride"]
    return Message(
        "What the logit loses where a window of {width} x {height} pixels, moved by {right} x {down}, shows the "
        "baseline; shared evenly by its pixels. The values do not add up to the logit.",
        width=width, height=height, right=right, down=down,
    )  # fmt: skip


def _smoothgrad(found: Attribution) -> Message:
    return Message(
        "The mean gradient of {samples} noisy copies (standard deviation {noise:.2f}): where a small change would "
        "matter, not what has mattered. The values do not add up to the logit.",
        samples=found.parameters["samples"], noise=found.parameters["noise"],
    )  # fmt: skip


_WORDS: Final[dict[str, Callable[[Attribution], Message]]] = {
    "shapley": _shapley,
    "combined": _combined,
    "gradcam": _grad_cam,
    "layercam": _layer_cam,
    "occlusion": _occlusion,
    "smoothgrad": _smoothgrad,
}
