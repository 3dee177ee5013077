"""The few parts of diffusers that sampling needs, without the seconds that the rest of it takes to import.

`from diffusers import UNet2DModel` executes about a thousand modules that sampling never uses: torch's compiler, every
transformer that diffusers has, scipy's statistics. Here packages on the way are entered without executing their
``__init__``, which runs as soon as somebody asks such a package for a name that it has not got yet. What is imported
later, from anywhere, is therefore what diffusers itself would have given; classes are the same objects. The autoencoder
alone differs: it lacks the methods for adapters and single files, whose modules bring the compiler, too.

If a release of diffusers cannot be imported so, it is imported as usual.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

import torch  # noqa: F401  (first: half of it would otherwise be imported while its compiler is kept out)

PACKAGES: Final = (
    "scipy.stats",
    "diffusers.models.autoencoders",
    "diffusers.models.transformers",
    "diffusers.models.unets",
    "diffusers.schedulers",
)
"""Packages that are entered without being executed."""

KEPT_OUT: Final = "torch._dynamo"
"""diffusers marks some blocks for torch's compiler, and goes on without it where it cannot be imported."""

_log = logging.getLogger(__name__)


class _Postponed(ModuleType):
    """A package that is executed when it is first asked for something that it does not have yet."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks for these
            raise AttributeError(name)
        if not self.__dict__.get("_is_executed"):
            self.__dict__["_is_executed"] = True
            spec = self.__spec__
            assert spec is not None
            assert spec.loader is not None
            spec.loader.exec_module(self)
        put_in_place = sys.modules[self.__name__]  # some packages put another module in their place
        if put_in_place is self and name not in self.__dict__:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(put_in_place, name)


class _KeepsOut:
    """Finder that lets one thread not find one module."""

    def __init__(self, name: str) -> None:
        self._name, self._thread = name, threading.get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """Raise ImportError for the module; leave every other one to the finders that follow."""
        if name == self._name and threading.get_ident() == self._thread:
            raise ImportError(f"{name} is not needed here", name=name)
        return None


@contextmanager
def _without(name: str) -> Iterator[None]:
    finder = _KeepsOut(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _postpone(name: str) -> None:
    """Enter a package without executing it, unless it is there already."""
    if name in sys.modules:
        return
    parent, _, leaf = name.rpartition(".")
    above = importlib.import_module(parent)
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"There is no {name}.", name=name)
    module = _Postponed(name)
    module.__spec__, module.__loader__, module.__package__ = spec, spec.loader, name
    module.__path__, module.__file__ = list(spec.submodule_search_locations or ()), spec.origin
    sys.modules[name] = module
    setattr(above, leaf, module)


@contextmanager
def _without_loaders() -> Iterator[None]:
    """Let diffusers find empty classes in the place of those that load adapters and single files."""
    adapters, files = ModuleType("diffusers.loaders"), ModuleType("diffusers.loaders.single_file_model")
    adapters.__path__ = []
    adapters.PeftAdapterMixin = type("PeftAdapterMixin", (), {})  # type: ignore[attr-defined]
    files.FromOriginalModelMixin = type("FromOriginalModelMixin", (), {})  # type: ignore[attr-defined]
    before = {name: sys.modules.get(name) for name in (adapters.__name__, files.__name__)}
    sys.modules.update({adapters.__name__: adapters, files.__name__: files})
    try:
        yield
    finally:
        for name, module in before.items():
            del sys.modules[name]
            if module is not None:
                sys.modules[name] = module


def _import_lean() -> None:
    with _without(KEPT_OUT):
        for package in PACKAGES:
            _postpone(package)
        importlib.import_module("diffusers.models.unets.unet_2d")
        with _without_loaders():
            importlib.import_module("diffusers.models.autoencoders.autoencoder_kl")
        for name in ("ddpm", "dpmsolver_multistep", "flow_match_euler_discrete", "unipc_multistep"):
            importlib.import_module(f"diffusers.schedulers.scheduling_{name}")


def _forget() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "diffusers"]:
        del sys.modules[name]


if "diffusers" not in sys.modules:
    try:
        _import_lean()
    except (ImportError, AttributeError, RuntimeError) as error:  # another release of diffusers may be built otherwise
        _log.info("diffusers is imported as a whole: %s", error)
        _forget()

from diffusers.models.attention_processor import Attention  # noqa: E402
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: E402
from diffusers.models.modeling_utils import ModelMixin  # noqa: E402
from diffusers.models.unets.unet_2d import UNet2DModel  # noqa: E402
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler  # noqa: E402
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler  # noqa: E402
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (  # noqa: E402
    FlowMatchEulerDiscreteScheduler,
)
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler  # noqa: E402

__all__ = [
    "Attention", "AutoencoderKL", "DDPMScheduler", "DPMSolverMultistepScheduler", "FlowMatchEulerDiscreteScheduler",
    "ModelMixin", "UNet2DModel", "UniPCMultistepScheduler",
]  # fmt: skip
