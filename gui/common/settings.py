"""The user's settings as the window sees them: read at once, saved a moment after the last change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import QObject, QSettings, QTimer, pyqtSignal

from core.config.config_manager import ConfigManager, Value
from core.config.schema import BY_KEY
from core.config.transfer import Change, ImportPlan, export_settings, plan_import
from core.errors import OutputError
from core.files.opening import read_regular
from core.keeping import set_aside
from core.samplers import usual_steps
from core.utils.field_types import MOST
from core.utils.path_manager import PathManager

SAVE_DELAY_MS: Final = 800
WINDOW_FILE: Final = "window.ini"
WINDOW_FILE_BYTES: Final = 4 * 1024**2
PICKLED: Final = b"PyQt_PyObject"
RECENT_FOLDERS: Final = 8


class Forgetful:
    """Stands in for the file of the window's own state: knows nothing at the start and keeps nothing at the end."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def value(self, key: str, default: Any, type: type) -> Any:
        """Return what was remembered since the start."""
        return self._values.get(key, default)

    def setValue(self, key: str, value: Any) -> None:
        """Remember until the end."""
        self._values[key] = value

    def remove(self, prefix: str) -> None:
        """Forget what was remembered under a prefix."""
        self._values = {key: value for key, value in self._values.items() if not key.startswith(prefix)}

    def sync(self) -> None:
        """Write nothing."""


