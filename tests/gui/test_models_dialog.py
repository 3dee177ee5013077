"""Models in the window: real downloads from a Google Drive of our own, imports, a checkup, and the very first start."""

from __future__ import annotations

import io
import json
import os
import zipfile

import psutil
import pytest
from PyQt5.QtWidgets import QLabel, QMenu

from core.jobs.client import JobClient
from core.taxonomy import CLASS_CODES
from download.partial import Partial
from download.source import ORIGINALS
from gui.common.window_requests import WindowRequest
from gui.i18n import language
from gui.models.checkup import CheckupModel
from gui.models.model_download import Stage
from gui.models.models_dialog import ModelsDialog
from gui.shell.welcome import welcome
from tests.gui import fake_doctor
from tests.gui.test_words_everywhere import Pseudo, bare_texts
from tests.support.file_server import FileServer
from tests.support.google_drive import GoogleDrive, serving_drive

STATISTICS = json.dumps({code: {"rgb": {"mean": [180, 140, 130], "std": [30, 30, 30]}} for code in CLASS_CODES})


@pytest.fixture(scope="module")
def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as stream:
        stream.writestr("checkpoints/color_statistics.json", STATISTICS)
        stream.writestr("checkpoints/notes.bin", os.urandom(4_000_000))
    return buffer.getvalue()


@pytest.fixture
def google(archive, tmp_path, monkeypatch):
    drive = GoogleDrive(FileServer(archive))
    with serving_drive(drive, tmp_path) as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield drive


@pytest.fixture
def doctor(window):
    """Let the checkup find what the stand-in says."""
    window.session.checkup.make_client = lambda: JobClient(prepare=fake_doctor.install)


@pytest.fixture
def dialog(window, doctor, tmp_path, qtbot) -> ModelsDialog:
    window.session.model_download.choose_target(tmp_path / "models")
    window.session.wish.emit(WindowRequest.GET_MODELS)
    made = window.desk.dialog("models")
    assert isinstance(made, ModelsDialog)
    qtbot.waitUntil(lambda: not window.session.checkup.busy and window.session.model_download.outlook is not None)
    return made


@pytest.fixture
def pseudo():
    """A language of which every text can be told from those that nobody translates."""
    language.use(Pseudo(), "en")
    yield
    language.use(language.load("en"), "en")


@pytest.fixture
def until(qtbot):
    return qtbot.waitUntil


def test_a_download_arrives_and_its_models_are_used_without_a_restart(dialog, window, google, archive, tmp_path, until):
    looked = []
    window.session.catalog.changed.connect(lambda: looked.append(window.session.catalog.folder))
    google.file.pause = 0.003
    dialog.fetch.click()
    until(lambda: window.session.model_download.stage is Stage.DOWNLOADING)
    assert dialog.fetch.text() == "Stop"
    assert not dialog.take.isEnabled()
    assert not _bar(dialog).isHidden()
    until(lambda: not window.session.model_download.busy)
    assert dialog.problem.text() == ""
    assert "Ready: color_statistics.json" in dialog.outcome.text()
    assert window.session.settings.models == tmp_path / "models"
    assert looked[-1] == tmp_path / "models"
    assert (tmp_path / "models" / "color_statistics.json").read_text() == STATISTICS
    assert dialog.fetch.text() == "Download"

    google.asked.clear()
    dialog.fetch.click()
    until(lambda: not window.session.model_download.busy)
    assert "already" in dialog.outcome.text()
    assert google.asked == []


def test_the_numbers_of_a_download_are_told(dialog, window, google, archive, until):
    google.file.pause = 0.01
    told = []
    window.session.model_download.progressed.connect(lambda: told.append(_bar(dialog).words.text()))
    dialog.fetch.click()
    until(lambda: not window.session.model_download.busy)
    numbers = [words for words in told if " of 4.0 MB" in words]
    assert any("MB/s" in words and "left" in words for words in numbers), told
    assert _bar(dialog).isHidden()


def _bar(dialog):
    from gui.models.transfer_bar import TransferBar

    return dialog.findChild(TransferBar)


def test_a_stopped_download_is_kept_and_goes_on(dialog, window, google, archive, tmp_path, until):
    model = window.session.model_download
    google.file.pause = 0.02
    dialog.fetch.click()
    until(lambda: model.received > 600_000)
    dialog.fetch.click()
    until(lambda: not model.busy)
    assert dialog.outcome.text().startswith("Stopped.")
    assert dialog.problem.text() == ""
    kept = Partial(tmp_path / "models", ORIGINALS).received
    assert 0 < kept < len(archive)
    until(lambda: dialog.fetch.text() == "Continue the download")
    assert "already downloaded" in dialog._originals.sentence
    google.file.pause = 0.0
    dialog.fetch.click()
    until(lambda: not model.busy)
    assert google.file.asked[-1] == f"bytes={kept}-"
    assert model.last.status == "complete"


def test_the_quota_is_told_with_what_to_do(dialog, window, google, until):
    google.mood = "quota"
    before = window.session.settings.models
    dialog.fetch.click()
    until(lambda: not window.session.model_download.busy)
    assert "too many people" in dialog.problem.text()
    assert "24 hours" in dialog.problem.text()
    assert dialog.outcome.text() == ""
    assert window.session.settings.models == before


