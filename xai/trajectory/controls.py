"""What the causal shift index is compared with: three negative controls, and two comparison maps.

The true value of a negative control is 0 for every network and image (ADR 13): a random map marks no place more than
another; two heads with permuted weights are exchangeable; so are a class and another in random order. If one differs
from 0, measurement or statistics are biased. A comparison map is what another map, or another class, gives in place of
this map for this class: every map of a lesion image finds the lesion, and every logit responds to it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import nn

from core.jobs.stream import JobContext
from core.models.classification.loading import to_tensor
from xai.attribution import integrated_gradients
from xai.baselines import make_baselines
from xai.classifier import Classifier
from xai.trajectory.shift import SMOOTHING, Shift, ShiftDifference, importance, measure_shifts, top_and_bottom
from xai.trajectory.target import Target

NULLS: Final = {
    "random_attribution": "regions of a smooth random map, effect on the class itself",
    "random_head": "regions of the map of a head with permuted weights, minus the same for another permutation; "
    "effect on the class itself",
    "permuted_labels": "regions of the class's own map; effect on the class itself and on another one, the two labels "
    "put in random order, one minus the other",
}
"""Negative controls: their true value is 0."""

RIVALS: Final = {
    "shuffled_head_map": "regions of the map of a head with permuted weights, effect on the class itself",
    "other_class_effect": "regions of the class's own map, effect on another class chosen at random",
}
"""Comparison maps: how much of the index is not specific to this map and this class."""

CONTROLS: Final = {**NULLS, **RIVALS}

_STEPS: Final = 32
"""Most steps of Integrated Gradients for the map of a permuted head: its regions are needed, not its sum."""

Picture = NDArray[np.uint8]
Shifts = Mapping[str, Shift]


@dataclass(frozen=True, slots=True)
class Controls:
    """What the index of one image is compared with; each maps a row to one shift per intervention.

    Attributes
    ----------
    nulls
        For each of `NULLS`.
    rivals
        For each of `RIVALS`.
    """

    nulls: Mapping[str, Mapping[str, Shift | ShiftDifference]]
    rivals: Mapping[str, Shifts]

    def rows(self) -> dict[str, Mapping[str, Shift | ShiftDifference]]:
        """Return the shifts by row, in the order of `CONTROLS`."""
        return {**self.nulls, **self.rivals}


def measure_controls(
    picture: Picture,
    attribution: NDArray[np.floating],
    classifier: Classifier,
    target: Target,
    own: Shifts,
    *,
    seed: int,
    baseline: str = "skin",
    context: JobContext | None = None,
) -> Controls:
    """Measure the shifts of a picture under each control.

    Parameters
    ----------
    attribution
        The map of the class itself, (H, W, 3) or (H, W).
    own
        The shifts of this map for this class.
    seed
        Of the random map, the shuffled heads, the other class and the order of the labels.
    baseline
        Of the maps of the shuffled heads, which are Integrated Gradients: that of the class's own map.
    """
    rng = np.random.default_rng([seed, 77])
    noise = random_map(picture.shape[:2], rng)
    another = replace(target, index=other_class(classifier, target.index, rng))
    swapped = bool(rng.integers(2))
    heads = np.random.SeedSequence([seed, 78]).generate_state(2)

    def shifts_of(values: NDArray[np.floating], judged: Target) -> Shifts:
        return measure_shifts(judged, picture, *top_and_bottom(values), seed=seed, context=context)

    def of_head(number: int) -> Shifts:
        net = with_shuffled_head(classifier.net, int(heads[number]))
        values = _map_of(net, picture, classifier, target.index, baseline, context)
        return shifts_of(importance(values), target)

    shuffled, other = of_head(0), shifts_of(importance(attribution), another)
    return Controls(
        nulls={
            "random_attribution": shifts_of(noise, target),
            "random_head": _differences(shuffled, of_head(1)),
            "permuted_labels": _differences(other, own) if swapped else _differences(own, other),
        },
        rivals={"shuffled_head_map": shuffled, "other_class_effect": other},
    )


def random_map(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return normal noise, as smooth as `regions.importance` makes a map and smooth across the edges too, (H, W).

    So its largest values are as likely to be anywhere, the edge included, as the places of `regions.random_rivals` are,
    and they have the shapes of its smallest: no region of it is worth more than another.
    """
    noise: NDArray[np.float64] = gaussian_filter(rng.normal(size=shape), SMOOTHING * max(shape), mode="wrap")
    return noise


def _differences(first: Shifts, second: Shifts) -> dict[str, ShiftDifference]:
    return {name: ShiftDifference(shift, second[name]) for name, shift in first.items()}


def other_class(classifier: Classifier, index: int, rng: np.random.Generator) -> int:
    """Return the index of another logit, drawn at random; its own where there is no other."""
    others = [i for i in range(len(classifier.classes)) if i != index]
    return int(rng.choice(others)) if others else index


def _map_of(
    net: nn.Module, picture: Picture, classifier: Classifier, index: int, baseline: str, context: JobContext | None
) -> NDArray[np.float32]:
    """Return the Integrated Gradients map of a network in the classifier's place, (H, W, 3)."""
    image = to_tensor(picture).to(classifier.device)
    baselines = [to_tensor(made).to(classifier.device) for made in make_baselines(baseline, picture)]
    found = integrated_gradients(
        lambda pixels: net(classifier.preprocessing(pixels))[:, index],
        image,
        baselines,
        last_steps=_STEPS,
        context=context,
    )
    return found.values


def with_shuffled_head(net: nn.Module, seed: int) -> nn.Module:
    """Return a copy whose last linear layer's weights have changed places: of the same sizes, but meaningless."""
    net = copy.deepcopy(net)
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    order = torch.randperm(head.weight.numel(), generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        head.weight.copy_(head.weight.flatten()[order.to(head.weight.device)].view_as(head.weight))
    return net
