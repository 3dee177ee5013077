"""The denoising loop: per-image random streams in, one state a step out. Nothing here knows of files or events."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.conditioning import NOTHING, Conditioning, Inputs, network_inputs, require_taken
from core.diffusers_parts import DDPMScheduler, DPMSolverMultistepScheduler, UniPCMultistepScheduler
from core.errors import ModelArchitectureError, UsageError
from core.generator.color import ColorStatistics, apply_color_statistics
from core.generator.model_manager import LoadedModel, ModelSource
from core.generator.start import FROM_NOISE, PLAIN, BatchStart, Blend, BlendedClasses, Start, slerp
from core.message import Message
from core.models.config_schema import why_no_scheduler
from core.precision import DTYPES
from core.samplers import SAMPLERS
from core.schedulers import PREDICTION_TYPES, ClippedHeun, FlowEuler, Scheduler, clip_range, describe_scheduler


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether an error says that an allocation failed, on a GPU or on the CPU."""
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)


def build_scheduler(sampler: str, config: Mapping[str, Any], steps: int) -> Scheduler:
    """Return a fresh scheduler, ready for one batch of `steps` steps.

    Parameters
    ----------
    sampler
        Key in `SAMPLERS`.
    config
        Configuration of any diffusers scheduler of the same model; `ddpm` takes all of it, the others what the model
        was trained with.
    steps
        From 1 to the number of training timesteps.

    Raises
    ------
    ModelArchitectureError
        If the configuration is none that this program can sample with.
    UsageError
        If the model has fewer training timesteps than `steps`.
    """
    if why := why_no_scheduler(config):
        raise _unusable(why)
    check_steps(config, steps)
    _check_prediction_type(config)
    try:
        made: Scheduler = SAMPLERS[sampler].build(config, steps)
        return made
    except (NotImplementedError, TypeError, ValueError, IndexError) as error:
        raise _unusable(str(error)) from error


def _unusable(why: str) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message("The scheduler configuration of this model cannot be used: {error}.", error=why),
        remedy=Message("Repair its scheduler_config.json; the one of a starter model is a working example."),
    )


def check_steps(config: Mapping[str, Any], steps: int) -> None:
    """Raise UsageError if a model was trained with fewer timesteps than `steps`."""
    train = config.get("num_train_timesteps", 1000)
    if not isinstance(train, int) or steps > train:
        raise UsageError(
            Message(
                "{steps} steps were requested, but the model was trained with {train} timesteps.",
                steps=steps,
                train=train,
            ),
            remedy=Message("Choose fewer steps."),
        )


def _check_prediction_type(config: Mapping[str, Any]) -> None:
    kind = config.get("prediction_type", "epsilon")
    if kind not in PREDICTION_TYPES:
        raise ModelArchitectureError(
            Message("The model predicts '{kind}', which no sampler supports.", kind=kind),
            remedy=Message("Its scheduler_config.json must say one of {names}.", names=", ".join(PREDICTION_TYPES)),
        )


Predictor = Callable[[Tensor, Tensor], Tensor]
"""(x_t float32 (B, 3, H, W), timestep) -> the network's raw prediction, float32, of the same shape."""


@dataclass(frozen=True, slots=True)
class StepState:
    """One denoising step of a batch; all tensors float32, shape (B, 3, H, W), on the network's device.

    Attributes
    ----------
    step
        1 to `steps`.
    timestep
        The timestep t that the network was asked about.
    noisy
        x_t, what the network saw.
    predicted
        The image that x_t was predicted to become, in [-1, 1].
    sample
        What the step leads to; the finished images after the last step.
    """

    step: int
    steps: int
    timestep: float
    noisy: Tensor
    predicted: Tensor
    sample: Tensor