def test_an_import_names_what_it_did_not_take(dialog, window, tmp_path, until):
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "color_statistics.json").write_text(STATISTICS)
    (folder / "unet_NV_best.pth").write_bytes(b"no weights")
    window.session.model_download.take(folder)
    until(lambda: not window.session.model_download.busy)
    assert "Ready: color_statistics.json" in dialog.outcome.text()
    assert "unet_NV_best.pth is no weights file" in dialog.outcome.text()
    assert window.session.settings.models == tmp_path / "models"


def test_an_import_of_nothing_usable_changes_nothing(dialog, window, tmp_path, until):
    (tmp_path / "stick").mkdir()
    (tmp_path / "stick" / "unet_NV_best.pth").write_bytes(b"no weights")
    before = window.session.settings.models
    window.session.model_download.take(tmp_path / "stick")
    until(lambda: not window.session.model_download.busy)
    assert dialog.outcome.text().startswith("None of these files can be used:")
    assert window.session.settings.models == before


def test_a_download_goes_on_without_its_page(dialog, window, google, tmp_path, until):
    google.file.pause = 0.003
    dialog.fetch.click()
    until(lambda: window.session.model_download.stage is Stage.DOWNLOADING)
    dialog.close()
    until(lambda: window.session.settings.models == tmp_path / "models")


def test_models_that_arrive_during_a_run_wait_to_be_used(dialog, window, engine, google, tmp_path, until):
    engine.gate.clear()
    window.session.classes.set_checked("MEL", True)
    window.session.start()
    until(lambda: window.session.run.busy)
    before = window.session.settings.models
    dialog.fetch.click()
    until(lambda: window.session.notices.has("arrival"))
    assert window.session.settings.models == before
    engine.gate.set()
    until(lambda: not window.session.run.busy)
    window.session.notices.act()
    assert window.session.settings.models == tmp_path / "models"


def test_a_window_that_closes_leaves_no_download_and_keeps_its_part(window, google, tmp_path, until):
    model = window.session.model_download
    model.choose_target(tmp_path / "models")
    google.file.pause = 0.02
    model.fetch_originals()
    until(lambda: model.received > 600_000)
    child = model._job.pid
    window.close()
    window.desk.dialog("leave work").stop_button.click()
    until(lambda: window.session._engine.closed)
    assert not psutil.pid_exists(child)
    assert Partial(tmp_path / "models", ORIGINALS).received > 0


def test_the_starter_models_are_one_click_away(dialog, window, tmp_path):
    window.session.settings.choose_folder("paths.models", tmp_path)
    dialog.starter.click()
    assert window.session.settings.models == window.session.settings.paths.default_models_dir
    assert window.desk.dialog("models") is None or not dialog.isVisible()


def test_the_checkup_shows_what_is_amiss_and_what_to_do(dialog):
    words = [label.text() for label in dialog.findings.findChildren(type(dialog.verdict)) if label.text()]
    assert words == ["Python", "fine", "Memory", "0.4 GiB free", "Close other programs."]
    assert dialog.verdict.text() == "This computer: 1 note"


def test_the_checkup_runs_doctor_itself(qapp, qtbot):
    model = CheckupModel()
    model.look()
    model.look()
    qtbot.waitUntil(lambda: not model.busy)  # it loads torch
    names = [finding.name for finding in model.findings]
    assert len(names) == len(set(names))
    assert {"Python", "Memory", "Disk", "Output folder", "Starter models"} <= set(names)


def test_a_checkup_that_dies_is_no_clean_bill(qapp, until):
    model = CheckupModel()
    model.make_client = lambda: JobClient(prepare=fake_doctor.install_death)
    model.look()
    until(lambda: not model.busy)
    assert [finding.status for finding in model.findings] == ["warn"]
    assert not model.is_well


def test_a_class_without_a_model_and_the_models_menu_lead_to_it(window, doctor, tmp_path):
    requests = []
    window.session.wish.connect(requests.append)
    row = window.setup.rows["DF"]
    row._mark.click()
    menu = QMenu()
    window.top._fill_models_menu(menu)
    (action,) = (action for action in menu.actions() if action.text() == "Get models…")
    action.trigger()
    assert requests == [WindowRequest.GET_MODELS, WindowRequest.GET_MODELS]
    assert isinstance(window.desk.dialog("models"), ModelsDialog)


def test_the_first_start_shows_the_page_once(window, doctor, until):
    assert welcome(window.session)
    until(lambda: window.desk.dialog("models") is not None)
    assert not welcome(window.session)


def test_safe_mode_shows_no_page(window):
    window.session.settings.is_safe = True
    assert not welcome(window.session)


def test_every_word_of_the_page_can_be_translated(pseudo, dialog, window, google, tmp_path, until):
    google.mood = "quota"
    dialog.fetch.click()
    until(lambda: not window.session.model_download.busy)
    assert "⟦" in dialog.problem.text(), "also what the command has said"
    (tmp_path / "x.zip").write_bytes(b"no zip")
    window.session.model_download.take(tmp_path / "x.zip")
    until(lambda: not window.session.model_download.busy)
    assert "⟦" in dialog.problem.text()
    found = {label.text() for label in dialog.findings.findChildren(QLabel)}  # what the stand-in says is no message
    bare = [text for text in bare_texts(dialog) if not any(word and word in text for word in found)]
    assert [text for text in bare if "unet_<CLASS>" not in text] == []
