"""The real engine, in the process that calls it. torch is imported by the first call, not by this module."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.cancel import CancelToken
from core.events import Event
from core.generation import GenerationRequest, RunChanges
from core.generator.cost import RunEstimate
from core.jobs.stream import JobContext
from core.message import Message
from gui.workers.engine import DeviceInfo, DeviceMemory, EngineInfo, MadeAgain
from xai.explanation import ExplainOptions, Explanation, Style


class LocalEngine:
    """`core` and `xai` behind the interface of `Engine`."""

    def __init__(self) -> None:
        self._generator: Any = None
        self._importing = threading.Lock()
        self._threads = self._usual_threads = 0

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

    def use_threads(self, count: int) -> None:
        """Compute on the processor with so many threads from the next job on."""
        self._threads = count

    def estimate_run(self, request: GenerationRequest) -> RunEstimate:
        """Say what a request will come to."""
        self._prepare()
        from core.generator.run_estimate import estimate_run

        return estimate_run(request)

    def time_step(self, request: GenerationRequest) -> float:
        """Try out how long one step of one image takes."""
        self._prepare()
        seconds: float = self._generator.time_step(request)
        return seconds

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[Event]:
        """Carry out a request."""
        self._prepare()
        yield from self._generator.generate(request, cancel)

    def resume(self, output: Path, changes: RunChanges, cancel: CancelToken) -> Iterator[Event]:
        """Finish the interrupted runs of a folder."""
        self._prepare()
        yield from self._generator.resume(output, cancel, changes=changes)

    def explain(
        self, image: Path, options: ExplainOptions, label: str | None, cancel: CancelToken
    ) -> Iterator[Explanation]:
        """Explain one image, method after method."""
        self._prepare()
        from xai.explain import explanations

        yield from explanations(image, options, label=label, context=JobContext(cancel))

    def explain_to_disk(self, image: Path, options: ExplainOptions) -> Path:
        """Explain one image and keep overlays, raw maps and report beside the images."""
        self._prepare()
        from xai.explain import explain_image
        from xai.report import save_explanations
        from xai.xai_integration import default_folder

        return save_explanations(explain_image(image, options), default_folder(image)).overlays[0]

    def compare(self, explanations: tuple[Explanation, ...]) -> list[dict[str, Any]]:
        """Say how far the maps of one picture agree."""
        self._prepare()
        from xai.agreement import agreement_table

        return agreement_table(explanations)

    def keep(self, explanations: tuple[Explanation, ...], image: Path, folder: Path | None, style: Style) -> Path:
        """Write overlays, raw maps and report."""
        self._prepare()
        from xai.report import save_explanations
        from xai.xai_integration import default_folder

        return save_explanations(explanations, folder or default_folder(image), style=style).report

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
            self._apply_threads()

    def _apply_threads(self) -> None:
        """Say it to torch in the thread of every job, which is whom torch asks for the number."""
        import torch

        self._usual_threads = self._usual_threads or torch.get_num_threads()
        if torch.get_num_threads() != (wanted := self._threads or self._usual_threads):
            torch.set_num_threads(wanted)


def _cpu_name() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Message("CPU · %n core(s)", n=cores)


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
