"""What a reconstruction costs: pixels, a classifier's features, the latent's divergence, a discriminator's verdict.

Pictures are (N, 3, H, W), float32 in -1..1, throughout.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, relu

from core.models.classification.loading import LoadedNetwork, load_network
from core.precision import DTYPES, Precision
from core.utils.path_manager import PathManager

_ROUNDING: Final = 1e-3
"""Of the Charbonnier loss: errors far below it cost as their squares do."""


def charbonnier(made: Tensor, wanted: Tensor) -> Tensor:
    """Return the mean of ``sqrt(d^2 + 1e-6) - 1e-3``, the absolute difference with a rounded tip."""
    return ((made - wanted).square() + _ROUNDING**2).sqrt().mean() - _ROUNDING


def divergence(mean: Tensor, logvar: Tensor) -> Tensor:
    """Return the mean divergence KL(N(mean, exp(logvar)) || N(0, 1)) of a latent value, in nats."""
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).mean()


class _Enough(Exception):  # noqa: N818  # no error: the rest of the network is not needed
    """Every stage that counts has been seen."""


class PerceptualLoss:
    """Distance in the features of a classifier's stages, each position's at unit length, as in LPIPS but unweighted.

    Parameters
    ----------
    network
        The classifier; all its stages but the last are used, because that one hardly sees texture.
    dtype
        Number format of its weights; autocast would convert frozen ones again at every call.
    """

    def __init__(self, network: LoadedNetwork, dtype: torch.dtype = torch.float32) -> None:
        own = copy.deepcopy(network.net).to(dtype)  # its hooks are this one's alone
        self._network, self._dtype = replace(network, net=own), dtype
        self._seen: list[Tensor] = []
        *_, last = stages = network.architecture.stages[:-1]
        for stage in stages:
            own.get_submodule(stage[-1]).register_forward_hook(partial(self._see, is_last=stage is last))

    def _see(self, _module: nn.Module, _inputs: object, output: Tensor, *, is_last: bool) -> None:
        self._seen.append(output)
        if is_last:
            raise _Enough

    def __call__(self, made: Tensor, wanted: Tensor) -> Tensor:
        """Return the mean over pictures, stages and positions of the squared distance, 0..4."""
        return self.each(made, wanted).mean()

    def each(self, made: Tensor, wanted: Tensor) -> Tensor:
        """Return each picture's distance (N,), 0..4: the mean over stages and positions."""
        with torch.no_grad():
            targets = self.features(wanted)
        pairs = zip(self.features(made), targets, strict=True)
        return torch.stack([(own - other).square().sum(1).mean((1, 2)) for own, other in pairs]).mean(0)

    def features(self, pictures: Tensor) -> list[Tensor]:
        """Return each stage's map (N, C, h, w), float32, its channels at unit length at every position."""
        way = self._network.preprocessing
        mean, std = (pictures.new_tensor(values).view(1, 3, 1, 1) for values in (way.mean, way.std))
        self._seen.clear()
        with suppress(_Enough):
            self._network.net((((pictures + 1) / 2 - mean) / std).to(self._dtype))
        return [normalize(maps.float(), dim=1, eps=1e-6) for maps in self._seen]


def load_perceptual(path: Path | None, device: torch.device, precision: Precision = "fp32") -> PerceptualLoss:
    """Return the loss in the features of a classifier; of the starter's auxiliary one if `path` is None.

    Raises
    ------
    ModelRefusedError
        If it cannot be used.
    """
    return PerceptualLoss(load_network(path or PathManager().starter_classifier_dir, device), DTYPES[precision])


def discriminator_loss(discriminator: nn.Module, real: Tensor, made: Tensor) -> Tensor:
    """Return the hinge loss of a discriminator; `made` must be detached."""
    return (relu(1 - discriminator(real).float()).mean() + relu(1 + discriminator(made).float()).mean()) / 2


def scaled_to(gradient: Tensor, reference: Tensor, share: float) -> Tensor:
    """Return a gradient at `share` times the length of another."""
    return gradient * (share * reference.norm() / gradient.norm().clamp(min=1e-12))
