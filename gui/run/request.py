"""From settings and class choices to a request, and what that request will cost, in words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from core.errors import UsageError
from core.files import loose_json
from core.generation import GenerationRequest, order_counts
from gui.common.settings import SettingsModel
from gui.i18n import tr
from gui.i18n.numbers import duration, size_text
from gui.run.classes import ClassesModel

LAST_REQUEST: Final = "run/last_request"


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


def remember_request(settings: SettingsModel, request: GenerationRequest) -> None:
    """Keep a request for the next start of the window."""
    settings.remember(LAST_REQUEST, json.dumps(request.to_json()))


def recall_request(settings: SettingsModel) -> GenerationRequest | None:
    """Return the request that was started last, or None if there is none that this version understands."""
    try:
        return GenerationRequest.from_json(loose_json.parse(settings.recall(LAST_REQUEST, "", str)))
    except (ValueError, UsageError):
        return None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a request will cost.

    Attributes
    ----------
    counts
        Images of each class that is asked for.
    seconds
        None until images like these have been made or tried on this machine.
    disk
        Bytes; None until the size of the images is known.
    is_trying
        Whether the time is being found out at this moment.
    """

    counts: tuple[int, ...]
    seconds: float | None
    disk: int | None
    is_trying: bool = False

    @property
    def images(self) -> int:
        """All images."""
        return sum(self.counts)

    def text(self) -> str:
        """Say it in one line."""
        if not self.images:
            return tr("Choose at least one class")
        if self.disk is None:  # the engine, which knows device and models, has not answered yet
            return self._what()
        return " · ".join((self._what(), self._time(), size_text(self.disk)))

    def _time(self) -> str:
        if self.seconds is not None:
            return f"~{duration(self.seconds)}"
        return tr("timing…") if self.is_trying else tr("time estimate after the first image")

    def _what(self) -> str:
        classes, each = len(self.counts), self.counts[0]
        if classes > 1 and set(self.counts) == {each}:
            return tr("{classes} classes × %n image(s)", each).format(classes=classes)
        return tr("%n image(s)", self.images)


def describe_request(request: GenerationRequest) -> str:
    """Say in one line what a request makes: ``MEL 4, NV 2 · 20 steps · seed 42``."""
    counts = ", ".join(f"{code} {count}" for code, count in request.counts)
    seed = tr("random seeds") if request.seed is None else tr("seed {seed}").format(seed=request.seed)
    return f"{counts} · {tr('%n step(s)', request.steps)} · {seed}"
