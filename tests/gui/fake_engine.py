"""An engine that does what a test tells it to, without a model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from core.cancel import CancelToken, StopMode
from core.errors import InputRefusedError
from core.events import (
    Continued,
    Event,
    Finished,
    ImageDone,
    Loaded,
    Loading,
    Paused,
    Preview,
    RunStatus,
    Started,
    Step,
)
from core.generation import GenerationRequest, RunChanges, is_explained, plan_class
from core.generator.cost import RunEstimate, bytes_on_disk
from core.images import read_image
from core.jobs.stream import JobStopped
from core.message import Message
from dataset.png import encode_png
from dataset.recipe import Recipe
from gui.run.run import RunModel
from gui.workers.engine import DeviceInfo, DeviceMemory, EngineInfo, MadeAgain
from tests.support.patience import PATIENCE
from xai.explanation import Classification, ExplainOptions, Explanation, GateVerdict, Style
from xai.methods import METHODS

SIZE = 32
GIB = 2**30


def make_pixels(seed: int, size: int = SIZE) -> np.ndarray:
    """A brownish spot on skin, different for each seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    spot = np.exp(-(((x / rng.uniform(0.15, 0.3)) ** 2 + (y / rng.uniform(0.15, 0.3)) ** 2) ** 2))[..., None]
    skin, lesion = np.array([225, 180, 160.0]), np.array([rng.uniform(70, 140), 70, 55.0])
    noise = rng.normal(0, 5, (size, size, 1))
    return np.clip(skin * (1 - spot) + lesion * spot + noise, 0, 255).astype(np.uint8)


def make_recipe(code: str, seed: int, index: int = 0, size: int = SIZE, steps: int = 4) -> Recipe:
    return Recipe(
        class_code=code,
        index=index,
        seed=seed,
        noise_hash="0123456789abcdef",
        sampler="dpmpp-2m-sde",
        steps=steps,
        scheduler={},
        guidance=1.5,
        weights="model.safetensors",
        weights_sha256="00" * 32,
        models="isic7-128",
        color=None,
        precision="fp32",
        device="cpu",
        batch_size=1,
        threads=2,
        image_size=size,
        product_version="0.1.0",
    )


