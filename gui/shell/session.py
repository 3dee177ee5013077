"""All view models of one window and how they react to each other; everything the window does passes through here."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QObject, pyqtSignal

from core.cancel import StopMode
from core.config.schema import BY_KEY
from core.errors import ISICGUIError
from core.events import Failed, Finished, ImageDone
from core.generation import UNCHANGED, GenerationRequest, RunChanges
from core.utils.logger import RingHandler
from dataset.export.request import ExportFinished
from gui.common.engine_model import EngineModel, EngineState
from gui.common.keys import KeysModel
from gui.common.memory import MemoryModel
from gui.common.notices import NoticesModel
from gui.common.picture import PictureModel
from gui.common.problem import FailedRun, Problem, describe
from gui.common.settings import SettingsModel
from gui.common.window_requests import WindowRequest
from gui.evaluate.evaluation import EvaluationModel
from gui.explain.analyses import AnalysesModel
from gui.explain.analysis_store import Analysis, AnalysisStore
from gui.explain.explain import ExplainModel
from gui.explain.explain_options import recall_options, remember_methods
from gui.gallery.collection import Collection
from gui.gallery.dataset_export import DatasetExportModel
from gui.gallery.denoising import DenoisingModel
from gui.gallery.gallery import GalleryModel
from gui.gallery.thumbnail_cache import ThumbnailCache
from gui.gallery.thumbnails import ThumbnailStore
from gui.help.problem_actions import ProblemActions
from gui.i18n import tr, translate
from gui.models.catalog import CatalogModel, Discover
from gui.models.checkup import CheckupModel
from gui.models.model_download import ModelDownload
from gui.run.classes import ClassesModel
from gui.run.forecast import ForecastModel
from gui.run.queue import QueueModel
from gui.run.queue_store import QueuedRun, QueueState, QueueStore
from gui.run.request import build_request, recall_request, remember_request
from gui.run.run import RunModel
from gui.run.speed import SpeedBook
from gui.shell.log import LogModel
from gui.shell.new_models import NewModels
from gui.shell.session_notices import SessionNotices
from gui.shell.setting_effects import MIB, SettingEffects
from gui.train.training import TrainingModel
from gui.workers.engine import Engine
from gui.workers.task import TaskRunner
from gui.workers.unfinished import Unfinished, find_unfinished

OF_A_RUN: Final = ("paths.models", "paths.output", "generation.device")
"""Settings that stay as they are while a run works with them: the window shows its folder and its models."""

LEFT: Final = "run/left"
MOST_LEFT: Final = 8
"""Ids of the runs that were stopped because their window was closed; so many are remembered."""

_log = logging.getLogger(__name__)


class Session(QObject):
    """What one window knows.

    Attributes
    ----------
    interrupted, stopped
        Runs of the output folder that are not finished: against anybody's will, or since somebody has stopped them.

    Signals
    -------
    problem
        Something to tell in a dialog; carries a `Problem`.
    unfinished
        The output folder holds interrupted runs; carries a list of `Unfinished`, empty if there are none.
    told
        A short confirmation for the progress line; carries the words.
    class_failed
        A class could not be made, the run goes on; carries a `Problem` whose title is the class code.
    wish
        Something only the window can do; carries a `WindowRequest`.
    """

    problem = pyqtSignal(object)
    told = pyqtSignal(str)
    class_failed = pyqtSignal(object)
    unfinished = pyqtSignal(object)
    wish = pyqtSignal(object)

    def __init__(self, engine: Engine, discover: Discover, settings: SettingsModel, ring: RingHandler) -> None:
        super().__init__()
        self._engine = engine
        self._files = TaskRunner(2, self)
        self._jobs = TaskRunner(3, self)
        self._is_open = False
        self._follows_run = False
        self._looks_at_explanations = False
        self._to_analyse: Path | None = None
        self.settings = settings
        self.last_crash: Path | None = None
        self.interrupted: list[Unfinished] = []
        self.stopped: list[Unfinished] = []
        self.notices = NoticesModel(self)
        self.keys = KeysModel(settings, self)
        self.classes = ClassesModel(settings, self)
        self.catalog = CatalogModel(discover, self._files, self)
        self.engine = EngineModel(engine, self._jobs, self)
        self.run = RunModel(engine, self)
        thumbnails = ThumbnailCache(settings.paths.cache_dir / "thumbnails", settings.get("cache.size_mb") * MIB)
        self.gallery = GalleryModel(ThumbnailStore(TaskRunner(2, self), self, thumbnails.load), self)
        self.picture = PictureModel(self._files, self)
        self.denoising = DenoisingModel(self)
        self.collection = Collection(engine, self.gallery, self.picture, self.denoising, self.run, self)
        self.dataset_export = DatasetExportModel(settings, self)
        self.training = TrainingModel(settings, self)
        self.evaluation = EvaluationModel(settings, self)
        self.explain = ExplainModel(engine, self)
        self.log = LogModel(ring, self)
        self.memory = MemoryModel(engine, self._engine_answers, self)
        self._speeds = SpeedBook(settings)
        self.forecast = ForecastModel(engine, self.request, self._engine_idles, self.memory, self._speeds, self)
        self.run.last_request = recall_request(settings)
        self._effects = SettingEffects(settings, self.classes, engine, thumbnails, self._files, self)
        self._connect()
        # after the connections above: what a session does at the end of a run comes before the next run of the queue
        self.queue = QueueModel(QueueStore(settings.paths.config_dir), self.run, self._start_queued, self)
        self.queue.failed.connect(self.report)
        self.analyses = AnalysesModel(AnalysisStore(settings.paths.config_dir), settings, self)
        self.analyses.failed.connect(self.report)
        self.analyses.finished.connect(self._analysed)
        self.session_notices = SessionNotices(self)
        self.checkup = CheckupModel(self)
        self.model_download = ModelDownload(settings, self)
        self.arrivals = NewModels(self)
        self.remedies = ProblemActions(self)

    def open(self) -> None:
        """Look at the folders and warm the engine up; called when a window is on screen, in effect once."""
        if self._is_open:
            return
        self._is_open = True
        self._apply_xai()
        self.catalog.look(self.settings.models)
        self._open_output()
        self.engine.warm_up()
        self.memory.begin()

    def start(self) -> None:
        """Start the run that the window describes."""
        request = self._checked_request()
        if request:
            self.carry_out(request)

    def request(self) -> GenerationRequest | None:
        """Return what the window describes, or None if that is nothing."""
        try:
            return build_request(self.settings, self.classes)
        except ISICGUIError:
            return None

    def regenerate(self, *, random_seeds: bool = False) -> None:
        """Start the last request again; the output folder gets further images, none of them twice.

        With its own seeds the next images of their sequence are made: those that lie in the folder are left out.
        """
        last = self.run.last_request
        if last:
            self.carry_out(dataclasses.replace(last, seed=None) if random_seeds else last)

    def queue_up(self) -> None:
        """Put what the window describes at the end of the queue."""
        request = self._checked_request()
        if request:
            self.queue.add(request)

    def carry_out(self, request: GenerationRequest) -> None:
        """Start a request, unless a run is going on."""
        if self.run.busy:
            return
        remember_request(self.settings, request)
        self._begin()
        self.run.start(request)

    def resume(self) -> None:
        """Finish the interrupted runs of the output folder."""
        self._finish(self.interrupted)

    def finish_stopped(self) -> None:
        """Finish the runs of the output folder that somebody has stopped."""
        self._finish(self.stopped)

    def _finish(self, runs: Sequence[Unfinished]) -> None:
        if runs:
            changes = RunChanges(tuple(run.run_id for run in runs))
            self.finish_run(self.settings.output, None, changes)

    def finish_run(self, output: Path, request: GenerationRequest | None, changes: RunChanges) -> None:
        """Finish interrupted runs of a folder, unless a run is going on.

        Parameters
        ----------
        request
            What was asked for, if it is known.
        changes
            Which run alone, and what to do otherwise.
        """
        if not self.run.busy:
            self._begin()
            self.run.resume(output, request, changes)

    def show_image(self, path: Path) -> None:
        """Show an image the user has chosen; the run no longer decides what is shown."""
        self._follows_run = False
        self.picture.show(path)

    def analyse_image(self, path: Path) -> None:
        """Show an image and ask what of its trajectory is to be analysed."""
        picture = self.picture.picture
        if picture and picture.path == path:
            self.wish.emit(WindowRequest.ANALYSIS)
        else:
            self._to_analyse = path
            self.show_image(path)

    def stop(self, mode: StopMode) -> None:
        """Stop the run; the queue does not begin another one after it."""
        if self.run.busy:
            self.queue.hold()
            self._note_left(is_left=False)
        self.run.stop(mode)

    def stop_to_close(self) -> None:
        """Stop the run because its window is closed; the next start offers to finish it."""
        self.stop(StopMode.NOW)
        self._note_left(is_left=True)

    def _note_left(self, *, is_left: bool) -> None:
        """Remember whether the run was interrupted by the end of its window, or stopped by somebody."""
        run_id = self.run.started.run_id if self.run.started else ""
        others = [left for left in self.settings.recall(LEFT, [], list) if left != run_id]
        if run_id:
            self.settings.remember(LEFT, [run_id, *others][:MOST_LEFT] if is_left else others)

    def close(self) -> None:
        """Save and give everything back; the run must have ended."""
        self.queue.close()
        self.analyses.close()
        self.settings.save()
        self.explain.stop()
        self.collection.close()
        self.dataset_export.close()
        self.checkup.close()
        self.model_download.close()
        self.training.close()
        self.evaluation.close()
        self.gallery.stop()
        self.log.close()
        self._engine.close()
        for tasks in self.findChildren(TaskRunner):
            tasks.close(2.0)

    def choose_methods(self, methods: tuple[str, ...]) -> None:
        """Explain by these methods from now on."""
        remember_methods(self.settings, methods)
        self._apply_xai()

    def look_at_explanations(self, looks: bool) -> None:
        """Explain the shown image as long as somebody looks at that, whatever runs are asked to explain."""
        self._looks_at_explanations = looks
        self._apply_xai()

    def tell(self, words: str) -> None:
        """Confirm something in passing."""
        _log.info("%s", words)
        self.told.emit(words)

    def report(self, error: BaseException) -> None:
        """Tell of an error in a dialog."""
        _log.error("%s", error)
        self.problem.emit(describe(error))

    def failed_run(self) -> FailedRun | None:
        """Return the run that is going on or has just ended, for whoever wants to try it again."""
        run = self.run
        if run.output is None:
            return None
        device = run.started.device if run.started else ""
        return FailedRun(run.output, run.request, run.started.run_id if run.started else "", device, run.batch_size)

    def _connect(self) -> None:
        self.settings.changed.connect(self._setting_changed)
        self.settings.postponed.connect(self._tell_postponed)
        self.run.state_changed.connect(self._hold_settings)
        self.catalog.changed.connect(self._catalog_changed)
        self.run.stepped.connect(self.denoising.add)
        self.run.image_done.connect(self._image_done)
        self.run.class_failed.connect(self._class_failed)
        self.run.finished.connect(self._run_finished)
        self.run.failed.connect(self._run_failed)
        self.picture.changed.connect(self._picture_changed)
        self.picture.failed.connect(self._picture_failed)
        for signal in (self.settings.changed, self.classes.changed, self.catalog.changed, self.engine.changed):
            signal.connect(self.forecast.look_soon)
        self.run.state_changed.connect(self.forecast.look_soon)
        self.engine.changed.connect(self.memory.look)
        self.collection.told.connect(self.tell)
        self.explain.saved.connect(self._explanation_saved)
        self.explain.exported.connect(self._tell_maps)
        self.dataset_export.finished.connect(self._tell_export)
        for source in (self.settings, self.catalog, self.engine, self.gallery, self.collection, self.explain):
            source.failed.connect(self.report)
        self.dataset_export.failed.connect(self.report)
        self.training.failed.connect(self.report)
        self.training.ended.connect(self._tell_message)
        self.evaluation.ended.connect(self._tell_message)
        for check in self.evaluation.checks.values():
            check.failed.connect(self.report)

    def _checked_request(self) -> GenerationRequest | None:
        try:
            return build_request(self.settings, self.classes)
        except ISICGUIError as error:
            self.report(error)
            return None

    def _start_queued(self, queued: QueuedRun) -> None:
        if queued.state is QueueState.INTERRUPTED:
            self.finish_run(queued.request.output, queued.request, _of_queued(queued))
        else:
            self.carry_out(queued.request)

    def _engine_answers(self) -> bool:
        """Whether the engine has warmed up and its process, if it has one, is alive."""
        return self.engine.state is EngineState.READY and getattr(self._engine, "pid", 1) is not None

    def _engine_idles(self) -> bool:
        return self._engine_answers() and not self.run.busy

    def _begin(self) -> None:
        self._follows_run = True
        self.unfinished.emit([])
        self.denoising.clear()

    def _setting_changed(self, key: str) -> None:
        if key == "paths.models":
            self.catalog.look(self.settings.models)
        elif key == "paths.output":
            self._open_output()
        elif key.startswith("xai.") or key in ("paths.classifier", "generation.device"):
            self._apply_xai()

    def _hold_settings(self) -> None:
        self.settings.hold(OF_A_RUN if self.run.busy else ())

    def _tell_postponed(self, key: str) -> None:
        words = tr("{setting}: the change takes effect when the run has ended.")
        self.tell(words.format(setting=translate(BY_KEY[key].title)))

    def _apply_xai(self) -> None:
        self.explain.set_style(self.settings.get("xai.style"))
        self.explain.set_options(recall_options(self.settings))
        self.explain.set_enabled(self.settings.get("xai.enabled") or self._looks_at_explanations)

    def _open_output(self) -> None:
        self.gallery.open(self.settings.output)
        self.collection.open(self.settings.output, is_expected=bool(self.settings.get("paths.output")))
        self._look_for_unfinished()

    def _look_for_unfinished(self) -> None:
        output = self.settings.output
        self._files.start(
            lambda: find_unfinished(output),
            lambda runs: self._tell_unfinished(output, runs),
            lambda error: _log.debug("No look at interrupted runs of %s: %s", output, error),
        )

    def _tell_unfinished(self, output: Path, runs: list[Unfinished]) -> None:
        if output == self.settings.output and not self.run.busy:
            left = self.settings.recall(LEFT, [], list)
            self.stopped = [run for run in runs if run.is_stopped and run.run_id not in left]
            self.interrupted = [run for run in runs if run not in self.stopped]
            self.unfinished.emit(self.interrupted)

    def _catalog_changed(self) -> None:
        catalog = self.catalog.catalog
        self.classes.set_availability(catalog.classes if catalog else None)

    def _image_done(self, event: ImageDone) -> None:
        self.denoising.keep(event.file)
        self.gallery.add(event.file, event.class_code, self.run.started.run_id if self.run.started else "")
        if self._follows_run:
            self.picture.show(event.file)
        self._learn_speed(event)
        if event.explain:
            self.explain.save(event.file)

    def _learn_speed(self, event: ImageDone) -> None:
        run = self.run
        warming_up = event.done == 1 and event.total > 1
        if run.request and run.started and run.image_size and not warming_up:
            self._speeds.learn(run.request, run.started, run.image_size, event.seconds)

    def _tell_message(self, words: str) -> None:
        self.tell(translate(words))

    def _tell_export(self, export: ExportFinished) -> None:
        self.tell(tr("Written: {path}").format(path=export.target))

    def _analysed(self, analysis: Analysis) -> None:
        if analysis.folder and self.settings.output in analysis.folder.parents:
            self.gallery.add_explained(analysis.folder)

    def _explanation_saved(self, path: Path) -> None:
        if self.settings.output in path.parents:
            self.gallery.add_explained(path.parent)

    def _tell_maps(self, folder: Path) -> None:
        self.tell(tr("Maps and raw arrays are in {folder}").format(folder=folder))

    def _picture_failed(self, error: BaseException) -> None:
        """Tell of a picture the user chose; one that the run showed may have been taken back in the meantime."""
        if self._follows_run:
            _log.info("Not shown: %s", error)
        else:
            self.report(error)

    def _class_failed(self, event: Failed) -> None:
        self.denoising.leave()
        self.class_failed.emit(
            Problem(event.class_code, translate(event.message), translate(event.remedy), kind=event.kind)
        )

    def _run_finished(self, event: Finished) -> None:
        if event.status == "discarded":
            self.gallery.refresh()
            self.picture.clear()
        self._look_for_unfinished()  # also after a run that is complete: an earlier one may not be
        self._settle()

    def _run_failed(self, error: BaseException) -> None:
        if not self.queue.owns_the_run:  # which tells of its failures in its list: nobody may be there to close dialogs
            self.problem.emit(describe(error, self.failed_run()))
        self._look_for_unfinished()
        self._settle()

    def _settle(self) -> None:
        self._follows_run = False
        self.explain.set_picture(self.picture.picture)

    def _picture_changed(self) -> None:
        """Explain what is shown, but leave the machine to the run while it is the run that changes the picture."""
        following = self._follows_run and self.run.busy
        picture = self.picture.picture
        if not self.run.busy:
            self.denoising.choose(self.picture.path)
        self.explain.set_picture(None if following else picture)
        wanted, self._to_analyse = self._to_analyse, None
        if picture and picture.path == wanted:
            self.wish.emit(WindowRequest.ANALYSIS)


def _of_queued(queued: QueuedRun) -> RunChanges:
    """Return that a queued run alone is finished, whatever else its folder holds."""
    return RunChanges((queued.run_id,)) if queued.run_id else UNCHANGED
