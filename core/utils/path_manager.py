"""Where everything is: the project, the user's folders, and the names that files get."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from platformdirs import PlatformDirs

from core.files.text import plain
from core.home import expanded, home_folder
from core.version import PRODUCT

HOME_VARIABLE: Final = "ISICGUI_HOME"
"""Environment variable that moves every folder of the user's under one folder (tests, portable installations)."""

MAX_COMPONENT_BYTES: Final = 120
"""Longest name that `safe_component` gives, in UTF-8 bytes: well below the 255 of common file systems."""

_PROJECT_ROOT: Final = Path(__file__).resolve().parents[2]
_FORBIDDEN: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class PathManager:
    """The folders of the product and of its user; nothing is created by asking.

    Attributes
    ----------
    project_root
        The folder that `main.py` is in.
    environment
        Where `ISICGUI_HOME` is looked up; the process environment unless told otherwise.
    """

    project_root: Path = _PROJECT_ROOT
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    @property
    def starter_dir(self) -> Path:
        """The models that ship with the product."""
        return self.project_root / "starter"

    @property
    def starter_generator_dir(self) -> Path:
        """The models folder that holds the starter generators."""
        return self.starter_dir

    @property
    def starter_classifier_dir(self) -> Path:
        """The starter classifier."""
        return self.starter_dir / "classifier-resnet18"

    @property
    def default_models_dir(self) -> Path:
        """The models folder used where none was chosen: the starter models, so that a first start is useful."""
        return self.starter_generator_dir

    @property
    def checkpoints_dir(self) -> Path:
        """Where downloaded checkpoints go: next to `main.py`, or among the user's data if pip put `main.py` away."""
        if self._is_checkout:
            return self.project_root / "checkpoints"
        return self._user_dir("checkpoints", lambda: self._platform.user_data_path / "checkpoints")

    @property
    def default_output_dir(self) -> Path:
        """The output folder used where none was chosen."""
        base = self._home or home_folder() / PRODUCT
        return base / "output"

    @property
    def config_dir(self) -> Path:
        """Settings."""
        return self._user_dir("config", lambda: self._platform.user_config_path)

    @property
    def log_dir(self) -> Path:
        """Log files and crash reports."""
        return self._user_dir("logs", lambda: self._platform.user_log_path)

    @property
    def cache_dir(self) -> Path:
        """What can be made again: thumbnails, explanations of shown images."""
        return self._user_dir("cache", lambda: self._platform.user_cache_path)

    @staticmethod
    def isic_name(number: int) -> str:
        """Return the stem of image `number`, as in ``ISIC_0000001``.

        Raises
        ------
        ValueError
            If `number` is negative.
        """
        if number < 0:
            raise ValueError(f"An image number is never negative: {number}")
        return f"ISIC_{number:07d}"

    @staticmethod
    def safe_component(name: str) -> str:
        """Return `name` as one file or folder name that Windows, macOS and Linux all accept.

        Letters of every script stay; forbidden characters become ``_``, names that Windows reserves get a leading
        ``_``, and the length is held under `MAX_COMPONENT_BYTES`. The same name always gives the same result.
        """
        text = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", plain(name)))
        text = _shorten(text, MAX_COMPONENT_BYTES - 1).strip().rstrip(". ")
        if not text or _RESERVED.fullmatch(text):
            text = f"_{text}"
        return text

    @property
    def _home(self) -> Path | None:
        home = self.environment.get(HOME_VARIABLE)
        return expanded(home).absolute() if home else None

    @property
    def _is_checkout(self) -> bool:
        return (self.project_root / "pyproject.toml").is_file()

    @property
    def _platform(self) -> PlatformDirs:
        return PlatformDirs(PRODUCT, appauthor=False, roaming=True)

    def _user_dir(self, name: str, usual: Callable[[], Path]) -> Path:
        if self._home:
            return self._home / name
        try:
            place = usual()
        except RuntimeError:  # no home
            place = Path()
        return place if place.is_absolute() else home_folder() / PRODUCT / name


def _shorten(text: str, limit: int) -> str:
    return text.encode("utf-8")[:limit].decode("utf-8", errors="ignore")
