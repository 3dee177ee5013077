"""An explanation method and a baseline, each as somebody would add one: in one file, by one decorated function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xai.baselines import baseline
from xai.methods import method

if TYPE_CHECKING:
    from xai.attribution import Attribution
    from xai.task import Task


@method("brightness", title="Brightness", hint="How bright each pixel is.", unit="brightness")
def _brightness(task: Task) -> Attribution:
    from xai.attribution import Attribution, score_ends, spread

    score, baseline_score = score_ends(task.score, task.image, task.baselines)
    return Attribution(spread(task.picture.mean(axis=2) / 255), score, baseline_score)


@baseline("half", title="half as bright", hint="The image at half its brightness.")
def _half(image: Any, _seed: int) -> tuple[Any, ...]:
    return ((image / 510).astype("float32"),)
