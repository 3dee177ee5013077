"""Evaluation in the window: it follows the child's findings, stops it, and opens the way to the report."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication

from cli.curate import curate as curate_command
from cli.evaluate import evaluate as evaluate_command
from cli.utility import utility as utility_command
from core.message import Message
from evaluation.curation.rules import parse_rules
from gui.evaluate.evaluation import EvaluationModel, EvaluationState
from gui.evaluate.evaluation_choice import RULES
from gui.evaluate.evaluation_dialog import EvaluationDialog
from gui.evaluate.finding_row import FindingRow
from gui.i18n import set_language, translate
from tests.gui.fake_jobs import SCRIPT, as_json, fake_client

COMMANDS = {"evaluate": evaluate_command, "curate": curate_command, "utility": utility_command}

"""A process begins late on a busy machine."""


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    yield
    set_language("en")


def progress(fraction, words="set: Diversity"):
    return {"event": "progress", "fraction": fraction, "words": words}


def judged(title, level):
    return {
        "event": "judged",
        "set": "s",
        "section": title,
        "title": title,
        "level": level,
        "verdict": f"{title} it is.",
    }


FINISHED = {
    "event": "finished",
    "output": "OUTPUT",
    "report": "OUTPUT/report.html",
    "level": "doubt",
    "verdict": "With care.",
}


@pytest.fixture
def play(tmp_path, monkeypatch):
    def write(*lines):
        script = tmp_path / "script.json"
        script.write_text(json.dumps(lines), encoding="utf-8")
        monkeypatch.setenv(SCRIPT, str(script))

    write()
    return write


@pytest.fixture
def model(window, play, qtbot, monkeypatch) -> Iterator[EvaluationModel]:
    evaluation = window.session.evaluation
    evaluation.make_client = fake_client
    for check in evaluation.checks.values():
        monkeypatch.setattr(check, "open_all", lambda: None)  # its process has tests of its own
    yield evaluation
    if evaluation.busy:
        evaluation.stop()
        ends(evaluation, qtbot)


@pytest.fixture
def dialog(window, model, tmp_path) -> EvaluationDialog:
    window.desk.show_evaluation()
    shown = window.desk.dialog("evaluation")
    shown.choices.lines["real"].setText(str(tmp_path))
    shown.choices.lines["real"].editingFinished.emit()
    return shown


def ends(model, qtbot):
    until(qtbot, lambda: not model.busy)


def until(qtbot, condition):
    qtbot.waitUntil(condition)


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def rows(dialog):
    return [row.accessibleName() for row in dialog.findChildren(FindingRow) if row.isVisibleTo(dialog)]


def test_it_needs_real_photographs_and_begins_with_the_output_folder(window, model):
    window.desk.show_evaluation()
    dialog = window.desk.dialog("evaluation")
    assert dialog.choices.synthetic.text() == str(window.session.settings.output)
    assert not dialog.go.isEnabled()
    assert dialog.needed.text() == "Still needed: Held-out real photographs"
    model.choose_place("real", "somewhere")
    assert dialog.go.isEnabled()
    assert not dialog.needed.isVisible()
    model.choose_place("real", "")
    assert not dialog.go.isEnabled()


def test_findings_appear_one_by_one_and_lead_to_the_report(dialog, model, play, qtbot, tmp_path):
    gate = tmp_path / "gate"
    play(
        progress(0.1),
        {"event": "notice", "kind": "evaluate", "message": "No lesions are named."},
        judged("Distance", "good"),
        {"wait": str(gate)},
        judged("Memorisation", "bad"),
        progress(0.9),
        FINISHED,
    )
    click(qtbot, dialog.go)
    until(qtbot, lambda: rows(dialog) == ["Distance: good"])
    assert dialog.notes.text == "No lesions are named."
    assert dialog.go.text() == "Stop"
    assert not dialog.choices.isEnabled()
    gate.touch()
    ends(model, qtbot)
    until(qtbot, lambda: rows(dialog) == ["Distance: good", "Memorisation: poor"])
    assert dialog.verdict.text() == "With care."
    assert model.report == model.output / "report.html"
    assert dialog.report.isVisible()
    assert dialog.words.text() == "The evaluation is complete."
    play(judged("Diversity", "unknown"))
    click(qtbot, dialog.go)
    ends(model, qtbot)
    until(qtbot, lambda: rows(dialog) == ["Diversity: not measured"])
    assert not dialog.report.isVisible()


def test_the_bar_never_goes_back_and_a_stop_is_no_error(dialog, model, play, qtbot):
    play(progress(0.5), progress(0.3, "set: Pairs"), {"wait": "never"})
    click(qtbot, dialog.go)
    until(qtbot, lambda: dialog.words.text() == "set: Pairs")
    assert dialog.bar.value() == 500
    click(qtbot, dialog.go)
    assert model.state is EvaluationState.STOPPING
    ends(model, qtbot)
    assert model.problem is None
    assert "reuses the computed features" in dialog.words.text()


def test_an_error_is_said_with_its_remedy(dialog, model, play, qtbot):
    play({"event": "error", "kind": "input", "message": "No picture.", "remedy": "Name a folder."}, {"exit": 3})
    click(qtbot, dialog.go)
    ends(model, qtbot)
    assert dialog.problem.text() == "No picture. Name a folder."
    play({"die": 9})
    click(qtbot, dialog.go)
    ends(model, qtbot)
    assert "ended by the system" in dialog.problem.text()
    assert "Start it again" in dialog.problem.text()


def test_the_copied_command_is_the_one_that_runs_and_the_command_lines_take_it(dialog, model, play, qtbot, tmp_path):
    model.choose_place("train", str(tmp_path))
    model.choose_place("test", str(tmp_path))
    for kind, command in COMMANDS.items():
        click(qtbot, dialog.choices.kinds[kind])
        click(qtbot, dialog.copy)
        words = shlex.split(QGuiApplication.clipboard().text())[2:]
        click(qtbot, dialog.go)
        ends(model, qtbot)
        ran = json.loads((model.output / "arguments.json").read_text())
        place = words.index("--output") + 1
        assert [*words[:place], str(model.output), *words[place + 1 :]] == ran
        understood = command.make_context(kind, ran[1:]).params
        assert understood["train"] == tmp_path
        assert understood["synthetic"] in (model.choice.synthetic, (model.choice.synthetic,))


def test_usefulness_asks_for_other_photographs(dialog, model, qtbot):
    click(qtbot, dialog.choices.kinds["utility"])
    shown = [name for name, box in dialog.choices.boxes.items() if box.isVisible()]
    assert shown == ["train", "test", "preset", "before"]
    assert not dialog.go.isEnabled()


def test_another_question_begins_with_no_findings(dialog, model, play, qtbot):
    play(judged("Distance", "bad"), FINISHED)
    click(qtbot, dialog.go)
    ends(model, qtbot)
    until(qtbot, lambda: rows(dialog) == ["Distance: poor"])
    assert dialog.words.text() == "The evaluation is complete."
    click(qtbot, dialog.choices.kinds["curate"])
    assert rows(dialog) == []
    assert not dialog.verdict.isVisible()
    assert not dialog.report.isVisible()
    assert dialog.words.text() == ""
    assert dialog.empty.isVisible()


def test_it_goes_on_without_its_dialog_and_is_there_again(dialog, model, play, qtbot, window, tmp_path):
    gate = tmp_path / "gate"
    play(judged("Distance", "good"), {"wait": str(gate)}, FINISHED)
    click(qtbot, dialog.go)
    until(qtbot, lambda: len(model.findings) == 1)
    dialog.close()
    window.desk.show_evaluation()
    again = window.desk.dialog("evaluation")
    assert rows(again) == ["Distance: good"]
    again.close()
    with qtbot.waitSignal(window.session.told) as told:
        gate.touch()
    assert told.args == ["The evaluation is complete."]


def test_folders_are_remembered(dialog, model, tmp_path):
    model.choose_place("train", str(tmp_path / "learnt"))
    again = EvaluationModel(model._settings)
    assert (again.choice.place("real"), again.choice.place("train")) == (str(tmp_path), str(tmp_path / "learnt"))


def test_typed_folders_count_before_the_field_is_left(dialog, model, qtbot, tmp_path):
    model.choose_place("real", "")
    assert not dialog.go.isEnabled()
    dialog.activateWindow()
    dialog.choices.lines["real"].clear()
    dialog.choices.lines["real"].setFocus()
    qtbot.keyClicks(dialog.choices.lines["real"], f"{tmp_path}/")
    until(qtbot, dialog.go.isEnabled)
    assert dialog.choices.lines["real"].text() == f"{tmp_path}/"  # nothing is put right under the hands of who types


def trained(arm, seed, kept=False):
    return {"event": "trained", "arm": arm, "title": arm, "seed": seed, "balanced_accuracy": 0.4, "kept": kept}


def choose(combo, name):
    combo.setCurrentIndex(combo.findData(name))
    combo.activated.emit(combo.currentIndex())


def begin_experiment(dialog, model, qtbot, tmp_path):
    model.choose_place("train", str(tmp_path))
    model.choose_place("test", str(tmp_path))
    click(qtbot, dialog.choices.kinds["utility"])
    click(qtbot, dialog.go)


def test_the_rules_that_can_be_chosen_are_rules():
    assert [str(parse_rules(rules)) for rules in RULES.values()] == list(RULES.values())
    assert parse_rules(RULES["standard"]) == parse_rules("standard")


def test_trainings_appear_one_by_one(dialog, model, play, qtbot, tmp_path):
    play(trained("real", 42), trained("synthetic only", 43), FINISHED)
    begin_experiment(dialog, model, qtbot, tmp_path)
    ends(model, qtbot)
    until(qtbot, lambda: rows(dialog) == ["real, seed 42", "synthetic only, seed 43"])
    assert model.findings[0].verdict == "Balanced accuracy on the validation lesions: 0.400"


def test_everything_that_was_told_is_said_in_a_language_chosen_later(dialog, model, play, qtbot, window, tmp_path):
    words = as_json(Message("Reading the images"))
    note = Message("The synthetic set has no image of {codes}.", codes="DF")
    play(
        {**progress(0.1, words), "done": 1, "total": 2, "unit": "images"},
        {"event": "notice", "kind": "data", "message": as_json(note)},
        trained(as_json(Message("synthetic only")), 42),
        {"wait": "never"},
    )
    begin_experiment(dialog, model, qtbot, tmp_path)
    until(qtbot, lambda: len(model.findings) == 1)
    dialog.close()
    until(qtbot, lambda: window.desk.dialog("evaluation") is None)
    set_language("ru")
    window.desk.show_evaluation()
    again = window.desk.dialog("evaluation")
    shown = [again.words.text(), again.notes.text, *rows(again)]
    again.close()
    assert shown == [
        "Чтение изображений (1 из 2)",
        "В синтетическом наборе нет изображений DF.",
        f"{translate(Message('synthetic only'))}, сид 42",
    ]
    assert "synthetic" not in shown[2]


def test_the_newest_training_is_in_sight(dialog, model, play, qtbot, tmp_path):
    play(*(trained("real", seed) for seed in range(30)), {"wait": "never"})
    begin_experiment(dialog, model, qtbot, tmp_path)
    until(qtbot, lambda: len(model.findings) == 30)
    bar = dialog.area.verticalScrollBar()
    until(qtbot, lambda: bar.maximum() > 0 and bar.value() == bar.maximum())


def test_a_stopped_experiment_goes_on_in_its_folder_also_after_a_restart(dialog, model, play, qtbot, tmp_path):
    play(trained("real", 42), {"wait": "never"})
    begin_experiment(dialog, model, qtbot, tmp_path)
    until(qtbot, lambda: len(model.findings) == 1)
    first = model.output
    assert not model.goes_on, "nothing is finished that could be kept"
    (first / "runs").mkdir()
    click(qtbot, dialog.go)
    ends(model, qtbot)
    assert "continues where it stopped" in dialog.words.text()
    assert dialog.go.text() == "Continue"
    again = EvaluationModel(model._settings)
    assert again.goes_on
    assert str(first) in again.command
    choose(dialog.choices.preset, "standard")
    assert dialog.go.text() == "Evaluate", "another experiment"
    choose(dialog.choices.preset, "quick")
    click(qtbot, dialog.go)
    assert model.output == first
    until(qtbot, lambda: len(model.findings) == 1)
    (first / "results.json").touch()
    click(qtbot, dialog.go)
    ends(model, qtbot)
    assert not model.goes_on, "a finished experiment is left alone"


def test_thoroughness_and_rules_reach_the_command(dialog, model, play, qtbot, tmp_path):
    choose(dialog.choices.preset, "standard")
    choose(dialog.choices.before, "half")
    begin_experiment(dialog, model, qtbot, tmp_path)
    ends(model, qtbot)
    ran = json.loads((model.output / "arguments.json").read_text())
    assert ran[ran.index("--preset") + 1] == "standard"
    assert ran[ran.index("--curate") + 1] == RULES["half"]
    assert EvaluationModel(model._settings).choice.before == "half"


def test_a_selection_without_photographs_looks_for_no_copies(dialog, model, qtbot, tmp_path):
    click(qtbot, dialog.choices.kinds["curate"])
    click(qtbot, dialog.go)
    ends(model, qtbot)
    ran = json.loads((model.output / "arguments.json").read_text())
    assert ran[ran.index("--rules") + 1] == "fidelity>=0.1,duplicates"
    model.choose_place("train", str(tmp_path))
    assert "fidelity>=0.1,copies,duplicates" in model.command


CURATED = {
    "event": "finished", "output": "OUTPUT", "curation": "OUTPUT/curation.csv", "images": 2, "kept": 1,
    "left_out": {"copies": 1}, "verdict": "1 of 2 images are kept.", "notes": ["No image of DF is kept."],
}  # fmt: skip


def test_a_selection_leads_to_its_table_and_to_the_export(dialog, model, play, qtbot, window):
    play({"event": "notice", "kind": "curate", "message": "No image of DF is kept."}, CURATED)
    click(qtbot, dialog.choices.kinds["curate"])
    assert not dialog.export.isVisible()
    click(qtbot, dialog.go)
    ends(model, qtbot)
    assert dialog.verdict.text() == "1 of 2 images are kept."
    assert dialog.notes.text == "No image of DF is kept."
    assert dialog.report.text() == "Open the decisions"
    until(qtbot, lambda: rows(dialog) == ["Suspected training copies"])
    assert model.findings[0].verdict == "Excluded: 1 image."
    assert not dialog.empty.isVisible()
    table = model.output / "curation.csv"
    table.touch()
    click(qtbot, dialog.export)
    export = window.desk.dialog("export")
    assert window.session.dataset_export.options.curation == table
    assert export.choices.curation.currentData() == str(table)
    choose(export.choices.curation, "")
    assert window.session.dataset_export.options.curation is None
    choose(export.choices.curation, str(table))
    assert window.session.dataset_export.options.curation == table, "it stays at hand"
    export.close()


def test_a_selection_of_another_folder_is_not_exported_from_here(dialog, model, play, qtbot, tmp_path):
    model.choose(synthetic=tmp_path / "elsewhere", kind="curate")
    play(CURATED)
    click(qtbot, dialog.go)
    ends(model, qtbot)
    assert dialog.report.isVisible()
    assert not dialog.export.isVisible()


def test_the_chooser_of_measures_offers_what_is_in_the_registry(window, model, dialog, tmp_path):
    from evaluation.measurements import MEASUREMENTS

    combo = dialog.choices.measure
    assert [combo.itemData(row) for row in range(combo.count())] == ["", *MEASUREMENTS]
    combo.setCurrentIndex(combo.findData("diversity"))
    combo.activated.emit(combo.currentIndex())
    assert model.choice.request(tmp_path).measures == ("diversity",)
