"""A sampler's scheduler for a model: built fresh for a batch, or refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import ModelArchitectureError, UsageError
from core.message import Message
from core.models.config_schema import why_no_scheduler
from core.samplers import SAMPLERS
from core.schedulers import PREDICTION_TYPES, Scheduler


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
