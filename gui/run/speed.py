"""How long an image takes on this machine: measured in every run, or tried out before the first; never guessed."""

from __future__ import annotations

import hashlib
from typing import Final

from core.events import Started
from core.generation import GenerationRequest
from core.generator.cost import RunEstimate
from gui.common.settings import SettingsModel

NEW_SHARE: Final = 0.3
"""Weight of the latest image in the running mean: quick to follow another load, slow to follow one hiccup."""


class SpeedBook:
    """Seconds per image and denoising step, by device, precision, image size, models and guidance."""

    def __init__(self, settings: SettingsModel) -> None:
        self._settings = settings
        self._tried: dict[str, float] = {}

    def learn(self, request: GenerationRequest, started: Started, size: int, seconds: float) -> None:
        """Take an image into account that took `seconds` in the run that `started`."""
        key = _key(request, started.device, started.precision, size)
        known = self._settings.recall(key, 0.0, float)
        latest = seconds / max(1, started.steps)
        self._settings.remember(key, latest if known <= 0 else known + NEW_SHARE * (latest - known))

    def expect(self, request: GenerationRequest, told: RunEstimate, per_step: float) -> None:
        """Take the seconds of a trial, until the first image made here knows better."""
        self._tried[self.kind(request, told)] = per_step

    def kind(self, request: GenerationRequest, told: RunEstimate) -> str:
        """Return what two requests have in common whose images take equally long a step."""
        return _key(request, told.device, told.precision, told.image_size)

    def seconds(self, request: GenerationRequest, device: str, precision: str, size: int) -> float | None:
        """Return what all images of a request will take, or None if nothing like them was made or tried here."""
        key = _key(request, device, precision, size)
        per_step = self._settings.recall(key, 0.0, float) or self._tried.get(key, 0.0)
        images = sum(count for _, count in request.counts)
        return images * request.steps * per_step if per_step > 0 else None


def _key(request: GenerationRequest, device: str, precision: str, size: int) -> str:
    models = hashlib.sha256(str(request.models.absolute()).encode()).hexdigest()[:12]
    guidance = "own" if request.guidance is None else f"{request.guidance:g}"
    return f"speed/{device.replace(':', '')}-{precision}-{size}-{models}-{guidance}"
