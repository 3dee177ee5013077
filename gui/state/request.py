"""From settings and class choices to a request, and what that request will cost."""

from __future__ import annotations

from dataclasses import dataclass

from core.generator.request import GenerationRequest, order_counts
from gui.i18n import tr
from gui.state.classes import ClassesModel
from gui.state.settings import SettingsModel


def build_request(settings: SettingsModel, classes: ClassesModel) -> GenerationRequest:
    """Return what the window asks for now.

    Raises
    ------
    UsageError
        If nothing is asked for.
    """
    get = settings.get
    return GenerationRequest(
        counts=order_counts(classes.counts()),
        models=settings.models,
        output=settings.output,
        seed=None if get("generation.seed_random") else get("generation.seed"),
        sampler=get("generation.sampler"),
        steps=get("generation.steps"),
        guidance=get("generation.guidance") or None,
        device=get("generation.device"),
        precision=get("generation.precision"),
        batch_size=get("generation.batch_size") or None,
        color=get("generation.color"),
        xai_every=get("xai.every") if get("xai.enabled") else 0,
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a request will cost; seconds are None until this machine has been measured."""

    classes: int
    images: int
    seconds: float | None

    def text(self) -> str:
        """Say it in one line."""
        if not self.images:
            return tr("Choose at least one class")
        parts = [tr("%n image(s)", self.images)]
        parts.append(f"~{duration(self.seconds)}" if self.seconds is not None else tr("time known after the first"))
        return " · ".join(parts)


def speed_key(settings: SettingsModel, title: str) -> str:
    """Return where the measured speed of this combination is kept."""
    get = settings.get
    return f"speed/{title}/{get('generation.device')}/{get('generation.precision')}".replace(" ", "_")


def estimate(settings: SettingsModel, classes: ClassesModel, title: str) -> Estimate:
    """Estimate the request from the last measured seconds per image and step."""
    counts = classes.counts()
    images = sum(counts.values())
    per_step = settings.recall(speed_key(settings, title), 0.0, float)
    steps = settings.get("generation.steps")
    return Estimate(len(counts), images, images * steps * per_step if per_step > 0 else None)


def duration(seconds: float) -> str:
    """Return a duration as people say it: ``38 s``, ``2 min 10 s``, ``1 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"
