"""Measures what the live preview costs the run: x_t and the predicted x0 of a step as pictures, ready for the pipe.

The engine makes at most 15 previews a second, whatever a step takes. What the window does with them costs the run
nothing: it is another process.

    python -m benchmarks.preview [--steps N] [--device auto|cpu|cuda] [--batch N]

Last measured 2026-11-28 on 2 cores of an AMD EPYC that other jobs kept busy (load 19), bf16, torch 2.14, starter model:
a step 122 ms, a preview 0.47 ms, 0.38 % of the run's time (0.47 % of its processor time; n = 100).
"""

from __future__ import annotations

import argparse
import pickle
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import chain, islice, repeat

import core  # noqa: F401  # isort: skip  # before torch: sets how its threads wait
import torch

from benchmarks.bench_step import describe_machine
from core.cache.cache_manager import CacheManager
from core.events import Step
from core.generator.finishing import PREVIEWS_PER_SECOND
from core.generator.model_manager import LoadedModel, ModelManager
from core.generator.run_images import preview_of
from core.generator.sampler import Drawing, Settings, StepState, effective_guidance
from core.models.discovery import discover
from core.precision import resolve_device, resolve_precision
from core.samplers import DEFAULT_SAMPLER, usual_steps
from core.utils.path_manager import PathManager

WARM_UP = 3


def states(model: LoadedModel, batch: int) -> Iterator[StepState]:
    """Yield steps of image after image, without end, with the default settings."""
    settings = Settings(DEFAULT_SAMPLER, usual_steps(), effective_guidance(model, None), batch)
    return chain.from_iterable(Drawing(model, settings, seeds).states() for seeds in repeat(range(batch)))


def timed(work: Callable[[], object], device: torch.device) -> tuple[float, float]:
    """Return the seconds on the clock and of the processor that a piece of work takes, the card's share included."""
    began = time.perf_counter(), time.process_time()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began[0], time.process_time() - began[1]


def show(state: StepState) -> bytes:
    """Do what the engine does for one preview, up to the pipe."""
    return pickle.dumps(Step("MEL", state.step, state.steps, round(state.timestep), (1,), preview_of(state)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60, help="timed steps [default: 60]")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--batch", type=int, default=1, help="images denoised together [default: 1]")
    options = parser.parse_args()
    device = resolve_device(options.device)
    chosen = discover(PathManager().default_models_dir).classes["MEL"]
    model = ModelManager(CacheManager()).load(chosen, device, resolve_precision("auto", device))
    print(f"{describe_machine()}, {device}, {model.precision}, batch {options.batch}")
    steps, previews = measure(states(model, options.batch), options.steps, device)
    for place, clock in enumerate(("clock", "processor")):
        tell(clock, [step[place] for step in steps], [preview[place] for preview in previews])


Times = list[tuple[float, float]]


def measure(running: Iterator[StepState], count: int, device: torch.device) -> tuple[Times, Times]:
    """Time steps and previews in turns."""
    for _ in islice(running, WARM_UP):
        pass
    steps, previews = [], []
    for _ in range(count):
        found: list[StepState] = []
        steps.append(timed(lambda found=found: found.append(next(running)), device))
        previews.append(timed(lambda found=found: show(found[0]), device))
    return steps, previews


def tell(clock: str, steps: list[float], previews: list[float]) -> None:
    """Print medians, and the share of the run's time that previews take if there are as many as there may be."""
    step, preview = statistics.median(steps), statistics.median(previews)
    share = preview / max(step, 1 / PREVIEWS_PER_SECOND)
    figures = f"step {1e3 * step:8.2f} ms   preview {1e3 * preview:6.3f} ms   {share:.2%} of the time"
    print(f"{clock:10} {figures} (n = {len(steps)})")


if __name__ == "__main__":
    main()
