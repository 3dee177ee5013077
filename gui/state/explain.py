"""Explanations of the shown picture: computed beside the GUI thread, cached by content, cancellable."""

from __future__ import annotations

import enum
import logging
from collections import OrderedDict
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.cancel import CancelToken, StopMode
from gui.state.picture import Picture
from gui.workers.engine import Engine, ExplainedPicture
from gui.workers.task import TaskRunner
from xai.explanation import ExplainOptions

KEPT: Final = 64
"""Explanations in memory, about 1 MB each."""

_log = logging.getLogger(__name__)

Key = tuple[str, str | None, ExplainOptions]


class ExplainState(enum.Enum):
    """Where the explanation of the shown picture stands."""

    OFF = "off"
    NOTHING = "nothing"
    WORKING = "working"
    READY = "ready"
    FAILED = "failed"


class ExplainModel(QObject):
    """Explains whatever picture it is given, while it is switched on.

    Signals
    -------
    changed
        Look at `state`, `result` and `error`.
    saved
        A background explanation of a run has been written; carries its path.
    """

    changed = pyqtSignal()
    saved = pyqtSignal(object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tasks = TaskRunner(1, self)
        self._saving = TaskRunner(1, self)  # apart, so that what somebody looks at never waits for what is being kept
        self._cache: OrderedDict[Key, ExplainedPicture] = OrderedDict()
        self._cancel = CancelToken()
        self._key: Key | None = None
        self._picture: Picture | None = None
        self._options = ExplainOptions()
        self.enabled = False
        self.state = ExplainState.OFF
        self.result: ExplainedPicture | None = None
        self.error: BaseException | None = None

    def set_enabled(self, enabled: bool) -> None:
        """Switch explaining on or off."""
        if enabled != self.enabled:
            self.enabled = enabled
            self._explain()

    def set_options(self, options: ExplainOptions) -> None:
        """Explain in another way from now on."""
        if options != self._options:
            self._options = options
            self._explain()

    def set_picture(self, picture: Picture | None) -> None:
        """Explain this picture, if switched on."""
        self._picture = picture
        self._explain()

    def retry(self) -> None:
        """Try again after an error."""
        self._key = None
        self._explain()

    def save(self, image: Path) -> None:
        """Explain an image of a run and keep the result in the output folder; failing is logged, the run goes on."""
        options = self._options
        self._saving.start(
            lambda: self._engine.explain_to_disk(image, options),
            self._saved,
            lambda error: _log.warning("No explanation of %s: %s", image.name, error),
        )

    def stop(self) -> None:
        """Stop what is being computed."""
        self._cancel.request(StopMode.NOW)
        self._tasks.forget_waiting()
        self._saving.forget_waiting()

    def _saved(self, path: Path) -> None:
        _log.info("Explanation written: %s", path.name)
        self.saved.emit(path)

    def _explain(self) -> None:
        key = self._wanted()
        if key is not None and key == self._key and self.state is not ExplainState.OFF:
            return
        self._cancel.request(StopMode.NOW)
        self._key, self.error = key, None
        if key is None:
            self._show(ExplainState.NOTHING if self.enabled else ExplainState.OFF, None)
        elif key in self._cache:
            self._cache.move_to_end(key)
            self._show(ExplainState.READY, self._cache[key])
        else:
            self._compute(key)

    def _wanted(self) -> Key | None:
        if not self.enabled or self._picture is None:
            return None
        return (self._picture.content, self._picture.label, self._options)

    def _compute(self, key: Key) -> None:
        if self._picture is None:
            return
        path, label, options = self._picture.path, self._picture.label, self._options
        token = self._cancel = CancelToken()
        self._show(ExplainState.WORKING, None)
        self._tasks.start(
            lambda: self._engine.explain(path, options, label, token),
            lambda result: self._accept(key, result),
            lambda error: self._refuse(key, error),
        )

    def _accept(self, key: Key, result: ExplainedPicture) -> None:
        self._cache[key] = result
        while len(self._cache) > KEPT:
            self._cache.popitem(last=False)
        if key == self._key:
            self._show(ExplainState.READY, result)

    def _refuse(self, key: Key, error: BaseException) -> None:
        if key == self._key:
            self.error = error
            self._show(ExplainState.FAILED, None)

    def _show(self, state: ExplainState, result: ExplainedPicture | None) -> None:
        self.state, self.result = state, result
        self.changed.emit()
