"""Where photographs are chosen it is said what they hold: labels at once, pictures as they are opened, oddities."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gui.common.photograph_check import PhotographCheck
from gui.common.photograph_report import PhotographReport
from gui.evaluate.evaluation_dialog import EvaluationDialog
from gui.shell.main_window import MainWindow
from gui.train.training_dialog import TrainingDialog
from tests.gui.fake_engine import make_pixels
from tests.gui.fake_jobs import SCRIPT, fake_client

COUNTS = {"MEL": 4, "NV": 6}


def write_photographs(folder: Path, *, table: bool) -> Path:
    """Photographs of two lesions each, with or without a table that says so."""
    rows = []
    for code, count in COUNTS.items():
        (folder / code).mkdir(parents=True)
        for number in range(count):
            path = folder / code / f"{code}_{number}.png"
            Image.fromarray(make_pixels(len(rows) + 1)).save(path)
            rows.append([f"{code}{number}", code, f"L{code}{number // 2}", path.relative_to(folder).as_posix()])
    if table:
        with (folder / "labels.csv").open("w", newline="") as stream:
            csv.writer(stream).writerows([["id", "class", "lesion_id", "path"], *rows])
    return folder


def spoil(folder: Path) -> None:
    """Make one file a copy of another one, cut one short, and give one another size."""
    mel = folder / "MEL"
    (mel / "MEL_1.png").write_bytes((mel / "MEL_0.png").read_bytes())
    (mel / "MEL_2.png").write_bytes((mel / "MEL_2.png").read_bytes()[:60])
    Image.fromarray(np.zeros((9, 11, 3), np.uint8)).save(mel / "MEL_3.png")


@pytest.fixture
def check(qapp) -> Iterator[PhotographCheck]:
    made = PhotographCheck()
    yield made
    made.close()


@pytest.fixture
def report(check: PhotographCheck, qtbot) -> PhotographReport:
    made = PhotographReport(check, "Class folders or a table.")
    qtbot.addWidget(made)
    return made


def opened(check: PhotographCheck, path: Path, qtbot) -> None:
    check.look(path, opens=True)
    qtbot.waitUntil(lambda: check.checked is not None or check.problem is not None)


def test_labels_are_told_at_once_and_pictures_when_they_were_opened(
    check: PhotographCheck, report: PhotographReport, tmp_path: Path, qtbot
) -> None:
    assert report.found.text() == "Class folders or a table."
    check.look(write_photographs(tmp_path / "photos", table=True), opens=True)
    assert report.found.text() == "Looking…"
    qtbot.waitUntil(lambda: check.overview is not None)
    assert report.found.text() == "Own table: 10 photographs, 5 lesions; licence: unknown"
    assert report.table.accessibleName() == "MEL 4, NV 6"
    assert check.is_opening
    assert report.act.text() == "Stop"
    qtbot.waitUntil(lambda: check.checked is not None)
    assert report.pictures.text() == "10 of 10 images can be read · 32 × 32 pixels"
    assert not report.act.isVisibleTo(report)
    assert report.warnings.text == ""


def test_oddities_of_the_pictures_are_told(
    check: PhotographCheck, report: PhotographReport, tmp_path: Path, qtbot
) -> None:
    folder = write_photographs(tmp_path / "photos", table=True)
    spoil(folder)
    opened(check, folder, qtbot)
    assert report.pictures.text() == "9 of 10 images can be read"
    for words in ("Exact copies of others: 1 photograph.", "differ in size", "unreadable: 1 file (", "MEL_2.png"):
        assert words in report.warnings.text


def test_of_class_folders_no_lesions_are_known(
    check: PhotographCheck, report: PhotographReport, tmp_path: Path, qtbot
) -> None:
    opened(check, write_photographs(tmp_path / "photos", table=False), qtbot)
    assert report.found.text().startswith("Class folders: 10 photographs, lesions unknown")


def test_what_was_chosen_before_is_opened_only_if_somebody_asks(
    check: PhotographCheck, report: PhotographReport, tmp_path: Path, qtbot
) -> None:
    check.look(write_photographs(tmp_path / "photos", table=True), opens=False)
    qtbot.waitUntil(lambda: check.overview is not None)
    assert not check.is_opening
    assert report.pictures.text() == "Images not opened yet"
    report.act.click()
    qtbot.waitUntil(lambda: check.checked is not None)
    assert "10 of 10" in report.pictures.text()


@pytest.fixture
def endless(check: PhotographCheck, tmp_path: Path, monkeypatch) -> PhotographCheck:
    """Its process tells of three pictures and waits."""
    lines = [
        {"event": "progress", "done": 3, "total": 10, "unit": "images", "words": "", "fraction": 0.3},
        {"wait": str(tmp_path / "never")},
    ]
    (tmp_path / "script.json").write_text(json.dumps(lines), encoding="utf-8")
    monkeypatch.setenv(SCRIPT, str(tmp_path / "script.json"))
    check.make_client = fake_client
    return check


def test_opening_tells_how_far_it_is_and_stops(
    endless: PhotographCheck, report: PhotographReport, tmp_path: Path, qtbot
) -> None:
    endless.look(write_photographs(tmp_path / "photos", table=True), opens=True)
    qtbot.waitUntil(lambda: report.pictures.text() == "Opening the images: 3 of 10")
    report.act.click()
    assert not endless.is_opening
    assert report.pictures.text() == "Images not opened yet"
    assert report.found.text().startswith("Own table")
    assert endless.problem is None


def test_another_choice_forgets_the_one_before(
    endless: PhotographCheck, report: PhotographReport, tmp_path: Path, qtbot
) -> None:
    endless.look(write_photographs(tmp_path / "photos", table=True), opens=True)
    qtbot.waitUntil(lambda: endless.done == 3)
    endless.look(write_photographs(tmp_path / "others", table=False), opens=False)
    assert (endless.overview, endless.checked, endless.done) == (None, None, 0)
    qtbot.waitUntil(lambda: endless.overview is not None)
    assert report.found.text().startswith("Class folders")
    endless.look(None, opens=True)
    assert report.found.text() == "Class folders or a table."
    assert not report.act.isVisibleTo(report)


def test_what_is_no_data_set_is_said(check: PhotographCheck, report: PhotographReport, tmp_path: Path, qtbot) -> None:
    check.look(tmp_path, opens=True)
    qtbot.waitUntil(lambda: check.problem is not None)
    assert "no data set of labelled photographs" in report.problem.text()
    assert not check.is_opening


def test_photographs_without_labels_are_counted_where_labels_are_not_needed(qapp, tmp_path: Path, qtbot) -> None:
    for number in range(3):
        Image.fromarray(make_pixels(number)).save(tmp_path / f"{number}.png")
    check = PhotographCheck(needs_labels=False)
    report = PhotographReport(check)
    qtbot.addWidget(report)
    opened(check, tmp_path, qtbot)
    assert report.found.text() == "3 photographs, without labels"
    assert "Nothing labels these photographs" in report.warnings.text
    check.close()


# --- in the dialogs -------------------------------------------------------------------------------------------------


def test_the_training_dialog_checks_what_is_chosen(window: MainWindow, tmp_path: Path, qtbot) -> None:
    folder = write_photographs(tmp_path / "photos", table=True)
    spoil(folder)
    window.desk.show_training()
    dialog = window.desk.dialog("training")
    assert isinstance(dialog, TrainingDialog)
    dialog.choices.data.setText(str(folder))
    dialog.choices.data.editingFinished.emit()
    check = window.session.training.check
    qtbot.waitUntil(lambda: check.checked is not None)
    assert "Own table: 10 photographs, 5 lesions" in dialog.choices.report.found.text()
    assert "Exact copies" in dialog.choices.report.warnings.text
    assert dialog.go.isEnabled()
    dialog.close()


@pytest.mark.parametrize("name", ["real", "train", "test"])
def test_the_evaluation_dialog_checks_each_place(window: MainWindow, tmp_path: Path, qtbot, name: str) -> None:
    folder = write_photographs(tmp_path / "photos", table=True)
    spoil(folder)
    window.desk.show_evaluation()
    dialog = window.desk.dialog("evaluation")
    assert isinstance(dialog, EvaluationDialog)
    window.session.evaluation.choose(kind="utility" if name == "test" else "evaluate")
    report = dialog.choices.reports[name]
    assert report.found.text() == ""
    dialog.choices.lines[name].setText(str(folder))
    dialog.choices.lines[name].editingFinished.emit()
    qtbot.waitUntil(lambda: window.session.evaluation.checks[name].checked is not None)
    assert report.found.text().startswith("Own table: 10 photographs, 5 lesions")
    assert report.table.accessibleName() == "MEL 4, NV 6"
    assert "MEL_2.png" in report.warnings.text
    assert report.isVisibleTo(dialog)
    dialog.close()


def test_closing_the_dialog_opens_no_further_picture(window: MainWindow, tmp_path: Path, qtbot, monkeypatch) -> None:
    window.desk.show_evaluation()
    dialog = window.desk.dialog("evaluation")
    assert dialog
    stopped = []
    for name, check in window.session.evaluation.checks.items():
        monkeypatch.setattr(check, "stop", lambda name=name: stopped.append(name))
    dialog.close()
    assert sorted(stopped) == ["real", "test", "train"]
