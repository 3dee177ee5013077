"""Class activation maps: what the cells of a late layer say for the score, enlarged to the picture.

Grad-CAM: Selvaraju et al. 2017, arXiv:1610.02391, without its final ReLU, so that negative contributions stay visible.
LayerCAM: Jiang et al. 2021, doi:10.1109/TIP.2021.3089943; it is positive by definition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from captum.attr import LayerActivation, LayerAttribution, LayerGradCam, LayerGradientXActivation
from torch import Tensor, nn

from xai.attribution import Attribution, Score, score_ends, spread


def grad_cam(score: Score, image: Tensor, baselines: Sequence[Tensor], *, layer: nn.Module) -> Attribution:
    """Return the layer's channels, each weighted by its mean gradient, summed: one signed value for each cell.

    Parameters
    ----------
    score
        A function of a network that holds `layer`.
    image, baselines
        Shape (1, 3, H, W), 0..1, on the same device; they are not changed. The map does not depend on the baselines.
    layer
        Its output is a feature map (N, C, h, w).
    """
    return _enlarged(score, image, baselines, lambda: LayerGradCam(score, layer).attribute(image))


def layer_cam(score: Score, image: Tensor, baselines: Sequence[Tensor], *, layer: nn.Module) -> Attribution:
    """Return the layer's channels, each cell weighted by its own positive gradient, summed, without what is negative.

    Parameters
    ----------
    score, image, baselines, layer
        As in `grad_cam`; finer layers than the last one are of use here.
    """

    def cells() -> Tensor:
        activation = LayerActivation(score, layer).attribute(image)
        gradient = LayerGradientXActivation(score, layer, multiply_by_inputs=False).attribute(image)
        return (gradient.relu() * activation).sum(dim=1, keepdim=True).relu()

    return _enlarged(score, image, baselines, cells)


def _enlarged(score: Score, image: Tensor, baselines: Sequence[Tensor], cells: Callable[[], Tensor]) -> Attribution:
    height, width = image.shape[-2:]
    with torch.inference_mode(False), torch.enable_grad():
        end, start = score_ends(score, image, baselines)
        found = cells().detach()
        large = LayerAttribution.interpolate(found, (height, width), "bilinear")
    rows, columns = found.shape[-2:]
    return Attribution(
        spread(large[0, 0].double().cpu().numpy()),
        end,
        start,
        steps=1,
        parameters={"cells": [rows, columns]},
        cell=(height / rows, width / columns),
    )
