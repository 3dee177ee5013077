"""Settings as a file that travels: written whole, read with a preview of what it changes, taken over whole or not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.config.config_manager import ConfigManager, read_object
from core.config.legacy import import_legacy
from core.config.schema import BY_KEY, SCHEMA, Setting, Value
from core.errors import InputRefusedError, OutputError, UsageError
from core.files.atomic import write_text_atomic
from core.files.opening import FileTooLargeError
from core.message import Message
from core.version import PRODUCT, __version__

_HEAD: Final = "exported_by"
_LEGACY_MARK: Final = "advanced"
"""A section that only ISICGenerator's file has."""

_NOTHING_CHANGED: Final = Message(
    "Nothing was changed. Choose a file that was exported from the settings of this program."
)


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that a file would change."""

    setting: Setting
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What reading a settings file would do.

    Attributes
    ----------
    changes
        In the order of the schema; empty if everything is as in the file already.
    unknown
        Keys in the file that this version does not know and leaves out.
    """

    source: Path
    changes: tuple[Change, ...]
    unknown: tuple[str, ...] = ()


def export_settings(config: ConfigManager, target: Path) -> None:
    """Write every setting to `target`, the defaults too, so that the file means the same in another version.

    Raises
    ------
    OutputError
        If it cannot be written; then a file that was there is what it was.
    """
    tree: dict[str, Any] = {_HEAD: f"{PRODUCT} {__version__}"}
    for setting in SCHEMA:
        section, _, name = setting.key.partition(".")
        tree.setdefault(section, {})[name] = config.get(setting.key)
    try:
        write_text_atomic(target, json.dumps(tree, indent=2, ensure_ascii=False) + "\n")
    except OSError as problem:
        raise OutputError(
            Message(
                "The settings could not be written to {path}: {why}.", path=target, why=problem.strerror or problem
            ),
            remedy=Message("Choose another folder for the file."),
            path=target,
        ) from problem


def plan_import(config: ConfigManager, source: Path) -> ImportPlan:
    """Return what the settings file `source` would change; nothing is changed.

    A file of ISICGenerator is understood too. A setting that the file does not name stays as it is.

    Raises
    ------
    InputRefusedError
        If the file cannot be read, is no settings file, or holds a value that a setting does not take.
    """
    tree = _read(source)
    if _LEGACY_MARK in tree:
        values: Mapping[str, Any] = import_legacy(tree)
        unknown: tuple[str, ...] = ()
    else:
        values, unknown = _flatten(tree)
    if not values:
        raise _refused(source, Message("there is no setting of this program in it"))
    checked = {key: _checked(source, BY_KEY[key], value) for key, value in values.items()}
    changes = (
        Change(setting, config.get(setting.key), checked[setting.key]) for setting in SCHEMA if setting.key in checked
    )
    return ImportPlan(source, tuple(change for change in changes if change.before != change.after), unknown)


def _read(source: Path) -> Mapping[str, Any]:
    try:
        return read_object(source)
    except FileTooLargeError as problem:
        raise _refused(source, Message("it is far too large for one")) from problem
    except OSError as problem:
        raise _refused(source, problem.strerror or str(problem)) from problem
    except ValueError as problem:
        raise _refused(source, str(problem)) from problem


def _flatten(tree: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the values of known settings by key, and the keys that are not known."""
    known: dict[str, Any] = {}
    unknown: list[str] = []
    for section, values in tree.items():
        if section == _HEAD:
            continue
        pairs = values.items() if isinstance(values, dict) else [("", values)]
        for name, value in pairs:
            key = f"{section}.{name}" if name else section
            if key in BY_KEY:
                known[key] = value
            else:
                unknown.append(key)
    return known, tuple(unknown)


def _checked(source: Path, setting: Setting, value: Any) -> Value:
    try:
        return setting.check(value)
    except UsageError as problem:
        raise InputRefusedError(
            Message(
                "The settings in {path} cannot be used. {problem} {allowed}",
                path=source,
                problem=problem.message,
                allowed=problem.remedy,
            ),
            remedy=_NOTHING_CHANGED,
            path=source,
        ) from problem


def _refused(source: Path, why: str) -> InputRefusedError:
    return InputRefusedError(
        Message("The settings in {path} cannot be used ({why}).", path=source, why=why),
        remedy=_NOTHING_CHANGED,
        path=source,
    )
