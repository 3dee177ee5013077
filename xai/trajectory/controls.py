"""Three controls of the index: the pairing of map and class is broken, everything else stays.

A random map must make the index collapse. The other two say what of it is owed to this map for this class (ADR 13).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from core.classification.preprocessing import to_tensor
from xai.attribution import integrated_gradients, never
from xai.baselines import make_baselines
from xai.classifier import Classifier
from xai.trajectory.regions import importance, top_and_bottom
from xai.trajectory.shift import Shift, measure_shifts
from xai.trajectory.target import Target

CONTROLS: Final = {
    "random_attribution": "regions of a random map, effect on the class itself",
    "random_head": "regions of a map of the same network with a shuffled head, effect on the class itself",
    "permuted_labels": "regions of the class's own map, effect on another class drawn at random",
}

_STEPS: Final = 32

Picture = NDArray[np.uint8]


def measure_controls(
    picture: Picture,
    attribution: NDArray[np.floating],
    classifier: Classifier,
    target: Target,
    *,
    seed: int,
    should_stop: Callable[[], bool] = never,
) -> dict[str, dict[str, Shift]]:
    """Measure the shifts of a picture under each control.

    Parameters
    ----------
    attribution
        The map of the class itself, (H, W, 3) or (H, W).
    seed
        Of the random map, the shuffled head and the other class.

    Returns
    -------
    For each of `CONTROLS` one `Shift` for each intervention.
    """
    rng = np.random.default_rng([seed, 77])
    rows: dict[str, tuple[NDArray[np.floating], Target]] = {
        "random_attribution": (rng.normal(size=attribution.shape), target),
        "random_head": (shuffled_head_map(picture, classifier, target.index, seed, should_stop), target),
        "permuted_labels": (attribution, replace(target, index=other_class(classifier, target.index, rng))),
    }
    found = {}
    for name, (values, judged) in rows.items():
        regions = top_and_bottom(importance(values))
        found[name] = measure_shifts(judged, picture, *regions, seed=seed, should_stop=should_stop)
    return found


def other_class(classifier: Classifier, index: int, rng: np.random.Generator) -> int:
    """Return the index of another logit, drawn at random; its own where there is no other."""
    others = [i for i in range(len(classifier.classes)) if i != index]
    return int(rng.choice(others)) if others else index


def shuffled_head_map(
    picture: Picture, classifier: Classifier, index: int, seed: int, should_stop: Callable[[], bool] = never
) -> NDArray[np.float32]:
    """Return the Integrated Gradients map of a network whose last layer's weights have changed places, (H, W, 3)."""
    net = copy.deepcopy(classifier.net)
    shuffle_head(net, seed)
    image = to_tensor(picture).to(classifier.device)
    baselines = [to_tensor(made).to(classifier.device) for made in make_baselines("skin", picture)]
    found = integrated_gradients(
        lambda pixels: net(classifier.preprocessing(pixels))[:, index],
        image,
        baselines,
        last_steps=_STEPS,
        should_stop=should_stop,
    )
    return found.values


def shuffle_head(net: nn.Module, seed: int) -> None:
    """Shuffle the weights of a network's last linear layer in place: of the same sizes as before, but meaningless."""
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    order = torch.randperm(head.weight.numel(), generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        head.weight.copy_(head.weight.flatten()[order.to(head.weight.device)].view_as(head.weight))
