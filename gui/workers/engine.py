"""What the window asks of an engine, without Qt and torch: the real one, its process and the tests' fake all fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from core.cancel import CancelToken
from core.events import Event
from core.generation import GenerationRequest, RunChanges
from core.generator.cost import RunEstimate
from xai.explanation import ExplainOptions, Explanation, Style

if TYPE_CHECKING:  # annotations only: numpy takes a fifth of a second that the window's start does not have
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device to compute on: `key` as requests name it, `name` as people do, memory in bytes."""

    key: str
    name: str
    memory: int | None = None


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What a warm engine says about itself."""

    devices: tuple[DeviceInfo, ...]
    automatic: str
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Bytes free for a program and bytes there are, on one device, as its driver says."""

    key: str
    free: int
    total: int


@dataclass(frozen=True, slots=True)
class MadeAgain:
    """An image that was made again from its recipe.

    Attributes
    ----------
    pixels
        uint8, shape (H, W, 3).
    max_difference, mean_difference
        From the original, over all pixels and channels, in units of 1/255.
    notes
        What had to be done otherwise than recorded, in plain words.
    """

    pixels: NDArray[np.uint8]
    max_difference: int
    mean_difference: float
    notes: tuple[str, ...] = ()


class Engine(Protocol):
    """Makes and explains images. Every method blocks and is called from a worker, never from the GUI thread."""

    def warm_up(self) -> EngineInfo:
        """Load the libraries and look at the machine."""

    def use_threads(self, count: int) -> None:
        """Compute on the processor with so many threads from the next job on, 0 for the usual number; never blocks."""

    def memory(self) -> tuple[DeviceMemory, ...]:
        """Look up the memory of every device of `warm_up`; takes milliseconds once that has ended."""

    def estimate_run(self, request: GenerationRequest) -> RunEstimate:
        """Say what a request will come to, without loading a model or writing a file."""

    def time_step(self, request: GenerationRequest) -> float:
        """Take a few steps of a request to tell how long one takes for one image; takes seconds, writes no file."""

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[Event]:
        """Carry out a request."""

    def resume(self, output: Path, changes: RunChanges, cancel: CancelToken) -> Iterator[Event]:
        """Finish the interrupted runs of a folder."""

    def explain(
        self, image: Path, options: ExplainOptions, label: str | None, cancel: CancelToken
    ) -> Iterator[Explanation]:
        """Explain one image by every method asked for, yielding each map as soon as it is there.

        Parameters
        ----------
        label
            The class the image was made for, if it is known.
        """

    def explain_to_disk(self, image: Path, options: ExplainOptions) -> Path:
        """Explain one image and keep the overlay in the output folder; return where."""

    def compare(self, explanations: tuple[Explanation, ...]) -> list[dict[str, Any]]:
        """Say how far the maps of one picture agree; see `xai.agreement`."""

    def keep(self, explanations: tuple[Explanation, ...], image: Path, folder: Path | None, style: Style) -> Path:
        """Write explanations with their raw arrays and a page to a folder; return the page.

        Parameters
        ----------
        image
            The image they are about.
        folder
            None for a new one among the XAI results of the image's output folder.
        """

    def make_again(self, image: Path, models: Path | None) -> MadeAgain:
        """Make an image again from the recipe inside it; its weights are looked for in `models`, too."""

    def close(self) -> None:
        """Give everything back; called once, at the end."""
