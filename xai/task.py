"""One classifier, one picture and one class: what every explanation method is asked about."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from core.jobs.stream import JobContext
from core.models.classification.loading import to_tensor
from xai.attribution import Attribution, guarded
from xai.baselines import make_baselines
from xai.classifier import Classifier
from xai.explanation import ExplainOptions
from xai.methods import METHODS


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
    context
        Asked before every forward pass whether to go on.
    """

    classifier: Classifier
    picture: NDArray[np.uint8]
    target: str
    options: ExplainOptions
    quick: bool
    context: JobContext
    _found: dict[str, Attribution] = field(default_factory=dict)

    def attribute(self, method: str) -> Attribution:
        """Return the attribution by a method; what was found once is kept, as `combined` needs two others.

        Raises
        ------
        JobStopped
            As soon as that is asked for.
        """
        if method not in self._found:
            self._found[method] = METHODS[method].attribute(self)
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
        check = guarded(classifier.net, self.context)
        return check(seen)[:, classifier.index[self.target]]
