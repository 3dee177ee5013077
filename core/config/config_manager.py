"""The user's settings: read with care, checked against the schema, saved atomically.

The file is ``config.json`` in the user's configuration folder: one object per section, ``{"ui": {"theme": "dark"}}``,
holding only what differs from the defaults. Keys that this version does not know are kept as they are.
"""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from core.config.legacy import import_legacy, legacy_places, lost_folders
from core.config.schema import BY_KEY, SCHEMA, Setting, Value
from core.errors import OutputError, UsageError
from core.files import loose_json
from core.files.atomic import write_text_atomic
from core.keeping import set_aside
from core.message import Message
from core.utils.path_manager import PathManager

__all__ = ["FILE_NAME", "SCHEMA", "ConfigManager", "Setting", "Value"]

FILE_NAME: Final = "config.json"
MAX_BYTES: Final = 1_000_000
"""A settings file has a few kilobytes; whatever is larger is something else."""


class ConfigManager:
    """The settings of one user.

    Parameters
    ----------
    path
        The settings file; the user's own unless told otherwise.
    legacy
        Settings files of ISICGenerator, looked at only while `path` does not exist yet; the first readable one is
        taken over and saved, so it happens once.

    Attributes
    ----------
    notices
        What the user should be told about loading: a file set aside, a value replaced, settings taken over.
    taken_over
        ISICGenerator's file whose settings were taken over by this `load`, or None.
    """

    def __init__(self, path: Path | None = None, *, legacy: Iterable[Path] | None = None) -> None:
        own_place = path is None
        self.path = path or PathManager().config_dir / FILE_NAME
        self.notices: list[str] = []
        self.taken_over: Path | None = None
        self._chosen: dict[str, Value] = {}
        self._unknown: dict[str, Any] = {}
        self._legacy = tuple(legacy if legacy is not None else legacy_places() if own_place else ())

    def load(self) -> ConfigManager:
        """Read the file and return self; without one, take over ISICGenerator's settings or use the defaults.

        A file that is not readable as settings is set aside as ``config.json.corrupt-<time>`` and the copy from
        before the last save is used if it is whole. This is told in `notices`, never raised.
        """
        self.notices, self._chosen, self._unknown, self.taken_over = [], {}, {}, None
        if os.path.lexists(self.path) or os.path.lexists(self._backup):
            self._accept(self._read_own())
        else:
            self._take_over()
        return self

    def get(self, key: str) -> Value:
        """Return the value of setting `key`.

        Raises
        ------
        UsageError
            If there is no such setting.
        """
        return self._chosen.get(key, _setting(key).default)

    def text(self, key: str) -> str:
        """Return a text setting; asking for one of another type is a mistake in the program (TypeError)."""
        value = self.get(key)
        if not isinstance(value, str):
            raise TypeError(f"The setting {key} is no text")
        return value

    def number(self, key: str) -> int:
        """Return a whole-number setting; asking for one of another type is a mistake in the program (TypeError)."""
        value = self.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise TypeError(f"The setting {key} is no whole number")
        return value

    def flag(self, key: str) -> bool:
        """Return a yes-or-no setting; asking for one of another type is a mistake in the program (TypeError)."""
        value = self.get(key)
        if not isinstance(value, bool):
            raise TypeError(f"The setting {key} is no yes or no")
        return value

    def real(self, key: str) -> float:
        """Return a number setting; asking for one of another type is a mistake in the program (TypeError)."""
        value = self.get(key)
        if not isinstance(value, float):
            raise TypeError(f"The setting {key} is no number")
        return value

    def folder(self, key: str, default: Path) -> Path:
        """Return a path setting, or `default` while none is chosen."""
        return Path(self.text(key) or default)

    def set(self, key: str, value: object) -> None:
        """Change a setting in memory; `save` writes it.

        Raises
        ------
        UsageError
            If there is no such setting or it does not take this value.
        """
        setting = _setting(key)
        checked = setting.check(value)
        if checked == setting.default:
            self._chosen.pop(key, None)
        else:
            self._chosen[key] = checked

    def chosen(self) -> dict[str, Value]:
        """Return the settings that differ from their defaults, in the order of the schema."""
        return {setting.key: self._chosen[setting.key] for setting in SCHEMA if setting.key in self._chosen}

    def reset(self) -> None:
        """Return every setting to its default, in memory."""
        self._chosen.clear()

    def save(self) -> None:
        """Write the settings atomically; the previous file stays next to it as ``config.json.bak``.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        text = _render(self._tree())
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(self.path):
                os.replace(self.path, self._backup)
            write_text_atomic(self.path, text)
        except OSError as problem:
            raise OutputError(
                Message(
                    "The settings could not be saved to {path}: {why}.",
                    path=self.path,
                    why=problem.strerror or problem,
                ),
                remedy=Message(
                    "Make the folder writable or free some space; the choices stay in force until the program ends."
                ),
                path=self.path,
            ) from problem

    @property
    def _backup(self) -> Path:
        return self.path.with_name(self.path.name + ".bak")

    def _tree(self) -> dict[str, Any]:
        tree: dict[str, Any] = copy.deepcopy(self._unknown)
        for key, value in self._chosen.items():
            section, _, name = key.partition(".")
            if not isinstance(tree.setdefault(section, {}), dict):  # what the file had there makes no sense
                tree[section] = {}
            tree[section][name] = value
        return tree

    def _read_own(self) -> Mapping[str, Any]:
        for place in (self.path, self._backup):
            try:
                return read_object(place)
            except FileNotFoundError:
                continue
            except (OSError, ValueError) as problem:
                self._set_aside(place, problem)
        return {}

    def _set_aside(self, place: Path, problem: Exception) -> None:
        try:
            aside = set_aside(place)
        except OSError:
            self.notices.append(Message("The settings file {path} cannot be read ({why}).", path=place, why=problem))
        else:
            self.notices.append(
                Message(
                    "The settings file {path} could not be read ({why}); it was backed up as {name}.",
                    path=place,
                    why=problem,
                    name=aside.name,
                )
            )

    def _accept(self, tree: Mapping[str, Any]) -> None:
        for section, values in tree.items():
            if not isinstance(values, dict):
                self._unknown[section] = values
                continue
            for name, value in values.items():
                if f"{section}.{name}" in BY_KEY:
                    self._accept_one(f"{section}.{name}", value)
                else:
                    self._unknown.setdefault(section, {})[name] = value

    def _accept_one(self, key: str, value: object) -> None:
        try:
            self.set(key, value)
        except UsageError as problem:
            self.notices.append(
                Message(
                    "{problem} {remedy} The default is used: {default!r}.",
                    problem=problem.message,
                    remedy=problem.remedy,
                    default=BY_KEY[key].default,
                )
            )

    def _take_over(self) -> None:
        for place in self._legacy:
            try:
                old = read_object(place)
            except (OSError, ValueError):
                continue
            for key, value in import_legacy(old).items():
                self._accept_one(key, value)
            self.taken_over = place
            self.notices.append(Message("Your settings were imported from the earlier program: {path}.", path=place))
            self.notices += lost_folders(old)
            self._try_save()
            return

    def _try_save(self) -> None:
        try:
            self.save()
        except OutputError as problem:
            self.notices.append(str(problem))


def read_object(path: Path) -> Mapping[str, Any]:
    """Read a JSON object.

    Raises
    ------
    OSError
        If it is no regular file, larger than any of settings, or cannot be read.
    ValueError
        If it holds no JSON object in UTF-8.
    """
    try:
        data = loose_json.read_object(path, MAX_BYTES)
        _render(data)  # what cannot be written again is not taken in
    except RecursionError as problem:
        raise ValueError("it is nested too deeply") from problem
    return data


def _render(tree: Any) -> str:
    return json.dumps(tree, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _setting(key: str) -> Setting:
    if key not in BY_KEY:
        raise UsageError(
            Message("There is no setting {key}.", key=key),
            remedy=Message("The settings are {by_key}.", by_key=", ".join(BY_KEY)),
        )
    return BY_KEY[key]
