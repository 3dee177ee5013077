"""What `reconstruction.json` of an autoencoder's pack looks like."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.files.reading import Schema, Text, Whole
from diffusion.record_schemas import Real


class _Value(Schema):
    """A mean with its interval; all None where nothing could be computed."""

    mean: Real | None
    low: Real | None
    high: Real | None


_Distance = Annotated[list[Real | None], Field(min_length=3, max_length=3)]


class _Agreement(Schema):
    judge: Text
    same: _Value
    on_photographs: _Value
    on_reconstructions: _Value


class ReconstructionJson(Schema):
    """`reconstruction.json`; see `diffusion.autoencoder.report.ReconstructionReport`."""

    images: Whole
    lesions: Whole
    measured_on: Text
    image_size: Whole
    psnr: _Value
    ssim: _Value
    perceptual: _Value | None = None
    features: Text
    kernel_distance: _Distance | None = None
    floor: _Distance | None = None
    agreement: _Agreement | None = None
