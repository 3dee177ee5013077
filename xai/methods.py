"""Every attribution method by its key in `METHODS`, asked of one classifier, one picture and one class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.classification.preprocessing import to_tensor
from xai.attribution import FIRST_STEPS, Attribution, guarded, integrated_gradients
from xai.baselines import make_baselines
from xai.classifier import Classifier
from xai.combined import agreement_map
from xai.explanation import ExplainOptions
from xai.gradcam import grad_cam, layer_cam
from xai.occlusion import occlusion
from xai.shapley import shapley_values
from xai.smoothgrad import smoothgrad
from xai.superpixels import superpixels

QUICK_PLAYERS: Final = 6


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """One classifier, one picture, one class: what all methods are asked about.

    Attributes
    ----------
    picture
        uint8, shape (H, W, 3).
    target
        Name of the logit.
    quick
        Nobody will be shown the maps as evidence: no need to make them precise.
    should_stop
        Looked at before every forward pass.
    """

    classifier: Classifier
    picture: NDArray[np.uint8]
    target: str
    options: ExplainOptions
    quick: bool
    should_stop: Callable[[], bool]
    _found: dict[str, Attribution] = field(default_factory=dict)

    def attribute(self, method: str) -> Attribution:
        """Return the attribution by a method; what was found once is kept, as `combined` needs two others.

        Raises
        ------
        ExplanationCancelled
            As soon as `should_stop` says so.
        """
        if method not in self._found:
            self._found[method] = _METHODS[method](self)
        return self._found[method]

    @property
    def image(self) -> Tensor:
        """The picture, (1, 3, H, W) in 0..1 on the classifier's device."""
        return to_tensor(self.picture).to(self.classifier.device)

    @property
    def baselines(self) -> list[Tensor]:
        """The baselines, each like `image`."""
        made = make_baselines(self.options.baseline, self.picture, self.options.seed)
        return [to_tensor(picture).to(self.classifier.device) for picture in made]

    def score(self, pixels: Tensor) -> Tensor:
        """Return the target's logit (N,) of pictures (N, 3, H, W)."""
        return self.score_of_seen(self.classifier.preprocessing(pixels))

    def score_of_seen(self, seen: Tensor) -> Tensor:
        """Return the target's logit (N,) of what the network sees of pictures, (N, 3, h, w)."""
        classifier = self.classifier
        check = guarded(classifier.net, self.should_stop)
        return check(seen)[:, classifier.index[self.target]]


def _integrated_gradients(task: Task) -> Attribution:
    steps = FIRST_STEPS if task.quick else task.options.max_steps
    return integrated_gradients(task.score, task.image, task.baselines, last_steps=steps)


def _shapley(task: Task) -> Attribution:
    players = min(QUICK_PLAYERS, task.options.players) if task.quick else task.options.players
    return shapley_values(
        task.score_of_seen,
        task.image,
        task.baselines,
        segments=superpixels(task.picture, players),
        seed=task.options.seed,
        resize=task.classifier.preprocessing,
    )


def _combined(task: Task) -> Attribution:
    return agreement_map(task.attribute("ig"), task.attribute("shapley"))


def _grad_cam(task: Task) -> Attribution:
    return _cam(task, grad_cam, task.classifier.architecture.features)


def _layer_cam(task: Task) -> Attribution:
    return _cam(task, layer_cam, task.classifier.architecture.finer)


def _cam(task: Task, method: Callable[..., Attribution], layer: str) -> Attribution:
    found = method(task.score, task.image, task.baselines, layer=task.classifier.net.get_submodule(layer))
    return replace(found, parameters={"layer": layer, **found.parameters})


def _occlusion(task: Task) -> Attribution:
    return occlusion(task.score, task.image, task.baselines)


def _smoothgrad(task: Task) -> Attribution:
    return smoothgrad(task.score, task.image, task.baselines, seed=task.options.seed)


_METHODS: Final[dict[str, Callable[[Task], Attribution]]] = {
    "ig": _integrated_gradients,
    "shapley": _shapley,
    "combined": _combined,
    "gradcam": _grad_cam,
    "layercam": _layer_cam,
    "occlusion": _occlusion,
    "smoothgrad": _smoothgrad,
}
