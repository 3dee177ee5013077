"""A loaded network as a plain function of (noisy images, timestep), with classifier-free guidance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor

from core.conditioning import NOTHING, Conditioning, Inputs, network_inputs
from core.errors import ModelArchitectureError
from core.generator.memory import is_out_of_memory
from core.generator.model_manager import LoadedModel, ModelSource
from core.generator.sampler import Predictor
from core.message import Message
from core.precision import DTYPES

NO_GUIDANCE = 1.0

_FAILURES: Final = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)
"""What a network raises whose parts do not fit together, depending on where they do not."""


def effective_guidance(model: LoadedModel | ModelSource, asked: float | None) -> float:
    """Return the guidance scale that will be used: what was asked, else what the model's maker recommends.

    A model without a null class cannot be guided; then it is 1 whatever was asked.
    """
    if model.null_label is None:
        return NO_GUIDANCE
    return float(model.recommended.get("guidance") or NO_GUIDANCE) if asked is None else asked


def make_predictor(model: LoadedModel, guidance: float, conditioning: Conditioning = NOTHING) -> Predictor:
    """Return the function that the denoising loop calls.

    With guidance g other than 1 the network sees every image twice in one doubled batch, with its conditions and with
    the null of each, and the prediction is uncond + g * (cond - uncond) (Ho & Salimans 2022, arXiv 2207.12598).

    Parameters
    ----------
    conditioning
        Beside the class, which is the model's own.
    """
    dtype = DTYPES[model.precision]
    asked = conditioning.with_class("own")

    def predict(images: Tensor, timestep: Tensor, inputs: Inputs) -> Tensor:
        seen = torch.cat([images, *inputs.channels], dim=1) if inputs.channels else images
        seen = seen.to(dtype).contiguous(memory_format=torch.channels_last)
        with torch.backends.cudnn.flags(deterministic=True, benchmark=False, allow_tf32=False), _refusing(model):
            answer: Tensor = model.net(seen, timestep, **inputs.arguments, return_dict=False)[0]
            if answer.shape != images.shape:
                raise ValueError(f"it makes {tuple(answer.shape)} of {tuple(images.shape)}")
        return answer.float()

    def plain(images: Tensor, timestep: Tensor) -> Tensor:
        return predict(images, timestep, network_inputs(model, asked, len(images)))

    def guided(images: Tensor, timestep: Tensor) -> Tensor:
        both = [network_inputs(model, one, len(images)) for one in (asked, NOTHING)]
        answer = predict(torch.cat([images, images]), timestep, _joined(*both))
        conditional, unconditional = answer.chunk(2)
        return unconditional + guidance * (conditional - unconditional)

    return plain if guidance == NO_GUIDANCE else guided


@contextmanager
def _refusing(model: LoadedModel) -> Iterator[None]:
    """Say that the model is at fault if its network was built as described and cannot compute; memory is not its fault.

    Raises
    ------
    ModelArchitectureError
        If something fails inside.
    """
    try:
        yield
    except _FAILURES as error:
        if isinstance(error, RuntimeError) and (is_out_of_memory(error) or "CUDA error" in str(error)):
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelArchitectureError(
            Message("The network of {path} can be built but not run: {reason}.", path=model.path, reason=reason),
            remedy=Message("Use the config.json that was saved together with the weights."),
            path=model.path,
        ) from error


def _joined(first: Inputs, second: Inputs) -> Inputs:
    """Return the inputs of two batches as those of one."""
    pairs = ((name, first.arguments[name], second.arguments[name]) for name in first.arguments)
    arguments = {name: torch.cat([one, other]) for name, one, other in pairs if one is not None and other is not None}
    return Inputs(arguments, tuple(torch.cat(pair) for pair in zip(first.channels, second.channels, strict=True)))
