"""The base of all requests: frozen, complete, and known to a function that carries them out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar

from core.jobs.options import arguments_of


class Request:
    """Base of all requests; a subclass is a frozen dataclass whose fields are declared by `core.jobs.options.option`.

    Nothing further down reads settings, environment or widgets: what a job needs to know stands in its request.

    Attributes
    ----------
    command
        Words of the command line, such as ``("train", "diffusion")``.
    """

    __slots__ = ()
    command: ClassVar[tuple[str, ...]]

    def arguments(self) -> list[str]:
        """Return the words behind `python main.py` that ask for exactly this."""
        return [*self.command, *arguments_of(self)]

    def to_json(self) -> dict[str, Any]:
        """Return the request as plain JSON types, paths in full."""
        assert dataclasses.is_dataclass(self)
        return {one.name: _plain(getattr(self, one.name)) for one in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value.absolute())
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return value