@dataclass
class FakeEngine:
    """Makes spots; everything it is asked for is counted, and everything can be made to fail.

    Attributes
    ----------
    gate
        Held by a test to keep the engine at a step; `step_seconds` slows every step down instead.
    turn
        If there is one, each step takes one; `show_every_step` gives the next when a window has shown the last.
    fail_at
        Called before each image with its 1-based number; may raise.
    """

    steps: int = 4
    size: int = SIZE
    step_seconds: float = 0.0
    warm_up_error: Exception | None = None
    explain_error: Exception | None = None
    foresee_error: Exception | None = None
    trial_seconds: float | None = None
    free_memory: int = 12 * GIB
    free_disk: int | None = 100 * GIB
    writer: str = ""
    level: str = "green"
    fail_at: Callable[[int], None] = lambda number: None
    extra: Callable[[int], Iterator[Event]] = lambda number: iter(())
    turn: threading.Semaphore | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    save_gate: threading.Event = field(default_factory=threading.Event)
    trial_gate: threading.Event = field(default_factory=threading.Event)
    requests: list[GenerationRequest] = field(default_factory=list)
    tried: list[GenerationRequest] = field(default_factory=list)
    resumed: list[Path] = field(default_factory=list)
    changes: list[RunChanges] = field(default_factory=list)
    explained: list[Path] = field(default_factory=list)
    asked: list[ExplainOptions] = field(default_factory=list)
    map_gates: dict[str, threading.Event] = field(default_factory=dict)
    kept: list[tuple[tuple[Explanation, ...], Path | None]] = field(default_factory=list)
    keep_error: Exception | None = None
    compared: list[tuple[str, ...]] = field(default_factory=list)
    saved: list[Path] = field(default_factory=list)
    made_again: list[Path] = field(default_factory=list)
    again_error: Exception | None = None
    again_difference: int = 0
    again_notes: tuple[str, ...] = ()
    closed: bool = False
    run_id: str = "r1"
    started_device: str = "cpu"
    started_batch: int = 1
    warm_ups: int = 0
    threads: int = 0

    def __post_init__(self) -> None:
        self.gate.set()
        self.save_gate.set()
        self.trial_gate.set()

    def warm_up(self) -> EngineInfo:
        self.warm_ups += 1
        if self.warm_up_error:
            raise self.warm_up_error
        return EngineInfo(
            (DeviceInfo("cpu", Message("CPU · %n core(s)", n=2)), DeviceInfo("cuda:0", "Test GPU", 2**33)), "cuda:0"
        )

    def use_threads(self, count: int) -> None:
        self.threads = count

    def memory(self) -> tuple[DeviceMemory, ...]:
        return (DeviceMemory("cpu", self.free_memory, 16 * GIB), DeviceMemory("cuda:0", 6 * GIB, 8 * GIB))

    def estimate_run(self, request: GenerationRequest) -> RunEstimate:
        if self.foresee_error:
            raise self.foresee_error
        device = "cpu" if request.device == "auto" else request.device
        disk = bytes_on_disk(request, self.size)
        precision = "fp32" if request.precision == "auto" else request.precision
        return RunEstimate(device, precision, 1, self.size, 2 * GIB, disk, self.free_disk, self.writer)

    def time_step(self, request: GenerationRequest) -> float:
        self.tried.append(request)
        self.trial_gate.wait(PATIENCE)
        if self.trial_seconds is None:
            raise InputRefusedError("There is nothing to try.")
        return self.trial_seconds

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[Event]:
        self.requests.append(request)
        yield from self._run(request, cancel)

    def resume(self, output: Path, changes: RunChanges, cancel: CancelToken) -> Iterator[Event]:
        self.resumed.append(output)
        self.changes.append(changes)
        yield from self._run(GenerationRequest((("MEL", 2),), Path("models"), output), cancel)

    def explain(
        self, image: Path, options: ExplainOptions, label: str | None, cancel: CancelToken
    ) -> Iterator[Explanation]:
        self.explained.append(image)
        self.asked.append(options)
        for method in options.methods:
            self._hold(cancel)
            if self.map_gates:
                self.map_gates[method].wait(PATIENCE)
            if cancel.stops_now:
                raise JobStopped
            if self.explain_error:
                raise self.explain_error
            yield make_explanation(read_image(image), method, options, label or "MEL", self.level)

    def explain_to_disk(self, image: Path, options: ExplainOptions) -> Path:
        self.saved.append(image)
        self.save_gate.wait(PATIENCE)
        return image.parent.parent / "xai_results" / "20261120_120000" / image.name

    def compare(self, explanations: tuple[Explanation, ...]) -> list[dict[str, Any]]:
        self.compared.append(tuple(one.method for one in explanations))
        pairs = combinations([one.method for one in explanations], 2)
        return [{"a": a, "b": b, "spearman": 0.5, "top_overlap": 0.25} for a, b in pairs]

    def keep(self, explanations: tuple[Explanation, ...], image: Path, folder: Path | None, style: Style) -> Path:
        if self.keep_error:
            raise self.keep_error
        self.kept.append((explanations, folder))
        return (folder or image.parent.parent / "xai_results" / "20261120_120001") / "report.html"

    def make_again(self, image: Path, models: Path | None) -> MadeAgain:
        self.made_again.append(image)
        if self.again_error:
            raise self.again_error
        pixels = read_image(image)
        pixels[0, 0, 0] ^= self.again_difference
        mean = self.again_difference / pixels.size
        return MadeAgain(pixels, self.again_difference, mean, self.again_notes)

    def close(self) -> None:
        self.closed = True

    def _run(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[Event]:
        counts, total = dict(request.counts), sum(dict(request.counts).values())
        where = self.started_device, "fp32", self.started_batch
        yield Started(self.run_id, request.output, total, counts, request.sampler, self.steps, *where)
        begun, done, written = time.monotonic(), 0, []
        for code, count in request.counts:
            yield Loading(code, request.models)
            yield Loaded(code, request.models, "00" * 32, 0.01)
            for position, planned in enumerate(plan_class(request, code, count, frozenset())):
                yield from self.extra(done + 1)
                self.fail_at(done + 1)
                for step in range(1, self.steps + 1):
                    if self.turn is not None:
                        self.turn.acquire(timeout=PATIENCE)
                    self._hold(cancel)
                    if cancel.stops_now:
                        yield self._end(cancel, written, total, begun, request)
                        return
                    yield Step(code, step, self.steps, 1000 // step, (done + 1,), self._preview(planned.seed, step))
                    if cancel.is_paused and step < self.steps:
                        yield Paused()
                        yield Continued(cancel.wait_while_paused())
                file = self._write(request.output, code, planned.seed, planned.index)
                written.append(file)
                done += 1
                yield ImageDone(
                    code, planned.index, int(file.stem[5:]), file, planned.seed, "00" * 8, done, total, 0.1,
                    10.0 if done > 1 else None, (total - done) / 10 if done > 1 else None,
                    is_explained(position, request.xai_every),
                )  # fmt: skip
                if cancel.mode is StopMode.AFTER_IMAGE:
                    yield self._end(cancel, written, total, begun, request)
                    return
        yield self._end(cancel, written, total, begun, request)

    def show_every_step(self, run: RunModel) -> None:
        """Let no step overtake another on its way to the window, nor the run the window."""
        turn = self.turn = threading.Semaphore(1)
        run.stepped.connect(lambda *_: turn.release())

    def _hold(self, cancel: CancelToken) -> None:
        time.sleep(self.step_seconds)
        while not self.gate.wait(0.01):
            if cancel.stops_now:
                return

    def _preview(self, seed: int, step: int) -> Preview:
        clean = make_pixels(seed, self.size)
        rng = np.random.default_rng(step)
        share = step / self.steps
        noisy = clean * share + rng.uniform(0, 255, clean.shape) * (1 - share)
        blurred = clean * share + clean.mean((0, 1)) * (1 - share)
        return Preview(noisy.astype(np.uint8), blurred.astype(np.uint8))

    def _write(self, output: Path, code: str, seed: int, index: int) -> Path:
        folder = output / code
        folder.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(p.stem[5:]) for p in folder.glob("ISIC_*.png")), default=0)
        file = folder / f"ISIC_{number:07d}.png"
        recipe = make_recipe(code, seed, index, self.size, self.steps)
        file.write_bytes(encode_png(make_pixels(seed, self.size), recipe))
        return file

    def _end(
        self, cancel: CancelToken, written: list[Path], total: int, begun: float, request: GenerationRequest
    ) -> Finished:
        names: dict[StopMode | None, RunStatus] = {None: "completed", StopMode.DISCARD: "discarded"}
        status = names.get(cancel.mode, "stopped") if len(written) < total else "completed"
        if status == "discarded":
            for file in written:
                file.unlink()
            written.clear()
        left = total - len(written)
        return Finished("r1", status, len(written), 0, left, time.monotonic() - begun, request.output)


