"""SmoothGrad: the gradient, averaged over noisy copies of the picture (Smilkov et al. 2017, arXiv:1706.03825)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from captum.attr import NoiseTunnel, Saliency
from torch import Tensor

from xai.attribution import Attribution, Score, chunk_size, score_ends, to_array

SAMPLES: Final = 50
NOISE: Final = 0.15
"""Standard deviation as a share of the picture's range; the paper finds 0.1 to 0.2 best."""


def smoothgrad(
    score: Score,
    image: Tensor,
    baselines: Sequence[Tensor],
    *,
    seed: int,
    samples: int = SAMPLES,
    chunk: int | None = None,
) -> Attribution:
    """Return the mean signed gradient of the score: by how much it changes per unit of each pixel's brightness.

    Parameters
    ----------
    image, baselines
        Shape (1, 3, H, W), 0..1, on the same device; they are not changed. The map does not depend on the baselines.
    seed
        Of the noise; the process's own random stream is left as it is.
    chunk
        Noisy copies in one forward pass; chosen by their size if None.
    """
    deviation = NOISE * float(image.max() - image.min())
    with torch.inference_mode(False), torch.enable_grad(), _own_randomness(image, seed):
        end, start = score_ends(score, image, baselines)
        values = NoiseTunnel(Saliency(score)).attribute(
            image.clone(),
            nt_type="smoothgrad",
            nt_samples=samples,
            nt_samples_batch_size=min(chunk or chunk_size(image), samples),
            stdevs=deviation,
            abs=False,
        )
    parameters = {"samples": samples, "noise": deviation, "seed": seed}
    return Attribution(to_array(values), end, start, steps=samples, parameters=parameters)


@contextmanager
def _own_randomness(image: Tensor, seed: int) -> Iterator[None]:
    devices = [image.device] if image.is_cuda else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        yield
