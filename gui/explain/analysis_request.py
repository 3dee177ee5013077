"""From what the window shows to the analysis that suits it."""

from __future__ import annotations

from pathlib import Path

from gui.common.picture import Picture
from gui.common.settings import SettingsModel
from xai.trajectory.request import TrajectoryRequest

RESULTS = "xai_results"


def suggest_analysis(settings: SettingsModel, picture: Picture | None) -> TrajectoryRequest:
    """Return the analysis of the shown image, or of its class where it is none that can be drawn again."""
    get = settings.get
    own = picture is not None and picture.recipe is not None
    seed = get("generation.seed")
    return TrajectoryRequest(
        output=settings.output / RESULTS,
        image=picture.path if picture is not None and own else None,
        classes=((picture.label if picture else None) or "MEL",),
        seed=seed,
        models=_models(settings),
        classifier=settings.classifier,
        device=get("generation.device"),
        sampler=get("generation.sampler"),
        steps=get("generation.steps"),
        every=get("xai.save_steps"),
        baseline=get("xai.baseline"),
    )


def _models(settings: SettingsModel) -> Path | None:
    return None if settings.models == settings.paths.default_models_dir else settings.models
