"""One validated set of settings decides a training run; it comes from a preset, a file and flags, in that order."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import tomli
from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import UsageError
from core.files import loose_json
from core.files.opening import read_regular
from core.message import Message

MAX_BYTES = 1024**2
"""Of a file of settings."""

_SHOWN: Final = 100
"""Letters of a key that a message repeats."""


class SettingsRefusedError(UsageError):
    """A training setting is unknown or impossible."""

    kind = "settings"


class Settings(BaseModel):
    """Base of the trainers' settings: frozen, complete, and closed to unknown keys.

    Subclasses bound every field (`Field(ge=..., le=..., description=...)`) and refuse combinations that cannot work in
    `model_validator`s, whose messages name the key to change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


S = TypeVar("S", bound=Settings)


def load_settings(
    cls: type[S],
    *,
    file: Path | None = None,
    preset: Mapping[str, object] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> S:
    """Return validated settings; overrides win over the file, the file over the preset.

    Parameters
    ----------
    file
        TOML or JSON, by its ending; only the keys that differ from the defaults are needed.
    overrides
        Values from the command line; text is read as its field's type.

    Raises
    ------
    SettingsRefusedError
        If a key is unknown (the nearest right one is named), a value impossible, or the file unreadable.
    """
    values = {**(preset or {}), **(_read(file) if file else {}), **(overrides or {})}
    source = f" in {file}" if file else ""
    try:
        return cls.model_validate(values)
    except ValidationError as error:
        problems = [_sentence(cls, detail) for detail in error.errors()]
        raise SettingsRefusedError(
            Message(
                "The training settings{source} cannot be used: {problems}", source=source, problems=" ".join(problems)
            ),
            remedy=Message("Correct the keys named; docs/training.md explains each of them."),
            path=file,
        ) from error


def parse_assignments(assignments: tuple[str, ...]) -> dict[str, object]:
    """Turn `key=value` texts into overrides; a value that is JSON (a list, a number, true) is read as such.

    Raises
    ------
    SettingsRefusedError
        If a text has no `=`.
    """
    values: dict[str, object] = {}
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise SettingsRefusedError(
                Message("'{text}' is not KEY=VALUE.", text=text), remedy=Message("Write --set key=value.")
            )
        values[key.strip()] = _json_or_text(value)
    return values


def _json_or_text(value: str) -> object:
    try:
        return loose_json.parse(value)
    except ValueError:
        return value


def _read(path: Path) -> dict[str, Any]:
    try:
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig")
        data = tomli.loads(text) if path.suffix.lower() == ".toml" else loose_json.parse(text)
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsRefusedError(
            Message("The settings file {path} cannot be read: {error}.", path=path, error=error),
            remedy=Message("Name a TOML or JSON file."),
            path=path,
        ) from error
    if not isinstance(data, dict):
        raise SettingsRefusedError(
            Message("{path} holds no table of settings.", path=path),
            remedy=Message("Write key = value lines."),
            path=path,
        )
    return data


def _sentence(cls: type[Settings], detail: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in detail["loc"])[:_SHOWN]
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, cls.model_fields, n=1, cutoff=0.5)
        return f"There is no setting '{key}'{f'; did you mean {near[0]}?' if near else '.'}"
    reason = detail["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{key} = {reprlib.repr(detail['input'])}: {reason}." if key else f"{reason}."
