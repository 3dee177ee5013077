"""A loaded network as a plain function of (noisy images, timestep), with classifier-free guidance."""

from __future__ import annotations

import torch
from torch import Tensor

from core.generator.model_manager import LoadedModel, ModelSource
from core.generator.precision import DTYPES
from core.generator.sampler import Predictor

NO_GUIDANCE = 1.0


def effective_guidance(model: LoadedModel | ModelSource, asked: float | None) -> float:
    """Return the guidance scale that will be used: what was asked, else what the model's maker recommends.

    A model without a null class cannot be guided; then it is 1 whatever was asked.
    """
    if model.null_label is None:
        return NO_GUIDANCE
    recommended = model.recommended.get("guidance", NO_GUIDANCE)
    if asked is None:
        return float(recommended) if isinstance(recommended, int | float) else NO_GUIDANCE
    return asked


def make_predictor(model: LoadedModel, guidance: float) -> Predictor:
    """Return the function that the denoising loop calls.

    With guidance g other than 1 the network sees every image twice in one doubled batch, with its class and with the
    null class, and the prediction is uncond + g * (cond - uncond) (Ho & Salimans 2022, arXiv 2207.12598).
    """
    dtype = DTYPES[model.precision]

    def ask(images: Tensor, timestep: Tensor, labels: Tensor | None) -> Tensor:
        images = images.to(dtype).contiguous(memory_format=torch.channels_last)
        with torch.backends.cudnn.flags(deterministic=True, benchmark=False, allow_tf32=False):
            return model.net(images, timestep, class_labels=labels, return_dict=False)[0].float()

    def plain(images: Tensor, timestep: Tensor) -> Tensor:
        return ask(images, timestep, _labels(model, model.class_label, len(images)))

    def guided(images: Tensor, timestep: Tensor) -> Tensor:
        both = [_labels(model, label, len(images)) for label in (model.class_label, model.null_label)]
        answer = ask(torch.cat([images, images]), timestep, torch.cat([label for label in both if label is not None]))
        conditional, unconditional = answer.chunk(2)
        return unconditional + guidance * (conditional - unconditional)

    return plain if guidance == NO_GUIDANCE else guided


def _labels(model: LoadedModel, label: int | None, count: int) -> Tensor | None:
    return None if label is None else torch.full((count,), label, dtype=torch.long, device=model.device)
