"""Times the predecessor's network: one denoising step and whole images, its own loop against this engine.

Both sides run in one process and take turns, so that whatever else the machine does hits both alike. The reference is
the predecessor's loop re-created: fp32, one image at a time, NCHW, `no_grad`, 50 DDPM steps. Weights are random; speed
does not depend on them.

    python -m benchmarks.bench_step [--quick] [--repeats N] [--images N]

Last measured 2026-11-20 on 2 quiet cores of an AMD EPYC with bf16, torch 2.15: a step 586 ms against 368 ms, 1.58
times as fast (1.52 to 1.64, n = 7); an image 30.0 s against 8.1 s, 3.7 times (3.5 to 3.8, n = 3); in fp32 alone a
step 1.05 times.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import core  # noqa: F401  # isort: skip  # before torch: sets how its threads wait
import torch
from diffusers import DDPMScheduler, UNet2DModel
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from safetensors.torch import save_file

from core.cache.cache_manager import CacheManager
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from core.generator.model_manager import LoadedModel, ModelManager
from core.generator.sampler import Drawing, Settings
from core.models.discovery import discover
from core.models.networks import PREDECESSOR_NET
from core.precision import resolve_precision
from core.samplers import DEFAULT_SAMPLER, usual_steps

CPU = torch.device("cpu")
REFERENCE_STEPS = 50
SEED = 42


class Reference:
    """The predecessor's way of making an image."""

    def __init__(self, net: UNet2DModel) -> None:
        self.net = net
        self.scheduler = DDPMScheduler(
            num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2", prediction_type="epsilon"
        )
        self.scheduler.set_timesteps(REFERENCE_STEPS)

    @torch.no_grad()
    def steps(self) -> Iterator[torch.Tensor]:
        """Yield x_t after every step of one image."""
        x = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(SEED))
        for t in self.scheduler.timesteps:
            x = self.scheduler.step(self.net(x, t).sample, t, x).prev_sample
            yield x

    def image(self) -> None:
        """Make one image, without saving it."""
        for x in self.steps():
            last = x
        ((last + 1) / 2).clamp(0, 1).mul(255).to(torch.uint8)


class Stepper:
    """Takes one step at a time of endless images."""

    def __init__(self, begin: Callable[[], Iterator[object]]) -> None:
        self._begin = begin
        self._steps = begin()

    def __call__(self) -> None:
        """Take one step."""
        if next(self._steps, None) is None:
            self._steps = self._begin()
            next(self._steps)


def engine_steps(model: LoadedModel) -> Callable[[], Iterator[object]]:
    """Return what begins an image of this engine with its default settings."""
    settings = Settings(DEFAULT_SAMPLER, usual_steps(), 1.0, 1)
    return lambda: Drawing(model, settings, [SEED]).states()


def with_torchs_attention(model: LoadedModel) -> LoadedModel:
    """Give the network torch's own attention back."""
    for module in model.net.modules():
        if isinstance(module, Attention):
            module.set_processor(AttnProcessor2_0())
    return model


def take_turns(work: dict[str, Callable[[], None]], repeats: int, warm_up: int = 0) -> dict[str, list[float]]:
    """Time every piece of work `repeats` times in seconds, in turns, after `warm_up` turns that do not count."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(warm_up + repeats):
        for name, task in work.items():
            began = time.perf_counter()
            task()
            if turn >= warm_up:
                times[name].append(time.perf_counter() - began)
    return times


def report(title: str, times: dict[str, list[float]], unit: float, suffix: str) -> None:
    """Print medians with range and n, and the paired ratio to the first row."""
    print(f"\n{title}")
    names = list(times)
    for name in names:
        values = [value * unit for value in times[name]]
        ratios = sorted(a / b for a, b in zip(times[names[0]], times[name], strict=True))
        print(
            f"  {name:34} median {statistics.median(values):9.1f} {suffix}  ({min(values):.1f}..{max(values):.1f}, "
            f"n={len(values)})   {statistics.median(ratios):5.2f}x faster ({ratios[0]:.2f}..{ratios[-1]:.2f})"
        )


def describe_machine() -> str:
    """Return what the numbers were measured on."""
    features = torch.cpu.get_capabilities()
    wide = ", ".join(name for name in ("avx2", "avx512_f", "avx512_bf16", "amx_bf16") if features.get(name))
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    return (
        f"{features.get('cpu_name', platform.processor())} [{wide}], {torch.get_num_threads()} threads, load {load}, "
        f"torch {torch.__version__}, Python {platform.python_version()}, {platform.system()}"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 repeats of a step, no whole images")
    parser.add_argument("--repeats", type=int, default=15, help="timed steps of each kind")
    parser.add_argument("--images", type=int, default=3, help="timed whole images of each kind")
    arguments = parser.parse_args()
    repeats, images = (3, 0) if arguments.quick else (arguments.repeats, arguments.images)
    print(describe_machine())
    with tempfile.TemporaryDirectory() as folder:
        _compare(Path(folder), repeats, images)


def _compare(folder: Path, repeats: int, images: int) -> None:
    torch.manual_seed(0)
    net = UNet2DModel(**PREDECESSOR_NET).eval()
    save_file(net.state_dict(), folder / "unet_MEL_best.safetensors")
    reference = Reference(net)
    auto = resolve_precision("auto", CPU)
    chosen = discover(folder).classes["MEL"]

    def load(precision: str) -> LoadedModel:
        return ModelManager(CacheManager()).load(chosen, CPU, precision)

    work: dict[str, Callable[[], None]] = {"predecessor (fp32, NCHW)": Stepper(reference.steps)}
    work["this engine, fp32"] = Stepper(engine_steps(load("fp32")))
    if auto == "bf16":
        work["this engine, bf16, torch's attention"] = Stepper(engine_steps(with_torchs_attention(load("bf16"))))
        work["this engine, bf16"] = Stepper(engine_steps(load("bf16")))
    report("One denoising step, 128 x 128, batch 1", take_turns(work, repeats, warm_up=1), 1000, "ms")
    if images:
        engine = _image_maker(folder, ImageGenerator())
        whole = {f"predecessor ({REFERENCE_STEPS} steps, not saved)": reference.image}
        whole[f"this engine (defaults, {auto}, saved)"] = engine
        report("One image, start to end", take_turns(whole, images), 1, "s ")


def _image_maker(folder: Path, generator: ImageGenerator) -> Callable[[], None]:
    request = GenerationRequest(counts=(("MEL", 1),), models=folder, output=folder / "out", device="cpu")

    def make() -> None:
        for _ in generator.generate(request):
            pass

    return make


if __name__ == "__main__":
    main()