class ImageStreams:
    """The random streams of a batch: one CPU generator per image, seeded by that image's seed alone.

    Parameters
    ----------
    seeds
        One seed per image of the batch.
    shape
        (3, H, W) of one image.
    """

    def __init__(self, seeds: Sequence[int], shape: tuple[int, int, int]) -> None:
        self.generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        self.initial = torch.cat([torch.randn((1, *shape), generator=g) for g in self.generators])

    def noise_hash(self, position: int) -> str:
        """Return the fingerprint of an image's initial noise."""
        return noise_hash(self.initial[position])

    def step_noise(self, scheduler: Scheduler) -> Tensor | None:
        """Return the noise of the next step; None to let the scheduler draw it from `generators`."""
        return None


class StreamsBetween(ImageStreams):
    """The random streams of images on the way from one to another: all their noise is between that of the two ends.

    DDPM draws the noise of its steps itself; there it is that of the nearer end.

    Parameters
    ----------
    ends
        Initial noise (1, C, h, w) of each end, and the seed of its stream.
    shares
        Of the second end, one for each image of the batch, 0..1.
    """

    def __init__(self, ends: tuple[tuple[Tensor, int], tuple[Tensor, int]], shares: Sequence[float]) -> None:
        (first, first_seed), (second, second_seed) = ends
        self._shares, self._shape = shares, first.shape
        self._pairs = [(_continued(first_seed, first.shape), _continued(second_seed, second.shape)) for _ in shares]
        self.generators = [pair[share > 0.5] for pair, share in zip(self._pairs, shares, strict=True)]
        self.initial = torch.cat([slerp(first, second, share) for share in shares])

    def step_noise(self, scheduler: Scheduler) -> Tensor | None:
        """Return the noise of the next step, between that of the ends."""
        if not isinstance(scheduler, DPMSolverMultistepScheduler):
            return None
        drawn = ([torch.randn(self._shape, generator=stream) for stream in pair] for pair in self._pairs)
        mixed = [slerp(one, other, share) for (one, other), share in zip(drawn, self._shares, strict=True)]
        return torch.cat(mixed)


def _continued(seed: int, shape: Sequence[int]) -> torch.Generator:
    """Return an image's stream behind its initial noise."""
    stream = torch.Generator("cpu").manual_seed(seed)
    torch.randn(tuple(shape), generator=stream)
    return stream


def noise_hash(noise: Tensor) -> str:
    """Return the first 16 hex digits of SHA-256 over the noise as little-endian float32."""
    return hashlib.sha256(noise.numpy().astype("<f4").tobytes()).hexdigest()[:16]


def denoise(
    predict: Predictor, scheduler: Scheduler, streams: ImageStreams, device: torch.device, start: Start = FROM_NOISE
) -> Iterator[StepState]:
    """Yield one state after every denoising step of a batch.

    The initial noise and the noise of every step are drawn in float32 on the CPU, image by image, so an image does not
    depend on the batch it is in nor on the device. The scheduler computes in float32 whatever the network does.

    Parameters
    ----------
    scheduler
        Fresh from `build_scheduler`; multistep schedulers remember, so each batch needs its own.
    start
        What to begin from, on the device, if not from noise alone.
    """
    noise = streams.initial.to(device)
    sample = start.first_sample(scheduler, noise, initial_scale(scheduler))
    if start.first and not isinstance(scheduler, DDPMScheduler):  # that one looks its level up by the timestep
        scheduler.set_begin_index(start.first)
    total = len(scheduler.timesteps)
    for step, timestep in enumerate(scheduler.timesteps[start.first :], start=start.first + 1):
        noisy = sample
        stepped, predicted = advance(
            predict, scheduler, timestep, noisy, streams.generators, streams.step_noise(scheduler)
        )
        sample = start.with_surroundings(scheduler, step, stepped, noise)
        yield StepState(step - start.first, total - start.first, float(timestep), noisy, predicted, sample)


def initial_scale(scheduler: Scheduler) -> float:
    """Return the deviation of the noise that sampling begins with."""
    return 1.0 if isinstance(scheduler, FlowEuler) else float(scheduler.init_noise_sigma)


