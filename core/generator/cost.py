"""What a run will cost, told before it starts. No torch: the window and the command line read this at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.generation import GenerationRequest

BYTES_PER_PIXEL: Final = 1.7
"""Of a PNG of a dermoscopic picture; measured 1.5 to 1.65 on images of the starter models."""

BYTES_BESIDE: Final = 4000
"""Recipe inside, sidecar, journal line and table row of one image."""


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """What a request comes to on this machine.

    Attributes
    ----------
    device, precision, batch_size
        As they will be, with every `auto` decided.
    image_size
        Height and width in pixels of the largest images.
    memory
        Bytes that the networks and the images in progress take on the device, a generous estimate.
    disk
        Bytes that the images will take.
    free_disk
        Bytes free on the drive of the output folder; None if the system does not say.
    writer
        Who is writing to the output folder now, in words; empty if nobody is.
    """

    device: str
    precision: str
    batch_size: int
    image_size: int
    memory: int
    disk: int
    free_disk: int | None = None
    writer: str = ""


def bytes_on_disk(request: GenerationRequest, image_size: int) -> int:
    """Estimate what the images of a request take on disk, without trajectories."""
    images = sum(count for _, count in request.counts)
    return images * round(BYTES_PER_PIXEL * image_size**2 + BYTES_BESIDE)
