"""What a denoising step does: act, or, where it is left out, the neutral action (docs/adr/0013)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from torch import Tensor

from core.errors import UsageError
from core.generator.model_manager import LoadedModel
from core.generator.sampler import NO_GUIDANCE, Predictor, advance, make_predictor
from core.message import Message
from core.schedulers import Scheduler
from xai.trajectory.branches import Branches

StepAction = Callable[[Branches, Tensor], Branches]
"""Takes one denoising step at a timestep, for all branches; the scheduler and the generators move on."""

DESCRIPTIONS: Final = {
    "null": "a step that is left out predicts with the network's null class: it denoises, but towards no class",
    "hold": "a step that is left out does not ask the network: it keeps the image that the last acting step predicted "
    "(mid-grey before any has acted)",
}


@dataclass(frozen=True, slots=True)
class Actions:
    """The two things that a step can do.

    Attributes
    ----------
    neutral_name
        `null` or `hold`.
    """

    act: StepAction
    neutral: StepAction
    neutral_name: str


def make_actions(model: LoadedModel, guidance: float, neutral: str) -> Actions:
    """Return the actions of a model.

    Parameters
    ----------
    neutral
        `null`, `hold`, or `auto` for `null` where the model has a null class.

    Raises
    ------
    UsageError
        If `null` is asked for and the model has no null class.
    """
    act = acting(make_predictor(model, guidance))
    name = neutral if neutral != "auto" else ("hold" if model.null_label is None else "null")
    if name == "hold":
        return Actions(act, hold, name)
    if model.null_label is None:
        raise UsageError(
            Message("This model has no null class, so 'null' cannot replace its steps."),
            remedy=Message("Use --neutral hold."),
        )
    return Actions(act, acting(make_predictor(replace(model, class_label=model.null_label), NO_GUIDANCE)), name)


def acting(predict: Predictor) -> StepAction:
    """Return the action of asking a network, just as the sampler does."""

    def act(branches: Branches, timestep: Tensor) -> Branches:
        sample, predicted = advance(predict, branches.scheduler, timestep, branches.sample, branches.generators)
        return replace(branches, sample=sample, held=predicted)

    return act


def hold(branches: Branches, timestep: Tensor) -> Branches:
    """Take a step towards the held image: noise level, step noise and solver go on as usual, only nothing is learnt."""
    with _predicting_images(branches.scheduler):
        sample, _ = advance(
            lambda _noisy, _timestep: branches.held, branches.scheduler, timestep, branches.sample, branches.generators
        )
    return replace(branches, sample=sample)


@contextmanager
def _predicting_images(scheduler: Scheduler) -> Iterator[None]:
    kind = scheduler.config.prediction_type
    scheduler.register_to_config(prediction_type="sample")
    try:
        yield
    finally:
        scheduler.register_to_config(prediction_type=kind)
