"""What a checkpoint holds, what a continued run may change, and where the first weights of a new one come from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers.training_utils import EMAModel

from core.diffusers_parts import UNet2DModel
from core.errors import ModelArchitectureError, ModelMissingError, UsageError
from core.generator.model_manager import model_source
from core.message import Message
from core.models.discovery import discover
from core.models.networks import build_net, read_state
from diffusion.config import BUDGET_KEYS
from training.runtime import Checkpoint, counted, load_checkpoint, restoring
from training.settings import Settings


def refuse_changes(
    saved: Mapping[str, Any],
    config: Settings,
    fingerprint: tuple[str, str],
    path: Path,
    free: frozenset[str] = BUDGET_KEYS,
) -> None:
    """Raise UsageError, naming what differs, if a run would be continued as another one.

    Parameters
    ----------
    saved
        Settings in the checkpoint. One that is not there yet in a version which wrote it was as it is by default.
    fingerprint
        Of the data then and now.
    free
        Settings that may change.
    """
    before = {**type(config)().model_dump(mode="json"), **saved}
    changed = [
        f"{key} was {before[key]!r} and is {value!r}"
        for key, value in config.model_dump(mode="json").items()
        if key not in free and before[key] != value
    ]
    if changed:
        raise UsageError(
            Message(
                "The run in {parent} was started with other settings: {changed}.",
                parent=path.parent,
                changed="; ".join(changed),
            ),
            remedy=Message(
                "Leave them as they were; a continued run may change {free}. For other settings start a "
                "new run, from these weights if you like (--init-from).",
                free=", ".join(sorted(free)),
            ),
            path=path,
        )
    if fingerprint[0] != fingerprint[1]:
        raise UsageError(
            Message(
                "The run in {parent} was started with other photographs, or another split of them.", parent=path.parent
            ),
            remedy=Message("Give it the same --data, or start a new run from these weights with --init-from."),
            path=path,
        )


def initialise(net: UNet2DModel, ema: EMAModel, source: Path) -> None:
    """Give a network and its moving average the weights of a model pack, a checkpoint, or a run's `last.pt`.

    A `last.pt` has both; any other source gives both the same weights.

    Raises
    ------
    ModelRefusedError
        If there is no such model, or it is of another architecture.
    """
    if source.suffix == ".pt":
        _from_training(net, ema, load_checkpoint(source, torch.device("cpu")), source)
    else:
        _load(net, read_state(_weights_of(source)), source)
        ema.load_state_dict({**ema.state_dict(), "shadow_params": [p.detach().clone() for p in net.parameters()]})


def _from_training(net: UNet2DModel, ema: EMAModel, state: Checkpoint, source: Path) -> None:
    try:
        weights, average = state["net"], state["ema"]
    except KeyError as error:
        raise ModelArchitectureError(
            Message(
                "{source} is no checkpoint of a generator's training: it has no '{args}'.",
                source=source,
                args=error.args[0],
            ),
            remedy=Message("Name the last.pt of a run of 'train diffusion', or a model pack."),
            path=source,
        ) from error
    with restoring(source):
        _load(net, weights, source)
        # the number of steps is what warms the average up: it has been warmed up already
        steps = {name: average[name] for name in ("shadow_params", "optimization_step")}
        restore_average(ema, {**ema.state_dict(), **steps})


def restore_average(ema: EMAModel, saved: Mapping[str, Any]) -> None:
    """Give a moving average its saved state, on the device where it is.

    Raises
    ------
    ValueError
        If it is the average of another network, or does not say of how many steps.
    """
    counted(saved, "optimization_step")
    own, shadow = ema.state_dict(), saved["shadow_params"]
    if [tensor.shape for tensor in shadow] != [tensor.shape for tensor in own["shadow_params"]]:
        raise ValueError("its average is of another network")
    moved = [tensor.to(mine.device) for tensor, mine in zip(shadow, own["shadow_params"], strict=True)]
    ema.load_state_dict({**saved, "shadow_params": moved})


def best_of(saved: Any) -> dict[str, Any] | None:
    """Return the best evaluation that a checkpoint remembers; raises ValueError if it is none."""
    if saved is None:
        return None
    kid = saved["kid"]
    if kid is not None and not (isinstance(kid, float) and math.isfinite(kid)):
        raise ValueError(f"its best kernel distance is {str(kid)[:40]}")
    space = text_of(saved.get("space")) or ""  # of a version that selected in the judge's features
    return {"kid": kid, "images": counted(saved, "images")[0], "space": space}


def text_of(saved: Any) -> str | None:
    """Return a text or None; raises TypeError for anything else."""
    if saved is not None and not isinstance(saved, str):
        raise TypeError(f"a {type(saved).__name__} in place of text")
    return saved


def _load(net: UNet2DModel, weights: Mapping[str, torch.Tensor], source: Path) -> None:
    net.load_state_dict(build_net(net.config, weights, torch.float32, source).state_dict())


def _weights_of(source: Path) -> Path:
    if not source.exists():
        raise ModelMissingError(
            Message("There is no model {source}.", source=source), remedy=Message("Check the path."), path=source
        )
    models = [model for model in discover(source).classes.values() if model.available]
    if not models:
        reason = next((model.reason for model in discover(source).classes.values()), "")
        raise ModelMissingError(
            Message("{source} holds no usable model: {reason}.", source=source, reason=reason),
            remedy=Message("Name a model pack."),
            path=source,
        )
    return model_source(models[0]).weights