class SettingsModel(QObject):
    """Settings with a signal for each change.

    Parameters
    ----------
    is_safe
        Safe mode: what is changed here is in force until the end and is not saved.

    Signals
    -------
    changed
        A setting has a new value; carries its key.
    failed
        Saving did not work; carries the exception. Told once, not at every change.
    postponed
        A setting is held: what was asked for comes when it is let go; carries its key.
    held
        Other settings than before are held.
    """

    changed = pyqtSignal(str)
    postponed = pyqtSignal(str)
    held = pyqtSignal()
    failed = pyqtSignal(object)

    def __init__(
        self, config: ConfigManager, paths: PathManager, parent: QObject | None = None, *, is_safe: bool = False
    ) -> None:
        super().__init__(parent)
        self.paths = paths
        self.is_safe = is_safe
        self._config = config
        self._window = Forgetful() if is_safe else _window_file(paths)
        self._told = False
        self._held: frozenset[str] = frozenset()
        self._waiting: dict[str, Value] = {}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.save)

    def get(self, key: str) -> Any:
        """Return a setting."""
        return self._config.get(key)

    def set(self, key: str, value: Value) -> None:
        """Change a setting, say so, and save soon; one that is held changes when it is let go."""
        self._waiting.pop(key, None)
        if self._config.get(key) == value:
            return
        if key in self._held:
            self._waiting[key] = value
            self.postponed.emit(key)
            return
        self._config.set(key, value)
        self._timer.start(SAVE_DELAY_MS)
        self.changed.emit(key)

    def choose(self, key: str, value: Value) -> None:
        """Change a setting as a person does, with what follows: a sampler brings its usual number of steps."""
        if BY_KEY[key].form == "folder":
            self.choose_folder(key, Path(str(value)) if value else None)
            return
        self.set(key, value)
        if key == "generation.sampler":
            self.set("generation.steps", usual_steps(str(value)))

    def hold(self, keys: Collection[str]) -> None:
        """Keep some settings as they are, and let every other one go with what was asked for in the meantime."""
        self._held = frozenset(keys)
        self.held.emit()
        for key in [key for key in self._waiting if key not in self._held]:
            self.set(key, self._waiting[key])

    def is_held(self, key: str) -> bool:
        """Whether a setting stays as it is for now."""
        return key in self._held

    def is_default(self, key: str) -> bool:
        """Whether a setting is as it was at the first start."""
        return bool(self._config.get(key) == BY_KEY[key].default)

    def reset(self, key: str) -> None:
        """Give a setting its default back."""
        self.set(key, BY_KEY[key].default)

    def to_defaults(self) -> tuple[Change, ...]:
        """Return what would change if every setting got its default back."""
        return tuple(Change(BY_KEY[key], value, BY_KEY[key].default) for key, value in self._config.chosen().items())

    def apply(self, changes: Iterable[Change]) -> None:
        """Carry out changes that somebody has looked at."""
        for change in changes:
            self.set(change.setting.key, change.after)

    def chosen(self) -> dict[str, Value]:
        """Return the settings that differ from their defaults."""
        return self._config.chosen()

    def reset_saved(self) -> None:
        """Let the next start find every setting at its default and the window as at the first start.

        Raises
        ------
        OutputError
            If the settings file cannot be written; what it was stays beside it as ``config.json.bak``.
        """
        saved = ConfigManager(self._config.path, legacy=()).load()
        saved.reset()
        saved.save()
        window = _window_file(self.paths)
        window.clear()
        window.sync()

    def export_to(self, target: Path) -> None:
        """Write every setting to a file; raises `OutputError`."""
        export_settings(self._config, target)

    def read(self, source: Path) -> ImportPlan:
        """Return what a settings file would change, changing nothing; raises `InputRefusedError`."""
        return plan_import(self._config, source)

    @property
    def models(self) -> Path:
        """The models folder in force."""
        return self._config.folder("paths.models", self.paths.default_models_dir)

    @property
    def output(self) -> Path:
        """The output folder in force."""
        return self._config.folder("paths.output", self.paths.default_output_dir)

    @property
    def classifier(self) -> Path | None:
        """The chosen classifier, or None for the starter classifier."""
        text = self._config.text("paths.classifier")
        return Path(text) if text else None

    def choose_folder(self, key: str, folder: Path | None) -> None:
        """Choose a folder (None: the default) and put it in front of the recent ones."""
        if folder:
            recent = [str(folder), *(text for text in self.recent(key) if text != str(folder))]
            self.remember(f"recent/{key}", recent[:RECENT_FOLDERS])
        self.set(key, str(folder) if folder else "")

    def recent(self, key: str) -> list[str]:
        """Return the folders chosen for `key` lately, latest first."""
        return list(self.recall(f"recent/{key}", [], list))

    def remember(self, key: str, value: Any) -> None:
        """Keep something about the window itself: geometry, what was checked."""
        self._window.setValue(key, value)

    def recall(self, key: str, default: Any, kind: type) -> Any:
        """Return what was kept, as `kind`; anything unreadable gives the default, as does what no such value can be."""
        try:
            value = self._window.value(key, default, type=kind)
        except (TypeError, ValueError, OverflowError):
            return default
        if not isinstance(value, kind) or not _is_sound(value):
            return default
        return value

    def forget(self, prefix: str) -> None:
        """Forget everything kept under `prefix`."""
        self._window.remove(prefix)

    def save(self) -> None:
        """Write everything now."""
        self._timer.stop()
        self._window.sync()
        if self.is_safe:
            return
        try:
            self._config.save()
        except OutputError as error:
            if not self._told:
                self._told = True
                self.failed.emit(error)


def _is_sound(value: object) -> bool:
    """Whether a value can be used: numbers are finite and of ordinary size, texts and lists of texts without NUL."""
    if isinstance(value, list):
        return all(isinstance(item, str) and _is_sound(item) for item in value)
    if isinstance(value, str):
        return "\0" not in value
    return abs(value) <= MOST if isinstance(value, (int, float)) else True  # NaN is not


def _window_file(paths: PathManager) -> QSettings:
    path = paths.config_dir / WINDOW_FILE
    if not _is_plain(path):
        with suppress(OSError):
            set_aside(path)
    return QSettings(str(path), QSettings.Format.IniFormat)


def _is_plain(path: Path) -> bool:
    """Whether a file of the window's state can be opened: PyQt would run what is in it as a pickle of an object."""
    try:
        return PICKLED not in read_regular(path, WINDOW_FILE_BYTES)
    except FileNotFoundError:
        return True
    except OSError:
        return False
