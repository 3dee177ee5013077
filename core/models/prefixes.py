"""Names of tensors without what wrappers put before them: parallel training, compilation, averages, whole pipelines."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final, TypeVar

_WRAPPERS: Final = ("module", "_orig_mod", "ema_model", "ema", "unet", "model", "net", "online_model")
_PREFIX: Final = re.compile(rf"^(?:(?:{'|'.join(_WRAPPERS)})\.)+")
_AVERAGED: Final = re.compile(r"^(?:\w+\.)*?ema(?:_model)?\.")

T = TypeVar("T")


class TwiceError(ValueError):
    """One tensor stands in a file under several prefixes, and it cannot be told which one is meant."""


def without_wrappers(tensors: Mapping[str, T], own: Collection[str] = ()) -> dict[str, T]:
    """Return tensors under their own names, whatever prefixes wrappers have put before them, in any order.

    Where a file holds a network and its average (`online_model.`, `ema_model.`), the average is meant.

    Parameters
    ----------
    own
        Beginnings of names that belong to the network itself although they look like a wrapper's.

    Raises
    ------
    TwiceError
        If a tensor stands in the file twice.
    """
    averaged = {name: value for name, value in tensors.items() if _AVERAGED.match(name)}
    rest = {_bare(name, own) for name in tensors.keys() - averaged.keys()}
    chosen = averaged if averaged and {_bare(name, own) for name in averaged} & rest else tensors
    found = {_bare(name, own): value for name, value in chosen.items()}
    if len(found) != len(chosen):
        raise TwiceError("the same tensor twice, with and without a prefix")
    return found


def _bare(name: str, own: Collection[str]) -> str:
    return name if any(name.startswith(begin) for begin in own) else _PREFIX.sub("", name)
