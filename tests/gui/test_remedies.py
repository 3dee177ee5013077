"""Every kind of error: the words, the buttons, and that each button does what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtWidgets import QFileDialog

from core import errors
from core.errors import ISICGUIError
from core.generation import GenerationRequest, RunChanges, plan_class
from core.jobs.client import WorkerDiedError
from dataset.synthetic_dataset import SyntheticDataset
from gui.common.problem import TITLES, describe
from gui.common.window_requests import WindowRequest
from gui.help.problem_actions import ACTIONS, WORDS, Action
from gui.help.problem_dialog import ProblemDialog
from gui.shell.main_window import MainWindow
from gui.workers.unfinished import find_unfinished
from tests.gui.fake_engine import FakeEngine, make_pixels, make_recipe
from tests.gui.test_run import ask_for, wait_idle

KINDS = {
    errors.DeviceError: [Action.ON_CPU, Action.AGAIN],
    errors.OutOfMemoryError: [Action.SMALLER_BATCH, Action.ON_CPU, Action.AGAIN],
    errors.OutputError: [Action.OTHER_FOLDER, Action.AGAIN],
    errors.DiskFullError: [Action.OTHER_FOLDER, Action.AGAIN],
    errors.FolderLockedError: [Action.AGAIN, Action.OTHER_FOLDER],
    errors.ModelRefusedError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.ModelMissingError: [Action.GET_MODELS, Action.STARTER_MODELS, Action.MODELS_FOLDER],
    errors.ModelTruncatedError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.ModelUnsafeError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.ModelArchitectureError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.ModelNotFiniteError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.ModelTooLargeError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.DownloadError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.DownloadQuotaError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.DownloadSignInError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.ChecksumError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    errors.ArchiveError: [Action.STARTER_MODELS, Action.GET_MODELS, Action.MODELS_FOLDER],
    WorkerDiedError: [Action.START_ENGINE, Action.SMALLER_BATCH],
    errors.InputRefusedError: [],
    errors.UsageError: [],
}


def fail_with(window: MainWindow, engine: FakeEngine, error: Exception, qtbot) -> ProblemDialog:
    """Let a run on the graphics card in batches of eight, with models of one's own, end with an error."""
    settings = window.session.settings
    settings.set("generation.device", "cuda:0")
    settings.set("generation.precision", "fp16")
    settings.set("generation.batch_size", 8)
    settings.choose_folder("paths.models", settings.paths.config_dir.parent / "own-models")
    qtbot.waitUntil(lambda: window.session.catalog.catalog is not None)

    def fail(number: int) -> None:
        raise error

    engine.fail_at = fail
    engine.started_device, engine.started_batch = "cuda:0", 8
    ask_for(window, MEL=2)
    window.setup.start.click()
    qtbot.waitUntil(lambda: bool(window._problems))
    engine.fail_at = lambda number: None
    return window._problems[0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_each_kind_of_error_has_its_words_and_buttons(
    window: MainWindow, engine: FakeEngine, qtbot, kind: type[ISICGUIError]
) -> None:
    dialog = fail_with(window, engine, kind("It went wrong here.", remedy="Do this."), qtbot)
    assert dialog.windowTitle() == TITLES[kind.kind]
    assert (dialog.problem.message, dialog.problem.remedy) == ("It went wrong here.", "Do this.")
    assert [button.text() for button in dialog.remedies] == [WORDS[action] for action in KINDS[kind]]
    assert all(button.accessibleName() for button in dialog.remedies)
    assert dialog.problem.expected


def test_every_kind_that_has_actions_has_a_title_and_is_tried_above() -> None:
    assert set(ACTIONS) <= set(TITLES)
    assert set(ACTIONS) - {"input"} == {kind.kind for kind, actions in KINDS.items() if actions}


def test_a_folder_that_has_gone_is_no_dead_end(window: MainWindow, engine: FakeEngine, output: Path, qtbot) -> None:
    """Nothing can be done about another file that was refused; about the run's own folder, a lot."""
    dialog = fail_with(window, engine, errors.InputRefusedError("There is no folder.", path=output), qtbot)
    assert [button.text() for button in dialog.remedies] == [WORDS[Action.OTHER_FOLDER], WORDS[Action.AGAIN]]
    click(dialog, Action.AGAIN)
    qtbot.waitUntil(lambda: len(engine.requests) == 2)
    wait_idle(window, qtbot)
    assert window.session.run.done == 2


def click(dialog: ProblemDialog, action: Action) -> None:
    (button,) = [button for button in dialog.remedies if button.text() == WORDS[action]]
    button.click()


def test_again_on_the_cpu(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    dialog = fail_with(window, engine, errors.DeviceError("There is no cuda:0."), qtbot)
    click(dialog, Action.ON_CPU)
    qtbot.waitUntil(lambda: len(engine.requests) == 2)
    wait_idle(window, qtbot)
    again = engine.requests[1]
    assert (again.device, again.precision, again.counts) == ("cpu", "auto", (("MEL", 2),))
    assert window.session.settings.get("generation.device") == "cpu"
    assert window._problems == []
    assert window.session.run.done == 2


def test_again_with_a_smaller_batch(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    dialog = fail_with(window, engine, errors.OutOfMemoryError("Too little memory."), qtbot)
    click(dialog, Action.SMALLER_BATCH)
    qtbot.waitUntil(lambda: len(engine.requests) == 2)
    wait_idle(window, qtbot)
    assert engine.requests[1].batch_size == 4
    assert window.session.settings.get("generation.batch_size") == 4


def test_a_run_that_its_folder_knows_is_finished_and_not_begun_anew(
    window: MainWindow, engine: FakeEngine, output: Path, qtbot
) -> None:
    """With the interrupted run of the failure; another one that waits in the folder is left alone."""
    other, own = interrupt(output), interrupt(output)
    engine.run_id = own
    dialog = fail_with(window, engine, errors.OutOfMemoryError("Too little memory."), qtbot)
    click(dialog, Action.SMALLER_BATCH)
    qtbot.waitUntil(lambda: bool(engine.resumed))
    wait_idle(window, qtbot)
    assert engine.resumed == [output]
    assert engine.changes == [RunChanges((own,), batch_size=4)]
    assert len(engine.requests) == 1
    assert other in [run.run_id for run in find_unfinished(output)]


def interrupt(output: Path) -> str:
    """Leave a run with one of three images in a folder and return its id."""
    request = GenerationRequest((("NV", 3),), Path("models"), output, seed=None)
    with SyntheticDataset.open(output) as dataset:
        run = dataset.begin_run(request, list(plan_class(request, "NV", 3, frozenset())))
        slot = run.slots[0]
        recipe = make_recipe("NV", slot.planned.seed, slot.planned.index)
        dataset.store(run, slot, make_pixels(slot.planned.seed), recipe)
    return run.run_id


def test_another_folder_takes_the_whole_run(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, monkeypatch, qtbot
) -> None:
    dialog = fail_with(window, engine, errors.DiskFullError("The disk is full."), qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "other"))
    click(dialog, Action.OTHER_FOLDER)
    qtbot.waitUntil(lambda: len(engine.requests) == 2)
    wait_idle(window, qtbot)
    assert engine.requests[1].output == tmp_path / "other"
    assert window.session.settings.output == tmp_path / "other"
    assert len(list((tmp_path / "other" / "MEL").glob("*.png"))) == 2


def test_who_chooses_no_folder_starts_nothing(window: MainWindow, engine: FakeEngine, monkeypatch, qtbot) -> None:
    dialog = fail_with(window, engine, errors.DiskFullError("The disk is full."), qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    click(dialog, Action.OTHER_FOLDER)
    assert len(engine.requests) == 1
    assert not window.session.run.busy


def test_again_after_another_program_has_let_go(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    dialog = fail_with(window, engine, errors.FolderLockedError("Process 7 writes there."), qtbot)
    click(dialog, Action.AGAIN)
    qtbot.waitUntil(lambda: len(engine.requests) == 2)
    wait_idle(window, qtbot)
    assert engine.requests[1] == engine.requests[0]


def test_the_starter_models_take_over(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    dialog = fail_with(window, engine, errors.ModelTruncatedError("It ends too early."), qtbot)
    click(dialog, Action.STARTER_MODELS)
    qtbot.waitUntil(lambda: len(engine.requests) == 2)
    wait_idle(window, qtbot)
    starter = window.session.settings.paths.default_models_dir
    assert engine.requests[1].models == starter
    assert window.session.settings.models == starter


def test_models_are_asked_for_where_there_are_none(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, monkeypatch, qtbot
) -> None:
    requests: list[WindowRequest] = []
    dialog = fail_with(window, engine, errors.ModelMissingError("There is no model."), qtbot)
    window.session.wish.disconnect()
    window.session.wish.connect(requests.append)
    click(dialog, Action.GET_MODELS)
    assert requests == [WindowRequest.GET_MODELS]


def test_another_folder_of_models_is_chosen(
    window: MainWindow, engine: FakeEngine, tmp_path: Path, monkeypatch, qtbot
) -> None:
    dialog = fail_with(window, engine, errors.ModelMissingError("There is no model."), qtbot)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    click(dialog, Action.MODELS_FOLDER)
    assert window.session.settings.models == tmp_path


def test_an_engine_that_died_is_started_again_and_the_run_finished(
    window: MainWindow, engine: FakeEngine, output: Path, qtbot
) -> None:
    engine.run_id = interrupt(output)
    dialog = fail_with(window, engine, WorkerDiedError("The process ended."), qtbot)
    before = engine.warm_ups
    click(dialog, Action.START_ENGINE)
    qtbot.waitUntil(lambda: bool(engine.resumed))
    wait_idle(window, qtbot)
    assert engine.warm_ups == before + 1


def test_an_engine_that_does_not_start_can_be_started_again(open_window, engine: FakeEngine, qtbot) -> None:
    engine.warm_up_error = WorkerDiedError("The process ended.")
    window = open_window()
    qtbot.waitUntil(lambda: bool(window._problems))
    engine.warm_up_error = None
    click(window._problems[0], Action.START_ENGINE)
    qtbot.waitUntil(lambda: window.session.engine.info is not None)
    assert engine.requests == []


def test_nothing_is_offered_that_would_not_help(window: MainWindow) -> None:
    """No run to try again, already on the CPU, already the starter models, a batch of one."""
    window.session.settings.set("generation.device", "cpu")
    offered = window.session.remedies.of
    assert offered(describe(errors.OutOfMemoryError("x"))) == ()
    assert offered(describe(errors.DeviceError("x"))) == ()
    assert offered(describe(errors.OutputError("The settings could not be saved."))) == ()
    kinds = [remedy.action for remedy in offered(describe(errors.ModelRefusedError("x")))]
    assert kinds == [Action.GET_MODELS, Action.MODELS_FOLDER]
    assert offered(describe(ZeroDivisionError("x"))) == ()


def test_why_classes_failed_offers_the_same_buttons(window: MainWindow, engine: FakeEngine, qtbot) -> None:
    from core.events import Failed

    window.session.settings.choose_folder("paths.models", window.session.settings.paths.config_dir)
    qtbot.waitUntil(lambda: window.session.catalog.catalog is not None)
    engine.extra = lambda number: iter([Failed("NV", "model_truncated", "unet_NV ends too early.", "Get it.", 1)])
    ask_for(window, MEL=1)
    window.setup.start.click()
    wait_idle(window, qtbot)
    window.banner._action.click()
    (dialog,) = window._problems
    assert WORDS[Action.STARTER_MODELS] in [button.text() for button in dialog.remedies]
    assert "unet_NV ends too early" in dialog.problem.message


def test_every_wish_is_granted_by_the_window(window: MainWindow) -> None:
    assert set(window.desk._grants) == set(WindowRequest)
