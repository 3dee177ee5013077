"""Settings that are obeyed by something that runs already: the cache, the counts of classes, the engine's threads."""

from __future__ import annotations

from typing import Final

from PyQt5.QtCore import QObject

from gui.common.settings import SettingsModel
from gui.gallery.thumbnail_cache import ThumbnailCache
from gui.run.classes import ClassesModel
from gui.workers.engine import Engine
from gui.workers.task import TaskRunner

MIB: Final = 2**20


class SettingEffects(QObject):
    """Passes changed settings on.

    Parameters
    ----------
    files
        Where deleting what no longer fits into the cache may take its time.
    """

    def __init__(
        self,
        settings: SettingsModel,
        classes: ClassesModel,
        engine: Engine,
        thumbnails: ThumbnailCache,
        files: TaskRunner,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings, self._classes, self._engine = settings, classes, engine
        self._thumbnails, self._files = thumbnails, files
        engine.use_threads(settings.get("performance.threads"))
        settings.changed.connect(self._changed)

    def _changed(self, key: str) -> None:
        value = self._settings.get(key)
        if key == "generation.count":
            self._classes.set_all_counts(value)
        elif key == "performance.threads":
            self._engine.use_threads(value)
        elif key == "cache.size_mb":
            self._thumbnails.max_bytes = value * MIB
            self._files.start(self._thumbnails.prune, _nothing, _nothing)


def _nothing(result: object) -> None:
    """What does not fit into the cache goes when it can; nobody waits for it."""
