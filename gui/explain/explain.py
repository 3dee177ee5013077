"""Explanations of the shown picture: computed beside the GUI thread, kept by content, drawn on one scale."""

from __future__ import annotations

import enum
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from PyQt5 import sip
from PyQt5.QtCore import QObject, pyqtSignal

from core.cancel import CancelToken, StopMode
from gui.common.picture import Picture
from gui.explain.map_cache import MapCache, MapKey
from gui.explain.map_drawing import DrawnMap, draw_maps
from gui.workers.engine import Engine
from gui.workers.task import TaskRunner
from xai.explanation import ExplainOptions, Explanation, Style

MAX_PINS: Final = 8

_log = logging.getLogger(__name__)


class ExplainState(enum.Enum):
    """Where the explanation of the shown picture stands."""

    OFF = "off"
    NOTHING = "nothing"
    WORKING = "working"
    READY = "ready"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A map on the screen, or about to be.

    Attributes
    ----------
    image
        The file that was explained.
    pinned
        Whether it stays when another picture is shown.
    """

    key: MapKey
    image: Path
    explanation: Explanation
    pinned: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ShownMap:
    """An entry and its picture."""

    entry: Entry
    drawn: DrawnMap


class ExplainModel(QObject):
    """Explains whatever picture it is given, while it is switched on.

    Signals
    -------
    changed
        Look at `state`, `shown`, `waiting`, `testing` and `error`.
    saved
        Explanations have been written; carries the path of the picture or the page.
    exported
        The shown maps have been written because somebody asked for it; carries their folder.
    failed
        Writing or testing did not work; carries the exception.

    Attributes
    ----------
    shown
        The maps on the screen: the pinned ones, then those of the shown picture, in the order of the methods.
    testing
        The map whose faithfulness is being measured.
    agreement
        How far the maps of the shown picture agree, as `xai.agreement` says it; empty as long as that is not known.
    """

    changed = pyqtSignal()
    saved = pyqtSignal(object)
    exported = pyqtSignal(object)
    failed = pyqtSignal(object)
    _arrived = pyqtSignal(object, object)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._tasks = TaskRunner(1, self)
        self._drawing = TaskRunner(1, self)
        self._saving = TaskRunner(1, self)  # apart, so that what somebody looks at never waits for what is being kept
        self._testing = TaskRunner(1, self)
        self._cache = MapCache()
        self._cancel = CancelToken()
        self._test_cancel = CancelToken()
        self._keys: tuple[MapKey, ...] = ()
        self._compared: tuple[MapKey, ...] = ()
        self._pins: dict[MapKey, Entry] = {}
        self._picture: Picture | None = None
        self._round = 0
        self.options = ExplainOptions()
        self.style: Style = "signed"
        self.enabled = False
        self.state = ExplainState.OFF
        self.shown: tuple[ShownMap, ...] = ()
        self.testing: MapKey | None = None
        self.agreement: tuple[Mapping[str, Any], ...] = ()
        self.error: BaseException | None = None
        self._arrived.connect(self._accept)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The methods whose maps are still being computed, in order."""
        return tuple(key.method for key in self._keys if self._cache.get(key) is None)

    def set_enabled(self, enabled: bool) -> None:
        """Switch explaining on or off."""
        if enabled != self.enabled:
            self.enabled = enabled
            self._explain()

    def set_options(self, options: ExplainOptions) -> None:
        """Explain in another way from now on."""
        if options != self.options:
            self.options = options
            self._explain()

    def set_style(self, style: Style) -> None:
        """Draw in other colours; nothing is computed anew."""
        if style != self.style:
            self.style = style
            self._draw()

    def set_picture(self, picture: Picture | None) -> None:
        """Explain this picture, if switched on."""
        self._picture = picture
        self._explain()

    def retry(self) -> None:
        """Go on after an error or a stop."""
        self._keys = ()
        self._explain()

    def cancel(self) -> None:
        """Stop what is being computed; the maps that are finished stay."""
        self._test_cancel.request(StopMode.NOW)
        if self.state is ExplainState.WORKING:
            self._cancel.request(StopMode.NOW)
            self._tell(ExplainState.STOPPED)

    def pin(self, key: MapKey) -> None:
        """Keep a shown map on the screen, to compare it with those of other pictures."""
        entry = next((shown.entry for shown in self.shown if shown.entry.key == key), None)
        if entry and len(self._pins) < MAX_PINS:
            self._pins[key] = replace(entry, pinned=True)
            self._draw()

    def unpin(self, key: MapKey) -> None:
        """Let a pinned map go."""
        if self._pins.pop(key, None):
            self._draw()

    def test(self, key: MapKey) -> None:
        """Measure how faithful a shown map is, beside random controls."""
        entry = next((shown.entry for shown in self.shown if shown.entry.key == key), None)
        if entry is None or self.testing is not None:
            return
        self.testing, token = key, CancelToken()
        self._test_cancel = token
        options = replace(key.options, faithfulness=True)
        self._testing.start(
            lambda: next(iter(self._engine.explain(entry.image, options, key.label, token))),
            partial(self._tested, key),
            partial(self._not_tested, token),
        )
        self.changed.emit()

    def save(self, image: Path) -> None:
        """Explain an image of a run and keep the result in the output folder; failing is logged, the run goes on."""
        options = self.options
        self._saving.start(
            lambda: self._engine.explain_to_disk(image, options),
            self._saved,
            lambda error: _log.warning("No explanation of %s: %s", image.name, error),
        )

    def export(self, folder: Path | None) -> None:
        """Write the shown maps, their raw arrays and a page to a folder; None for a new one among the XAI results."""
        explanations = tuple(shown.entry.explanation for shown in self.shown)
        if explanations:
            image, style = self.shown[-1].entry.image, self.style
            self._saving.start(
                lambda: self._engine.keep(explanations, image, folder, style), self._exported, self.failed.emit
            )

    def stop(self) -> None:
        """Stop everything; for the end of the program."""
        self._cancel.request(StopMode.NOW)
        self._test_cancel.request(StopMode.NOW)
        for tasks in (self._tasks, self._drawing, self._testing, self._saving):
            tasks.forget_waiting()

    def _saved(self, path: Path) -> None:
        _log.info("Explanation written: %s", Path(path.parent.name, path.name))
        self.saved.emit(path)

    def _exported(self, page: Path) -> None:
        self._saved(page)
        self.exported.emit(page.parent)

    def _explain(self) -> None:
        keys = self._wanted()
        if keys and keys == self._keys and self.state is not ExplainState.OFF:
            return
        self._cancel.request(StopMode.NOW)
        self._keys, self.error = keys, None
        self._compared, self.agreement = (), ()
        if not keys:
            self.shown = ()
            self._tell(ExplainState.NOTHING if self.enabled else ExplainState.OFF)
        elif self.waiting:
            self.shown = tuple(shown for shown in self.shown if shown.entry.pinned or shown.entry.key in keys)
            self._compute([key for key in keys if self._cache.get(key) is None])
        else:
            self.state = ExplainState.WORKING  # not told: the maps are there as soon as they are drawn
        self._draw()

    def _wanted(self) -> tuple[MapKey, ...]:
        picture, options = self._picture, self.options
        if not self.enabled or picture is None:
            return ()
        return tuple(
            MapKey(picture.content, picture.label, replace(options, methods=(method,))) for method in options.methods
        )

    def _compute(self, keys: Sequence[MapKey]) -> None:
        if self._picture is None:
            return
        path, label = self._picture.path, self._picture.label
        options = replace(self.options, methods=tuple(key.method for key in keys))
        wanted, token = self._keys, CancelToken()
        self._cancel = token
        self._tell(ExplainState.WORKING)
        self._tasks.start(
            lambda: self._follow(self._engine.explain(path, options, label, token), keys),
            lambda _: None,
            partial(self._refuse, wanted),
        )

    def _follow(self, explanations: Iterator[Explanation], keys: Sequence[MapKey]) -> None:
        """Hand each map over as soon as it is there; runs on the worker's thread."""
        by_method = {key.method: key for key in keys}
        for explanation in explanations:
            if not sip.isdeleted(self):
                self._arrived.emit(by_method[explanation.method], explanation)

    def _accept(self, key: MapKey, explanation: Explanation) -> None:
        self._cache.put(key, explanation)
        if key in self._keys:
            self._draw()

    def _refuse(self, keys: tuple[MapKey, ...], error: BaseException) -> None:
        if keys == self._keys and self.state is ExplainState.WORKING:
            self.error = error
            self._tell(ExplainState.FAILED)

    def _tested(self, key: MapKey, explanation: Explanation) -> None:
        self.testing = None
        self._cache.put(key, explanation)
        if key in self._pins:
            self._pins[key] = replace(self._pins[key], explanation=explanation)
        self._draw()

    def _not_tested(self, token: CancelToken, error: BaseException) -> None:
        self.testing = None
        self.changed.emit()
        if not token.stops_now:
            self.failed.emit(error)

    def _entries(self) -> tuple[Entry, ...]:
        if not self._keys or self._picture is None:
            return ()
        image = self._picture.path
        found = ((key, self._cache.get(key)) for key in self._keys if key not in self._pins)
        own = (Entry(key, image, explanation) for key, explanation in found if explanation is not None)
        return (*self._pins.values(), *own)

    def _draw(self) -> None:
        entries, style, known = self._entries(), self.style, [shown.drawn for shown in self.shown]
        self._round += 1
        self._drawing.forget_waiting()
        self._drawing.start(
            lambda: draw_maps([entry.explanation for entry in entries], style, known),
            partial(self._drawn, self._round, entries),
            self._not_drawn,
        )

    def _drawn(self, number: int, entries: tuple[Entry, ...], drawn: Sequence[DrawnMap]) -> None:
        if number != self._round:
            return  # something newer is being drawn
        self.shown = tuple(ShownMap(entry, picture) for entry, picture in zip(entries, drawn, strict=True))
        done = self.state is ExplainState.WORKING and not self.waiting
        self._tell(ExplainState.READY if done else self.state)
        if self.state is ExplainState.READY:
            self._compare()

    def _compare(self) -> None:
        """Ask how far the maps of the shown picture agree, unless that is known."""
        keys = self._keys
        found = tuple(found for key in keys if (found := self._cache.get(key)) is not None)
        if len(found) > 1 and keys != self._compared:
            self._compared = keys
            self._testing.start(lambda: self._engine.compare(found), partial(self._agree, keys), self._not_compared)

    def _agree(self, keys: tuple[MapKey, ...], table: Sequence[Mapping[str, Any]]) -> None:
        if keys == self._keys:
            self.agreement = tuple(table)
            self.changed.emit()

    def _not_compared(self, error: BaseException) -> None:
        _log.warning("How far the maps agree could not be found out: %s", error)

    def _not_drawn(self, error: BaseException) -> None:
        self.error = error
        self._tell(ExplainState.FAILED)

    def _tell(self, state: ExplainState) -> None:
        self.state = state
        self.changed.emit()