PROBABILITIES = {"MEL": 0.71, "NV": 0.12, "BCC": 0.06, "AKIEC": 0.05, "BKL": 0.03, "DF": 0.02, "VASC": 0.01}
REASONS = {
    "green": (),
    "amber": ("The classifier is hardly sure of this image.",),
    "red": ("The classifier's head is untrained.",),
}


def make_explanation(
    image: np.ndarray,
    method: str = "ig",
    options: ExplainOptions | None = None,
    label: str = "MEL",
    level: str = "green",
) -> Explanation:
    """A smooth signed map, another one for each method; in regions for the methods that have some."""
    options = options or ExplainOptions()
    gate = GateVerdict(level, REASONS[level])
    height, width = image.shape[:2]
    turn = 0.7 * list(METHODS).index(method)
    y, x = np.mgrid[0:height, 0:width] / height - 0.5
    heat = np.sin(9 * x + turn) * np.exp(-8 * (x**2 + y**2))
    segments = None
    if method in ("shapley", "combined"):
        segments = (np.minimum(y * 4 + 2, 3).astype(np.int32) * 3 + np.minimum(x * 3 + 1.5, 2).astype(np.int32)).astype(
            "i4"
        )
        heat = np.array([heat[segments == region].mean() for region in range(12)])[segments]
    attribution = np.repeat(heat[..., None] / (3 * heat.size) * 8, 3, axis=2).astype(np.float32)
    return Explanation(
        method,
        "MEL" if options.target == "predicted" else label if options.target == "label" else options.target,
        options.baseline,
        image,
        attribution,
        score=3.1,
        baseline_score=-0.4,
        relative_delta=0.004 if METHODS[method].complete else None,
        classification=Classification("MEL", PROBABILITIES, {}, gate),
        gate=gate,
        segments=segments,
        standard_error=np.full((height, width), 1e-5, np.float32) if method == "shapley" else None,
        cell=(height / 4, width / 4) if method == "gradcam" else None,
        faithfulness=FAITHFUL if options.faithfulness else None,
    )


FAITHFUL = {
    "measures": [
        {"key": "deletion", "title": "Deletion curve",
         "value": 0.21, "control": 0.35, "control_sd": 0.02, "better": "lower",
         "passed": True, "words": "The class is gone after less of the image than in random order."},
        {"key": "insertion", "title": "Insertion curve",
         "value": 0.4, "control": 0.5, "better": "higher", "passed": False},
        {"key": "road", "title": "ROAD", "value": None, "control": None, "better": "higher", "passed": None},
    ],
    "seconds": 1.5,
}  # fmt: skip
