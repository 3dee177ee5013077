"""The samplers that there are, without a library: whoever wants one built gets it from `core.schedulers`.

A new sampler is one decorated function here, or in any module that is imported: its docstring is the hint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.message import Message
from core.registry import Column, Registry, hint_of

Build = Callable[[Mapping[str, Any], int], Any]
"""(what the model was trained with, steps) -> a fresh scheduler of diffusers, or one that steps like it."""


@dataclass(frozen=True, slots=True)
class Sampler:
    """One sampler.

    Attributes
    ----------
    steps
        How many steps it takes unless told otherwise.
    build
        Makes its scheduler for one batch.
    """

    key: str
    title: str
    hint: str
    steps: int
    build: Build


SAMPLERS: Final[Registry[Sampler]] = Registry(
    "sampler", "samplers", columns=[Column("Usual steps", lambda entry: entry.steps)]
)

DEFAULT_SAMPLER: Final = "dpmpp-2m-sde"


def sampler(key: str, *, title: str, steps: int) -> Callable[[Build], Build]:
    """Declare, as a decorator of the function that builds its scheduler, a sampler."""

    def declare(build: Build) -> Build:
        SAMPLERS.add(Sampler(key, title, hint_of(build), steps, build))
        return build

    return declare


def usual_steps(key: str = DEFAULT_SAMPLER) -> int:
    """Return how many steps a sampler takes unless told otherwise."""
    return SAMPLERS[key].steps


@sampler("dpmpp-2m-sde", title="DPM++ 2M SDE", steps=20)
def dpmpp_2m_sde(config: Mapping[str, Any], steps: int) -> Any:
    """Second-order stochastic solver (arXiv:2211.01095); the default."""
    from core import schedulers

    return schedulers.dpmpp_2m_sde(config, steps)


@sampler("unipc", title="UniPC", steps=20)
def unipc(config: Mapping[str, Any], steps: int) -> Any:
    """Predictor-corrector of second order (arXiv:2302.04867); deterministic after the initial noise."""
    from core import schedulers

    return schedulers.unipc(config, steps)


@sampler("ddim", title="DDIM", steps=50)
def ddim(config: Mapping[str, Any], steps: int) -> Any:
    """First-order deterministic solver (arXiv:2010.02502), for every number of steps."""
    from core import schedulers

    return schedulers.ddim(config, steps)


@sampler("euler", title="Euler", steps=20)
def euler(config: Mapping[str, Any], steps: int) -> Any:
    """Straight steps along a rectified flow (arXiv:2209.03003); with models of another kind the same as DDIM."""
    from core import schedulers

    return schedulers.euler(config, steps)


@sampler("heun", title="Heun", steps=10)
def heun(config: Mapping[str, Any], steps: int) -> Any:
    """Second-order deterministic solver (arXiv:2206.00364) that asks the network twice a step."""
    from core import schedulers

    return schedulers.heun(config, steps)


@sampler("ddpm", title=Message("DDPM (ISICGenerator)"), steps=50)
def ddpm(config: Mapping[str, Any], steps: int) -> Any:
    """Ancestral sampling (arXiv:2006.11239) with diffusers' DDPMScheduler; with 50 steps the ISICGenerator setting."""
    from core import schedulers

    return schedulers.ddpm(config, steps)
