"""The real engine, in the process that calls it. torch is imported by the first call, not by this module."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.cancel import CancelToken
from core.events import Event
from core.generator.cost import Foresight
from core.generator.request import GenerationRequest, RunChanges
from gui.workers.engine import DeviceInfo, DeviceMemory, EngineInfo, ExplainedPicture, MadeAgain
from xai.explanation import ExplainOptions


class LocalEngine:
    """`core` and `xai` behind the interface of `Engine`."""

    def __init__(self) -> None:
        self._generator: Any = None
        self._importing = threading.Lock()

    def warm_up(self) -> EngineInfo:
        """Import the libraries, so that the first run does not have to, and list the devices."""
        self._prepare()
        import diffusers
        import torch

        devices = (DeviceInfo("cpu", _cpu_name()), *_cuda_devices())
        automatic = devices[1].key if len(devices) > 1 else "cpu"
        return EngineInfo(
            devices, automatic, {"torch": str(torch.__version__), "diffusers": str(diffusers.__version__)}
        )

    def memory(self) -> tuple[DeviceMemory, ...]:
        """Ask the system and, once torch is there, the graphics cards' driver."""
        import psutil

        machine = psutil.virtual_memory()
        cards = _cuda_memory() if self._generator is not None else ()
        return (DeviceMemory("cpu", machine.available, machine.total), *cards)

    def foresee(self, request: GenerationRequest) -> Foresight:
        """Say what a request will come to."""
        self._prepare()
        from core.generator.foresight import foresee

        return foresee(request)

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[Event]:
        """Carry out a request."""
        self._prepare()
        yield from self._generator.generate(request, cancel)

    def resume(self, output: Path, changes: RunChanges, cancel: CancelToken) -> Iterator[Event]:
        """Finish the interrupted runs of a folder."""
        self._prepare()
        yield from self._generator.resume(output, cancel, changes=changes)

    def explain(self, image: Path, options: ExplainOptions, label: str | None, cancel: CancelToken) -> ExplainedPicture:
        """Explain one image and draw its map."""
        self._prepare()
        from gui.workers.overlay_picture import draw
        from xai.explain import explain_image

        explanations = explain_image(image, options, label=label, should_stop=lambda: cancel.stops_now)
        return draw(explanations[0])

    def explain_to_disk(self, image: Path, options: ExplainOptions) -> Path:
        """Explain one image and keep overlay, raw map and report beside the images."""
        self._prepare()
        from xai.xai_integration import run_xai_analysis

        _, saved = run_xai_analysis(image, device=options.device, classifier_path=options.classifier)
        return Path(saved)

    def make_again(self, image: Path, models: Path | None) -> MadeAgain:
        """Make an image again from the recipe inside it."""
        self._prepare()
        from core.generator.reproduce import reproduce

        made = reproduce(image, models=models)
        return MadeAgain(made.pixels, made.max_difference, made.mean_difference, made.notes)

    def close(self) -> None:
        """Let the models go."""
        self._generator = None

    def _prepare(self) -> None:
        """Import the libraries, one thread at a time: two that import diffusers at once see it half made."""
        with self._importing:
            if self._generator is None:
                import xai.explain  # noqa: F401 - imported now so that no other thread imports it at the same time
                from core.generator.image_generator import ImageGenerator

                self._generator = ImageGenerator()


def _cpu_name() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return f"CPU · {cores} core" + ("s" if cores != 1 else "")


def _cuda_devices() -> tuple[DeviceInfo, ...]:
    import torch

    if not torch.cuda.is_available():
        return ()
    properties = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    return tuple(DeviceInfo(f"cuda:{i}", p.name, p.total_memory) for i, p in enumerate(properties))


def _cuda_memory() -> tuple[DeviceMemory, ...]:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return tuple(DeviceMemory(f"cuda:{i}", *torch.cuda.mem_get_info(i)) for i in range(count))