# The mode must not be on while the consumer of the loop runs, so it is entered again for every step.
@torch.inference_mode()
def advance(
    predict: Predictor,
    scheduler: Scheduler,
    timestep: Tensor,
    noisy: Tensor,
    generators: list[torch.Generator],
    noise: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Take one denoising step and return x_{t-1} and the predicted x0.

    Parameters
    ----------
    generators
        One for each image of the batch; the step's noise is drawn from them.
    noise
        In place of what would be drawn; DPM-Solver alone takes it.
    """
    if isinstance(scheduler, FlowEuler | ClippedHeun):
        return scheduler.advance(predict, timestep, noisy)
    output = predict(noisy, timestep)
    streams: dict[str, Any] = {} if isinstance(scheduler, UniPCMultistepScheduler) else {"generator": generators}
    if noise is not None:
        streams["variance_noise"] = noise
    result = scheduler.step(output, timestep, noisy, **streams)
    if isinstance(scheduler, DDPMScheduler):
        largest = clip_range(scheduler.config)
        return result.prev_sample, result.pred_original_sample.clamp(-largest, largest)
    return result.prev_sample, scheduler.model_outputs[-1]


def to_uint8(images: Tensor) -> NDArray[np.uint8]:
    """Return images in [-1, 1], shape (..., 3, H, W), as uint8 of shape (..., H, W, 3).

    Values are truncated, not rounded, as ISICGenerator does.
    """
    scaled = (((images.float() + 1) / 2).clamp(0, 1) * 255).to(torch.uint8)
    return scaled.movedim(-3, -1).cpu().contiguous().numpy()


NO_GUIDANCE = 1.0

_FAILURES: Final = (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)
"""What a network raises whose parts do not fit together, depending on where they do not."""


def effective_guidance(model: LoadedModel | ModelSource, asked: float | None) -> float:
    """Return the guidance scale that will be used: what was asked, else what the model's maker recommends.

    A model without a null class cannot be guided; then it is 1 whatever was asked.
    """
    if model.null_label is None:
        return NO_GUIDANCE
    return float(model.recommended.get("guidance") or NO_GUIDANCE) if asked is None else asked


def make_predictor(
    model: LoadedModel, guidance: float, conditioning: Conditioning = NOTHING, blend: Blend | None = None
) -> Predictor:
    """Return the function that the denoising loop calls.

    With guidance g other than 1 the network sees every image twice in one doubled batch, with its conditions and with
    the null of each, and the prediction is uncond + g * (cond - uncond) (Ho & Salimans 2022, arXiv 2207.12598).

    Parameters
    ----------
    conditioning
        Beside the class, which is the model's own.
    blend
        Mixtures of classes in place of the model's own; as many as there are images in a batch.
    """
    dtype = DTYPES[model.precision]
    asked = conditioning.with_class("own")

    def predict(images: Tensor, timestep: Tensor, inputs: Inputs) -> Tensor:
        seen = torch.cat([images, *inputs.channels], dim=1) if inputs.channels else images
        seen = seen.to(dtype).contiguous(memory_format=torch.channels_last)
        with (
            torch.backends.cudnn.flags(deterministic=True, benchmark=False, allow_tf32=False),
            _refusing(model),
            _blending(model, blend),
        ):
            answer: Tensor = model.net(seen, timestep, **inputs.arguments, return_dict=False)[0]
            if answer.shape != images.shape:
                raise ValueError(f"it makes {tuple(answer.shape)} of {tuple(images.shape)}")
        return answer.float()

    def plain(images: Tensor, timestep: Tensor) -> Tensor:
        return predict(images, timestep, network_inputs(model, asked, len(images)))

    def guided(images: Tensor, timestep: Tensor) -> Tensor:
        both = [network_inputs(model, one, len(images)) for one in (asked, NOTHING)]
        answer = predict(torch.cat([images, images]), timestep, _joined(*both))
        conditional, unconditional = answer.chunk(2)
        return unconditional + guidance * (conditional - unconditional)

    return plain if guidance == NO_GUIDANCE else guided


@contextmanager
def _blending(model: LoadedModel, blend: Blend | None) -> Iterator[None]:
    """Let the network embed mixtures of classes inside."""
    if blend is None:
        yield
        return
    embedding = model.net.class_embedding
    model.net.class_embedding = BlendedClasses(embedding, blend)
    try:
        yield
    finally:
        model.net.class_embedding = embedding


@contextmanager
def _refusing(model: LoadedModel) -> Iterator[None]:
    """Say that the model is at fault if its network was built as described and cannot compute; memory is not its fault.

    Raises
    ------
    ModelArchitectureError
        If something fails inside.
    """
    try:
        yield
    except _FAILURES as error:
        if isinstance(error, RuntimeError) and (is_out_of_memory(error) or "CUDA error" in str(error)):
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelArchitectureError(
            Message("The network of {path} can be built but not run: {reason}.", path=model.path, reason=reason),
            remedy=Message("Use the config.json that was saved together with the weights."),
            path=model.path,
        ) from error


def _joined(first: Inputs, second: Inputs) -> Inputs:
    """Return the inputs of two batches as those of one."""
    pairs = ((name, first.arguments[name], second.arguments[name]) for name in first.arguments)
    arguments = {name: torch.cat([one, other]) for name, one, other in pairs if one is not None and other is not None}
    return Inputs(arguments, tuple(torch.cat(pair) for pair in zip(first.channels, second.channels, strict=True)))


_PADDING_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """How to sample.

    Attributes
    ----------
    guidance
        As it will be used, see `effective_guidance`.
    batch_size
        Every batch is filled up to this many images: convolutions of another shape round differently in the last bit.
    """

    sampler: str
    steps: int
    guidance: float
    batch_size: int


class Drawing:
    """A batch of images of one class being drawn.

    Parameters
    ----------
    seeds
        One for each image, at most `settings.batch_size`.
    scheduler
        In place of the model's own, fresh from `build_scheduler`.
    conditioning
        Beside the class, which is the model's own.
    start
        What the images begin from, if not from noise alone.
    """

    def __init__(
        self,
        model: LoadedModel,
        settings: Settings,
        seeds: Sequence[int],
        scheduler: Scheduler | None = None,
        conditioning: Conditioning = NOTHING,
        start: BatchStart = PLAIN,
    ) -> None:
        require_taken(conditioning, model.takes, model.path.name)
        self.count = len(seeds)
        self.conditioning = conditioning
        self._model = model
        self._start = start
        self._predict = make_predictor(model, settings.guidance, conditioning, start.blend)
        self._scheduler = scheduler or build_scheduler(settings.sampler, model.scheduler_config, settings.steps)
        padding = [_PADDING_SEED] * (settings.batch_size - len(seeds))
        self._streams = start.streams or ImageStreams([*seeds, *padding], model.noise_shape)
        self.scheduler_config = describe_scheduler(self._scheduler)

    def noise_hash(self, position: int) -> str:
        """Return the fingerprint of the initial noise of the image at `position` of the batch."""
        return self._streams.noise_hash(position)

    def states(self) -> Iterator[StepState]:
        """Yield one state per denoising step, without the padding; can be gone through once."""
        n = self.count
        for state in denoise(self._predict, self._scheduler, self._streams, self._model.device, self._start.start):
            tensors = (state.noisy[:n], state.predicted[:n], state.sample[:n])
            yield StepState(state.step, state.steps, state.timestep, *tensors)

    def finished(self, position: int, pixels: NDArray[np.uint8], color: ColorStatistics | None) -> NDArray[np.uint8]:
        """Return the image at `position` of the batch as it is stored: colours corrected, surroundings as they were."""
        corrected = pixels if color is None else apply_color_statistics(pixels, color)
        return self._start.around(position, corrected)
