"""Training in the window: it follows the child's events, stops it, goes on with it, and computes nothing itself."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication

from classifier import events as classifier
from classifier.request import TrainClassifierRequest
from cli.train_classifier import classifier_command
from cli.train_diffusion import diffusion_command
from core.events import Loading, Notice
from diffusion import events as diffusion
from diffusion.request import TrainDiffusionRequest
from gui.train.curves import MOST_POINTS
from gui.train.training import TrainingModel, TrainingState
from gui.train.training_choice import PRESETS, TrainingChoice
from gui.train.training_dialog import TrainingDialog
from gui.train.training_view import TrainingView
from tests.gui.fake_jobs import fake_client

STARTED = {
    "event": "started", "output": "OUTPUT", "class": "", "images": 0, "total": 1000, "parameters": 3_400_000,
    "device": "cpu", "precision": "fp32", "processes": 1,
}  # fmt: skip


def step(images, loss, **more):
    pace = {"rate": 1e-4, "images_per_second": 10.0, "remaining": (1000 - images) / 10}
    return {"event": "step", "images": images, "total": 1000, "loss": loss, **(more or pace)}


def evaluated(images, kid, sheet=None):
    return {
        "event": "evaluated", "images": images, "validation_loss": kid / 2, "kid": kid, "kid_low": kid - 0.1,
        "kid_high": kid + 0.1, "kid_by_class": {}, "space": "pixels", "best": True, "sheet": sheet and str(sheet),
    }  # fmt: skip


CLASSIFIER_STARTED = {"event": "started", "output": "OUTPUT", "images": 0, "total": 1000, "parameters": 3_400_000,
                      "device": "cpu", "precision": "fp32", "trained_parameters": 1}  # fmt: skip
FINISHED = {"event": "finished", "status": "completed", "run": "OUTPUT", "output": "OUTPUT", "models": "OUTPUT/best"}


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "photographs"
    folder.mkdir()
    with (folder / "labels.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["id", "class", "lesion_id", "path"])
        for code, count in {"MEL": 12, "NV": 20}.items():
            for number in range(count):
                name = f"{code}_{number}.png"
                (folder / name).touch()
                table.writerow([f"{code}{number}", code, f"{code}{number // 2}", name])
    return folder


@pytest.fixture
def play(tmp_path, monkeypatch):
    """Let the next training say something."""

    def write(*lines):
        script = tmp_path / "script.json"
        script.write_text(json.dumps(lines), encoding="utf-8")
        monkeypatch.setenv("FAKE_TRAINING", str(script))

    write()
    return write


@pytest.fixture
def model(window, play, qtbot, monkeypatch) -> Iterator[TrainingModel]:
    training = window.session.training
    training.make_client = fake_client
    monkeypatch.setattr(training.check, "open_all", lambda: None)  # its process has tests of its own
    yield training
    if training.busy:
        training.stop()
        ends(training, qtbot)


@pytest.fixture
def dialog(window, model, photographs, qtbot) -> TrainingDialog:
    window.desk.show_training()
    shown = window.desk.dialog("training")
    shown.choices.data.setText(str(photographs))
    shown.choices.data.editingFinished.emit()
    qtbot.waitUntil(lambda: model.photographs is not None)
    return shown


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def ends(model, qtbot):
    qtbot.waitUntil(lambda: not model.busy)


def runs(model):
    return [entry.run.folder.name for entry in model.runs]


def train(model, qtbot):
    model.start()
    ends(model, qtbot)
    folder = model.run
    qtbot.waitUntil(lambda: folder.name in runs(model))
    return next(entry for entry in model.runs if entry.run.folder == folder)


def asked(folder):
    return json.loads((folder / "arguments.json").read_text())


def test_the_photographs_are_described_before_anything_is_trained(dialog):
    for words in ("Own table", "32 photographs", "16 lesions", "unknown"):
        assert words in dialog.choices.report.found.text()
    assert dialog.choices.report.table.accessibleName() == "MEL 12, NV 20"
    assert dialog.go.isEnabled()


def test_what_is_no_data_set_is_said_and_cannot_be_trained_on(dialog, model, qtbot, tmp_path):
    (tmp_path / "empty").mkdir()
    model.choose(data=tmp_path / "empty")
    qtbot.waitUntil(lambda: model.check.problem is not None)
    assert "no data set of labelled photographs" in dialog.problem.text()
    assert dialog.problem.isVisible()
    assert not dialog.go.isEnabled()


def test_a_training_is_followed_to_its_end(dialog, model, play, qtbot, tmp_path):
    Image.new("RGB", (40, 20), "red").save(tmp_path / "sheet.png")
    steps = [step(n, 1 - n / 2000) for n in range(16, 801, 16)]
    play(
        {"event": "data", "leakage": "0 of 5 held-out images."},
        STARTED,
        *steps,
        evaluated(800, 0.5, tmp_path / "sheet.png"),
        {"event": "memorisation", "sentence": "No copies."},
        FINISHED,
    )
    click(qtbot, dialog.go)
    assert model.busy
    assert not dialog.choices.isEnabled()
    assert dialog.go.text() == "Stop"
    ends(model, qtbot)
    (training, validation), (score,) = dialog.progress.losses.curves, dialog.progress.scores.curves
    assert (len(training.xs), training.xs[-1]) == (50, 800)
    assert 0.6 < training.ys[-1] < 1
    assert (validation.xs, validation.ys) == ((800.0,), (0.25,))
    assert (score.ys, score.lows, score.highs) == ((0.5,), (0.4,), (0.6,))
    assert (model.view.images, dialog.progress.bar.value()) == (800, 1000), "complete, though a time limit ended it"
    assert dialog.progress.words.text() == "No copies."
    qtbot.waitUntil(lambda: dialog.progress.sheet.image is not None)
    assert dialog.progress.sheet.image.width() == 40
    assert dialog.status.text() == "The training is complete."
    assert dialog.go.text() == "Train"
    assert model.problem is None


def test_while_it_runs_the_remaining_time_is_shown_and_a_stop_keeps_it(dialog, model, play, qtbot):
    play(STARTED, step(100, 0.9), {"wait": "never"})
    click(qtbot, dialog.go)
    qtbot.waitUntil(lambda: "left" in dialog.progress.remaining.text())
    assert dialog.progress.remaining.text() == "1 min 30 s left"
    assert dialog.progress.count.text() == "100 of 1000 images"
    assert dialog.progress.bar.value() == 100
    click(qtbot, dialog.go)
    assert model.state is TrainingState.STOPPING
    ends(model, qtbot)
    assert (model.run / "last.pt").read_bytes() == b"kept"
    assert "can be resumed" in dialog.status.text()
    assert model.problem is None
    qtbot.waitUntil(lambda: bool(model.runs) and model.runs[0].run.status == "interrupted")
    assert model.runs[0].can_resume
    assert dialog.runs.list.topLevelItem(0).text(2) == "not finished"  # somebody has stopped it


def test_an_interrupted_run_goes_on_with_the_photographs_it_began_with(dialog, model, play, qtbot, photographs):
    play(STARTED, {"wait": "never"})
    model.start()
    qtbot.waitUntil(lambda: model.state is TrainingState.RUNNING)
    model.stop()
    ends(model, qtbot)
    folder = model.run
    qtbot.waitUntil(lambda: bool(model.runs) and model.runs[0].can_resume)
    play({**STARTED, "images": 100}, step(200, 0.5), FINISHED)
    dialog.tabs.setCurrentIndex(1)
    dialog.runs.list.setCurrentItem(dialog.runs.list.topLevelItem(0))
    click(qtbot, dialog.runs.resume)
    ends(model, qtbot)
    assert asked(folder) == [
        "train", "diffusion", "--data", str(photographs), "--output", str(folder), "--resume"
    ]  # fmt: skip
    assert dialog.tabs.currentIndex() == 0
    qtbot.waitUntil(lambda: model.runs[0].run.status == "finished")


def test_an_error_of_the_trainer_is_said_with_its_remedy(dialog, model, play, qtbot):
    play(
        {"event": "error", "kind": "input", "message": "DF has no photograph.", "remedy": "Leave it out."}, {"exit": 3}
    )
    click(qtbot, dialog.go)
    ends(model, qtbot)
    assert dialog.problem.text() == "DF has no photograph. Leave it out."
    assert dialog.problem.isVisible()
    assert dialog.go.isEnabled()


def test_a_trainer_that_dies_without_a_word_is_told_of_with_what_can_be_done(dialog, model, play, qtbot):
    play(STARTED, {"exit": 9})
    click(qtbot, dialog.go)
    ends(model, qtbot)
    assert "ended (code 9)" in dialog.problem.text()
    assert "try to resume it" in dialog.problem.text()


def test_the_model_of_a_run_is_used_by_the_window(dialog, model, play, qtbot, window):
    play(STARTED, step(100, 0.5), FINISHED)
    entry = train(model, qtbot)
    assert entry.model is None
    assert not dialog.runs.use.isEnabled()
    (entry.run.folder / "best").mkdir()
    (entry.run.folder / "best/config.json").touch()
    model.look_at_runs()
    qtbot.waitUntil(lambda: model.runs[0].model is not None)
    dialog.tabs.setCurrentIndex(1)
    dialog.runs.list.setCurrentItem(dialog.runs.list.topLevelItem(0))
    click(qtbot, dialog.runs.use)
    assert window.session.settings.models == entry.run.folder / "best"
    assert dialog.runs.list.topLevelItem(0).text(2) == "in use"


def test_a_classifiers_run_sets_the_classifier(dialog, model, play, qtbot, window):
    click(qtbot, dialog.choices.kinds["classifier"])
    assert [dialog.choices.preset.itemData(row) for row in range(dialog.choices.preset.count())] == list(
        PRESETS["classifier"]
    )
    scores = [{"event": "evaluated", "epoch": n, "images": 100 * n, "loss": 1, "val_balanced_accuracy": 0.3 + n / 10,
               "best": 0.3 + n / 10} for n in (1, 2)]  # fmt: skip
    measured = {"event": "measured", "title": "x", "model": "OUTPUT/model", "measured_on": "test",
                "balanced_accuracy": 0.5, "low": 0.4, "high": 0.6}  # fmt: skip
    play(CLASSIFIER_STARTED, {"event": "step", "images": 100, "total": 1000, "loss": 1.0}, *scores, measured)
    entry = train(model, qtbot)
    assert dialog.progress.scores.curves[0].ys == (0.4, 0.5)
    assert dialog.progress.words.text() == "Balanced accuracy 0.500 (95 % interval 0.400 to 0.600)"
    (entry.run.folder / "model").mkdir()
    (entry.run.folder / "model/classifier.json").touch()
    model.look_at_runs()
    qtbot.waitUntil(lambda: model.runs[0].model is not None)
    model.use(model.runs[0])
    assert window.session.settings.classifier == entry.run.folder / "model"


def test_a_stopped_classifier_can_go_on(dialog, model, play, qtbot):
    model.choose(kind="classifier")
    play(CLASSIFIER_STARTED, {"wait": "never"})
    model.start()
    qtbot.waitUntil(lambda: model.state is TrainingState.RUNNING)
    with qtbot.waitSignal(model.ended, timeout=15000) as ended:
        model.stop()
    assert "can be resumed" in ended.args[0]
    assert model.problem is None


def test_a_damaged_run_is_listed_and_named_and_nothing_can_be_done_with_it(dialog, model, play, qtbot):
    play(STARTED, step(100, 0.5), FINISHED)
    whole = train(model, qtbot)
    broken = whole.run.folder.with_name("broken")
    shutil.copytree(whole.run.folder, broken)
    (broken / "config.json").write_text("[" * 5000, encoding="utf-8")
    model.look_at_runs()
    qtbot.waitUntil(lambda: bool(model.damaged))
    dialog.tabs.setCurrentIndex(1)
    (row,) = dialog.runs.list.findItems("broken", Qt.MatchFlag.MatchExactly)
    assert row.text(2) == "damaged"
    assert "config.json cannot be read: it is damaged" in row.toolTip(2)
    dialog.runs.list.setCurrentItem(row)
    assert dialog.runs.chosen is None
    assert not any(button.isEnabled() for button in (dialog.runs.curves, dialog.runs.use, dialog.runs.resume))
    assert dialog.runs.folder.isEnabled()
    assert runs(model) == [whole.run.name]


def test_the_curves_of_an_earlier_run_are_looked_up_and_left_again(dialog, model, play, qtbot):
    play(STARTED, *[step(n, 0.5) for n in (100, 200)], evaluated(200, 0.7), FINISHED)
    old = train(model, qtbot)
    play(STARTED, step(50, 0.9), {"wait": "never"})
    model._over.add(old.run.folder)
    shutil.move(old.run.folder, old.run.folder.with_name("older"))
    model.start()
    qtbot.waitUntil(lambda: model.view.images == 50)
    qtbot.waitUntil(lambda: "older" in runs(model))
    dialog.tabs.setCurrentIndex(1)
    (row,) = dialog.runs.list.findItems("older", Qt.MatchFlag.MatchExactly)
    assert row.text(4) == "0.700"  # short enough to be seen whole; what it is stands in the tooltip
    assert row.toolTip(4) == "kernel distance 0.7 (0.6 to 0.8)"
    dialog.runs.list.setCurrentItem(row)
    click(qtbot, dialog.runs.curves)
    qtbot.waitUntil(lambda: model.looked_up is not None)
    assert dialog.progress.title.text() == "older"
    assert dialog.progress.losses.curves[0].xs == (100, 200)
    assert dialog.progress.scores.curves[0].ys == (0.7,)
    assert dialog.progress.live.isVisible()
    click(qtbot, dialog.progress.live)
    assert dialog.progress.losses.curves[0].xs == (50,)


def test_the_copied_command_is_the_one_that_runs_and_the_command_line_takes_it(dialog, model, play, qtbot):
    model.choose(preset="starter", minutes=5, kind="classifier")
    click(qtbot, dialog.copy)
    words = shlex.split(QGuiApplication.clipboard().text())[2:]
    entry = train(model, qtbot)
    ran = asked(entry.run.folder)
    place = words.index("--output") + 1
    assert [*words[:place], str(entry.run.folder), *words[place + 1 :]] == ran
    at = ran.index("--set")
    assert ran[at : at + 2] == ["--set", "mask_weight=0"], "no masks lie beside these photographs"
    understood = classifier_command.make_context("classifier", ran[2:]).params
    assert (understood["preset"], understood["max_minutes"], understood["data"]) == ("starter", 5, model.choice.data)


def test_the_shown_limit_counts_as_soon_as_it_is_shown(dialog, model):
    dialog.choices.minutes.stepUp()  # the arrow; the field is not left
    assert dialog.choices.minutes.text() == "1 min"
    assert "--max-minutes 1" in model.command


def test_the_command_line_takes_what_is_asked_of_a_generator(tmp_path):
    choice = TrainingChoice(tmp_path, data=tmp_path, preset="gpu", device="cuda:1", minutes=90)
    words = choice.job(tmp_path / "run").arguments()[2:]
    understood = diffusion_command.make_context("diffusion", words).params
    wanted = {"preset": "gpu", "device": "cuda:1", "max_minutes": 90, "output": tmp_path / "run", "resume": False}
    assert understood.items() >= wanted.items()


def test_a_generator_learns_the_classes_there_are_photographs_of(dialog, model):
    assert "--classes MEL,NV" in model.command
    model.choose(kind="classifier")
    assert "--classes" not in model.command


def test_closing_the_dialog_lets_the_training_go_on_and_closing_the_window_asks(dialog, model, play, qtbot, window):
    play(STARTED, step(100, 0.9), {"wait": "never"})
    click(qtbot, dialog.go)
    qtbot.waitUntil(lambda: model.state is TrainingState.RUNNING)
    dialog.close()
    assert model.busy
    window.close()
    assert window.isVisible()
    question = window.desk.dialog("leave training")
    click(qtbot, question.go_on_button)
    assert model.busy
    window.close()
    click(qtbot, window.desk.dialog("leave training").stop_button)
    qtbot.waitUntil(lambda: not window.isVisible())
    assert not model.busy
    assert (model.run / "last.pt").exists()


def test_the_end_is_told_to_whoever_has_closed_the_dialog(dialog, model, play, qtbot, window, tmp_path):
    gate = tmp_path / "gate"
    play(STARTED, {"wait": str(gate)}, FINISHED)
    click(qtbot, dialog.go)
    dialog.close()
    with qtbot.waitSignal(window.session.told) as told:
        gate.touch()
    assert told.args == ["The training is complete."]


def test_choices_are_remembered(dialog, model, photographs):
    model.choose(kind="classifier", preset="gpu")
    again = TrainingModel(model._settings)
    assert (again.choice.kind, again.choice.preset, again.choice.data) == ("classifier", "gpu", photographs)
    model.choose(kind="diffusion", preset="predecessor")
    model.choose(kind="classifier")
    assert model.choice.preset == "quick", "a preset that a classifier does not know"


def test_a_generators_request_asks_for_no_masks(tmp_path):
    choice = TrainingChoice(tmp_path, data=tmp_path, preset="starter")
    assert choice.job(tmp_path / "run") == TrainDiffusionRequest(
        tmp_path, tmp_path / "run", preset="starter", device="auto"
    )
    masks = TrainingChoice(tmp_path, kind="classifier", data=tmp_path, preset="starter", has_masks=True)
    assert masks.job(tmp_path / "run") == TrainClassifierRequest(
        tmp_path, tmp_path / "run", preset="starter", device="auto"
    )


def test_the_remaining_time_is_reckoned_where_the_trainer_does_not_say():
    clock = iter([10.0, 20.0])
    view = TrainingView(lambda: next(clock))
    view.take(classifier.TrainingStarted(Path(), "resnet18", "", 1, 1, "cpu", "fp32", 1, 1, 400, 1000))
    view.take(classifier.TrainingStep(500, 1000, 0.5))
    assert (view.rate, view.remaining, view.fraction) == (10.0, 50.0, 0.5)


def test_each_network_of_a_run_has_curves_of_its_own():
    view = TrainingView()
    for code in ("MEL", "NV"):
        view.take(diffusion.TrainingStarted(Path(), code, 0, 1000, 10**6, "cpu", "fp32", 1))
        view.take(diffusion.TrainingStep(100, 1000, 0.5 if code == "MEL" else 0.9, 1e-4, None, None))
    (curve,) = view.losses
    assert curve.ys == (0.9,)


def test_events_of_other_jobs_and_odd_rows_of_a_log_do_no_harm():
    view = TrainingView()
    view.take(Loading("MEL", Path()))
    view.take(Notice("data", "TensorBoard is not installed."))
    rows: list[dict[str, Any]] = [{"event": "new"}, {"images": "many", "loss": float("nan")}, {"images": 1, "kid": "x"}]
    view.fill(rows, None)
    assert view.losses == view.scores == []
    assert view.words == "TensorBoard is not installed."


def test_of_thousands_of_steps_a_bounded_number_is_drawn(dialog, model, play, qtbot):
    play(STARTED, *[step(n / 4, 1.0) for n in range(4000)], *[evaluated(1000 + n, 0.5) for n in range(50)], FINISHED)
    train(model, qtbot)
    assert len(dialog.progress.losses.curves[0].xs) <= MOST_POINTS
