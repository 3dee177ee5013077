"""One batch from seeds to images: noise, scheduler and network put together. What is drawn goes to nobody from here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from core.conditioning import NOTHING, Conditioning, require_taken
from core.generator.model_manager import LoadedModel
from core.generator.predictor import make_predictor
from core.generator.sampler import ImageStreams, StepState, denoise
from core.generator.scheduling import build_scheduler
from core.schedulers import describe_scheduler

_PADDING_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """How to sample.

    Attributes
    ----------
    guidance
        As it will be used, see `predictor.effective_guidance`.
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
    scheduler_config
        In place of the model's own, as `build_scheduler` takes it.
    conditioning
        Beside the class, which is the model's own.
    """

    def __init__(
        self,
        model: LoadedModel,
        settings: Settings,
        seeds: Sequence[int],
        scheduler_config: Mapping[str, Any] | None = None,
        conditioning: Conditioning = NOTHING,
    ) -> None:
        require_taken(conditioning, model.takes, model.path.name)
        self.count = len(seeds)
        self.conditioning = conditioning
        self._model = model
        self._predict = make_predictor(model, settings.guidance, conditioning)
        self._scheduler = build_scheduler(settings.sampler, scheduler_config or model.scheduler_config, settings.steps)
        padding = [_PADDING_SEED] * (settings.batch_size - len(seeds))
        self._streams = ImageStreams([*seeds, *padding], model.noise_shape)
        self.scheduler_config = describe_scheduler(self._scheduler)

    def noise_hash(self, position: int) -> str:
        """Return the fingerprint of the initial noise of the image at `position` of the batch."""
        return self._streams.noise_hash(position)

    def states(self) -> Iterator[StepState]:
        """Yield one state per denoising step, without the padding; can be gone through once."""
        n = self.count
        for state in denoise(self._predict, self._scheduler, self._streams, self._model.device):
            tensors = (state.noisy[:n], state.predicted[:n], state.sample[:n])
            yield StepState(state.step, state.steps, state.timestep, *tensors)
