"""What a button can do about a problem: a table from kinds of errors to actions, and what each action does."""

from __future__ import annotations

import dataclasses
import enum
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from PyQt5.QtCore import QObject

from core.generation import RunChanges
from gui.common.problem import FailedRun, Problem
from gui.common.window_requests import WindowRequest
from gui.i18n import mark
from gui.workers.task import TaskRunner
from gui.workers.unfinished import Unfinished, find_unfinished

if TYPE_CHECKING:
    from gui.shell.session import Session

_log = logging.getLogger(__name__)


class Action(enum.Enum):
    """Something a button offers."""

    AGAIN = "again"
    ON_CPU = "on_cpu"
    SMALLER_BATCH = "smaller_batch"
    OTHER_FOLDER = "other_folder"
    GET_MODELS = "get_models"
    STARTER_MODELS = "starter_models"
    MODELS_FOLDER = "models_folder"
    START_ENGINE = "start_engine"


_MODELS: Final = (Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER)
_FOLDER: Final = (Action.OTHER_FOLDER, Action.AGAIN)

ACTIONS: Final[Mapping[str, tuple[Action, ...]]] = {
    "device": (Action.ON_CPU, Action.AGAIN),
    "out_of_memory": (Action.SMALLER_BATCH, Action.ON_CPU, Action.AGAIN),
    "output": _FOLDER,
    "disk_full": _FOLDER,
    "input": _FOLDER,
    "locked": (Action.AGAIN, Action.OTHER_FOLDER),
    "model": _MODELS,
    "model_missing": (Action.GET_MODELS, Action.STARTER_MODELS, Action.MODELS_FOLDER),
    "model_truncated": _MODELS,
    "model_unsafe": _MODELS,
    "model_architecture": _MODELS,
    "model_not_finite": _MODELS,
    "model_too_large": _MODELS,
    "download": _MODELS,
    "download_quota": _MODELS,
    "download_sign_in": _MODELS,
    "checksum": _MODELS,
    "archive": _MODELS,
    "engine_died": (Action.START_ENGINE, Action.SMALLER_BATCH),
}
"""What is offered for an error of a kind, the most likely help first; each only where it makes sense."""

WORDS: Final[Mapping[Action, str]] = {
    Action.AGAIN: mark("Try again"),
    Action.ON_CPU: mark("Try again on the CPU"),
    Action.SMALLER_BATCH: mark("Try again with a smaller batch"),
    Action.OTHER_FOLDER: mark("Choose another output folder…"),
    Action.GET_MODELS: mark("Get the models…"),
    Action.STARTER_MODELS: mark("Use the starter models"),
    Action.MODELS_FOLDER: mark("Choose another models folder…"),
    Action.START_ENGINE: mark("Start the engine again"),
}


@dataclass(frozen=True, slots=True)
class Remedy:
    """One button: its words, in English and marked for translation, and what it does."""

    action: Action
    do: Callable[[], object]

    @property
    def words(self) -> str:
        """What stands on the button."""
        return WORDS[self.action]


class ProblemActions(QObject):
    """Acts on problems of a session."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._settings = session.settings
        self._files = TaskRunner(1, self)
        self._table: dict[Action, tuple[Callable[[Problem], bool], Callable[[Problem], None]]] = {
            Action.AGAIN: (_has_run, self._again),
            Action.ON_CPU: (self._is_off_cpu, self._on_cpu),
            Action.SMALLER_BATCH: (self._can_shrink, self._with_smaller_batch),
            Action.OTHER_FOLDER: (_has_run, self._in_another_folder),
            Action.GET_MODELS: (_always, partial(self._wish, WindowRequest.GET_MODELS)),
            Action.STARTER_MODELS: (self._uses_other_models, self._with_starter_models),
            Action.MODELS_FOLDER: (_always, partial(self._wish, WindowRequest.MODELS_FOLDER)),
            Action.START_ENGINE: (_always, self._start_engine),
        }

    def of(self, problem: Problem) -> tuple[Remedy, ...]:
        """Return what can be done about a problem, the most likely help first."""
        offered = (action for action in ACTIONS.get(problem.kind, ()) if self._table[action][0](problem))
        return tuple(Remedy(action, partial(self._table[action][1], problem)) for action in offered)

    def _is_off_cpu(self, problem: Problem) -> bool:
        used = problem.run.device if problem.run else ""
        return (used or self._settings.get("generation.device")) != "cpu"

    def _can_shrink(self, problem: Problem) -> bool:
        return _batch_of(problem.run) > 1

    def _uses_other_models(self, problem: Problem) -> bool:
        request = problem.run.request if problem.run else None
        models = request.models if request else self._settings.models
        return models.absolute() != self._settings.paths.default_models_dir.absolute()

    def _again(self, problem: Problem) -> None:
        self._try_again(problem.run, RunChanges())

    def _on_cpu(self, problem: Problem) -> None:
        self._settings.set("generation.device", "cpu")
        self._settings.set("generation.precision", "auto")
        self._try_again(problem.run, RunChanges(device="cpu"))

    def _with_smaller_batch(self, problem: Problem) -> None:
        size = max(1, _batch_of(problem.run) // 2)
        self._settings.set("generation.batch_size", size)
        self._try_again(problem.run, RunChanges(batch_size=size))

    def _in_another_folder(self, problem: Problem) -> None:
        before, run = self._settings.output, problem.run
        self._session.wish.emit(WindowRequest.OUTPUT_FOLDER)
        chosen = self._settings.output
        if run and run.request and chosen != before:
            self._session.carry_out(dataclasses.replace(run.request, output=chosen))

    def _with_starter_models(self, problem: Problem) -> None:
        self._settings.choose_folder("paths.models", None)
        self._try_again(problem.run, RunChanges(models=self._settings.models))

    def _start_engine(self, problem: Problem) -> None:
        self._session.engine.warm_up()
        self._try_again(problem.run, RunChanges())

    def _wish(self, wish: WindowRequest, problem: Problem) -> None:
        self._session.wish.emit(wish)

    def _try_again(self, run: FailedRun | None, changes: RunChanges) -> None:
        """Finish the run if its folder knows it as interrupted, else begin it anew; without a run nothing is to do."""
        if run is None:
            return
        self._files.start(
            partial(find_unfinished, run.output),
            partial(self._go_on, run, changes),
            partial(self._begin_anew, run, changes),
        )

    def _go_on(self, run: FailedRun, changes: RunChanges, unfinished: list[Unfinished]) -> None:
        if run.request is None or run.run_id in [found.run_id for found in unfinished]:
            changes = dataclasses.replace(changes, run_ids=(run.run_id,) if run.run_id else ())
            self._session.finish_run(run.output, run.request, changes)
        else:
            self._session.carry_out(changes.apply(run.request))

    def _begin_anew(self, run: FailedRun, changes: RunChanges, error: BaseException) -> None:
        """The folder cannot be read: whatever is begun in it says so, in its own words."""
        _log.debug("No look at interrupted runs of %s: %s", run.output, error)
        self._go_on(run, changes, [])


def _has_run(problem: Problem) -> bool:
    """Whether a run can be helped: one that was refused an input only if that is its folder, which has gone."""
    run = problem.run
    return run is not None and (problem.kind != "input" or problem.path == run.output)


def _always(problem: Problem) -> bool:
    return True


def _batch_of(run: FailedRun | None) -> int:
    if run is None:
        return 0
    return run.batch_size or (run.request.batch_size if run.request else None) or 0
