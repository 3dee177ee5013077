"""`image2image`, `inpaint` and `interpolate`: images that begin from others."""

from __future__ import annotations

from typing import Any

import click

from cli.console import Console
from cli.derive import ImageBar, carry_out, json_option, request_options
from cli.generate import WORDS
from core.guided import GuidedRequest, Image2ImageRequest, InpaintRequest, InterpolateRequest


@click.command(short_help="Generate images that start from given ones (SDEdit).")
@request_options(Image2ImageRequest)
@json_option
def image2image(json_mode: bool, **values: Any) -> int:
    """Generate images that start from IMAGES: each is noised and denoised again; --strength sets how far."""
    return _carry_out(Image2ImageRequest(**values), json_mode)


@click.command(short_help="Regenerate the inside of a mask (inpainting).")
@request_options(InpaintRequest)
@json_option
def inpaint(json_mode: bool, **values: Any) -> int:
    """Regenerate IMAGE inside a mask; outside of it, the result equals the image to the bit.

    The result has the model's size: a larger image is first cropped to a square and scaled.
    """
    return _carry_out(InpaintRequest(**values), json_mode)


@click.command(short_help="Generate images between two given ones.")
@request_options(InterpolateRequest)
@json_option
def interpolate(json_mode: bool, **values: Any) -> int:
    """Generate images between FIRST and SECOND, both ends included.

    Noise is interpolated spherically, classes linearly. Sampler, steps, guidance and precision are those of FIRST
    unless given.
    """
    return _carry_out(InterpolateRequest(**values), json_mode)


def _carry_out(request: GuidedRequest, json_mode: bool) -> int:
    return carry_out(request, Console(json_mode=json_mode), WORDS, bar=ImageBar())
