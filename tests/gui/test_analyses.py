"""Analyses of trajectories: asked for, worked through by real processes, stopped, continued, kept for a restart."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from PyQt5.QtWidgets import QApplication

from core.config.config_manager import ConfigManager
from core.errors import ISICGUIError
from core.taxonomy import CLASS_CODES
from core.utils.path_manager import PathManager
from gui.common.settings import SettingsModel
from gui.explain.analyses import AnalysesModel
from gui.explain.analyses_list import AnalysesList, AnalysisRow
from gui.explain.analysis_dialog import AnalysisDialog
from gui.explain.analysis_store import AnalysisState, AnalysisStore, read_request
from gui.explain.analysis_words import run_title, run_titles
from gui.shell.main_window import MainWindow
from tests.gui.conftest import Opener
from tests.gui.explaining import make_image, show
from tests.gui.fake_engine import make_pixels
from tests.gui.fake_trajectory import fake_client
from xai.trajectory.folders import first_identity, is_same
from xai.trajectory.request import TrajectoryRequest

WAITING, RUNNING, HALF = AnalysisState.WAITING, AnalysisState.RUNNING, AnalysisState.INTERRUPTED
DONE, FAILED = AnalysisState.DONE, AnalysisState.FAILED

PATIENCE_MS = 120_000
"""A process begins late on a busy machine."""

HERE = Path(__file__).parent
OLD = HERE / "data" / "33c7817"
"""An `analyses.json` written by that commit, and what its commands asked for (see `first_identity`)."""


class Bench:
    """A model on jobs that do what the class says; as many of them on one folder as there are programs."""

    def __init__(self, folder: Path, qtbot: Any) -> None:
        self.folder, self._qtbot = folder, qtbot
        self.settings = SettingsModel(ConfigManager().load(), PathManager())
        self.model = AnalysesModel(
            AnalysisStore(folder / "config"),
            self.settings,
            make_client=fake_client,
        )
        self.errors: list[Exception] = []
        self.model.failed.connect(self.errors.append)

    def add(self, *codes: str) -> None:
        for code in codes:
            self.model.add(TrajectoryRequest(self.folder / "xai_results", (code,)))

    @property
    def states(self) -> list[AnalysisState]:
        return [analysis.state for analysis in self.model.analyses]

    def key(self, row: int) -> str:
        return self.model.analyses[row].key

    def until(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=PATIENCE_MS)

    def run_folder(self, code: str) -> Path:
        return self.folder / "xai_results" / f"xai_analysis_{code}_20261120_120000"

    def calls(self, code: str) -> list[str]:
        return (self.run_folder(code) / "calls.txt").read_text().splitlines()

    def close(self) -> None:
        left: list[int] = []
        self.model.leave(lambda: left.append(1), grace_ms=PATIENCE_MS)
        if self.model.busy:
            self.until(lambda: bool(left))
        self.model.close()


@pytest.fixture
def bench(qapp: QApplication, tmp_path: Path, qtbot: Any) -> Iterator[Callable[[], Bench]]:
    benches: list[Bench] = []

    def make() -> Bench:
        benches.append(Bench(tmp_path, qtbot))
        return benches[-1]

    yield make
    for one in benches:
        one.close()


def test_analyses_run_one_after_another_and_tell_how_far_they_are(bench: Callable[[], Bench]) -> None:
    one = bench()
    seen: list[tuple[str, float]] = []
    one.model.changed.connect(
        lambda key: seen.append((one.model.get(key).stage, one.model.get(key).fraction)) if one.model.get(key) else None
    )
    one.add("BCC", "MEL", "NV")
    one.until(lambda: ("Time-SHAP", 0.3) in seen)
    assert one.states == [RUNNING, WAITING, WAITING]
    (one.run_folder("BCC") / "go").touch()
    one.until(lambda: one.states == [DONE, DONE, DONE])
    assert [analysis.note for analysis in one.model.analyses] == ["It is so."] * 3
    assert one.model.analyses[1].folder == one.run_folder("MEL")
    assert not one.errors


def test_a_stopped_analysis_goes_on_with_the_same_command(bench: Callable[[], Bench]) -> None:
    one = bench()
    one.add("BCC", "MEL")
    one.until(lambda: one.model.analyses[0].fraction > 0)
    one.model.stop(one.key(0))
    assert one.states[0] is AnalysisState.STOPPING
    one.until(lambda: one.states == [HALF, DONE])  # the next one begins nevertheless: only this one was stopped
    (one.run_folder("BCC") / "go").touch()
    one.model.go_on(one.key(0))
    one.until(lambda: one.states == [DONE, DONE])
    first, second = one.calls("BCC")
    assert first == second


def test_what_waits_can_be_stopped_and_taken_out(bench: Callable[[], Bench]) -> None:
    one = bench()
    one.add("BCC", "MEL")
    one.until(lambda: one.model.analyses[0].fraction > 0)
    one.model.stop(one.key(1))
    assert one.states == [RUNNING, HALF]
    one.model.remove(one.key(0))  # not while it runs
    one.model.remove(one.key(1))
    assert one.states == [RUNNING]
    assert not one.run_folder("MEL").exists()


def test_failures_are_told_and_the_next_one_begins(bench: Callable[[], Bench]) -> None:
    one = bench()
    one.add("VASC", "DF", "AKIEC", "MEL")
    one.until(lambda: one.states == [FAILED, FAILED, HALF, DONE])
    assert [str(error) for error in one.errors] == [
        "Another run writes here. Wait for it.",
        "Unexpected error: ZeroDivisionError: no words at all The log says where. Please report it.",
    ]
    assert isinstance(one.errors[0], ISICGUIError)
    assert one.errors[0].kind == "locked"
    assert one.model.analyses[0].note == "Another run writes here. Wait for it."


def test_a_report_without_one_class_is_a_report_all_the_same(bench: Callable[[], Bench]) -> None:
    one = bench()
    one.add("BKL")
    one.until(lambda: one.states == [DONE])
    assert one.model.analyses[0].note == "It is so. DF: There is no model."
    assert not one.errors


def test_after_a_restart_nothing_begins_by_itself(bench: Callable[[], Bench]) -> None:
    one = bench()
    one.add("MEL", "BCC", "NV")
    one.until(lambda: one.states == [DONE, RUNNING, WAITING])
    one.until(lambda: one.model.analyses[1].fraction > 0)
    one.close()
    again = bench()
    assert again.states == [DONE, HALF, HALF]
    assert again.model.analyses[0].note == "It is so."
    assert again.model.analyses[1].request == one.model.analyses[1].request
    assert not again.model.busy
    (again.run_folder("BCC") / "go").touch()
    again.model.go_on(again.key(1))
    again.until(lambda: again.states == [DONE, DONE, HALF])


def test_leaving_waits_for_nobody_and_leaves_no_process(bench: Callable[[], Bench]) -> None:
    one = bench()
    one.add("BCC")
    one.until(lambda: one.model.analyses[0].fraction > 0)
    pid, left = one.model._job.pid, []
    one.model.leave(lambda: left.append(psutil.pid_exists(pid)))
    assert left == []
    one.until(lambda: left == [False])
    assert one.states == [HALF]


def test_a_second_window_has_a_list_of_its_own(bench: Callable[[], Bench]) -> None:
    first = bench()
    first.add("MEL")
    first.until(lambda: first.states == [DONE])
    second = bench()
    assert second.states == []
    second.add("NV")
    second.until(lambda: second.states == [DONE])
    first.model.close()
    kept = json.loads((first.folder / "config" / "analyses.json").read_text())["runs"]
    assert [run["request"]["classes"] for run in kept] == [["MEL"]]


def test_a_list_that_makes_no_sense_is_set_aside(bench: Callable[[], Bench], tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "analyses.json").write_text('{"runs": [{"request": {"class_code": "XYZ"}}]}')
    one = bench()
    assert one.states == []
    assert "could not be read (1 of 1 saved runs could not be read: number 1)" in one.model.notice


def test_the_time_is_learnt_from_the_last_one(bench: Callable[[], Bench]) -> None:
    one = bench()
    ask = TrajectoryRequest(one.folder / "xai_results")
    assert one.model.expected_seconds(ask) is None
    one.model.add(ask)
    one.until(lambda: one.states == [DONE])
    expected = one.model.expected_seconds(TrajectoryRequest(one.folder, CLASS_CODES, count=2))
    assert expected is not None
    assert 0 < expected < 14 * 20
    assert one.model.expected_seconds(TrajectoryRequest(one.folder, quick=True)) is None


@pytest.mark.parametrize(
    "request_", [
        TrajectoryRequest(HERE / "out", image=HERE / "a b/ISIC_0000001.png", quick=True),
        TrajectoryRequest(HERE / "out", CLASS_CODES, count=30, models=HERE / "m", classifier=HERE / "c", every=2,
                          baseline="blur", steps=7, guidance=1.5, color=False),
    ],
)  # fmt: skip
def test_requests_survive_json(request_: TrajectoryRequest) -> None:
    assert read_request(json.loads(json.dumps(request_.to_json()))) == request_


def test_a_path_that_somebody_wrote_without_its_folder_is_kept_in_full() -> None:
    data = {**TrajectoryRequest(HERE / "out", image=HERE / "a.png").to_json(), "image": "odd name"}
    assert read_request(data).image == Path.cwd() / "odd name"


@pytest.mark.skipif(os.name != "posix", reason="the file names a Linux user's folders")
def test_the_list_that_an_earlier_version_wrote_goes_on_with_the_same_analyses(
    bench: Callable[[], Bench], tmp_path: Path
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "analyses.json").write_bytes((OLD / "analyses.json").read_bytes())
    one = bench()
    assert not one.model.notice
    assert one.states == [DONE, HALF, HALF, FAILED]
    asked = json.loads((OLD / "analyses-requests.json").read_text())
    assert {a.key: first_identity(a.request) for a in one.model.analyses} == asked
    assert all(is_same(asked[a.key], a.request) for a in one.model.analyses)
    assert one.model.analyses[0].note == "It is so."
    assert one.model.analyses[1].request.images == 210
    assert one.model.analyses[1].folder == Path("/home/me/isic/output/xai_results/xai_analysis_all_20261121_101500")


def test_rows_of_one_minute_are_told_apart_by_their_seconds() -> None:
    names = [
        f"20261120_{when}_{image}"
        for when, image in (
            ("164558_375", "MEL_ISIC_0000001"),
            ("164501_002", "MEL_ISIC_0000001"),
            ("164558_375", "NV_ISIC_0000001"),
        )
    ]
    assert run_titles(names) == [
        "MEL 1 · 2026-11-20 16:45:58",
        "MEL 1 · 2026-11-20 16:45:01",
        "NV 1 · 2026-11-20 16:45",
    ]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("20261120_164558_375_ISIC_0000001", "ISIC_0000001 · 2026-11-20 16:45"),
        ("20261120_164558_375_MEL_ISIC_0000001", "MEL 1 · 2026-11-20 16:45"),
        ("20261120_164558_375_NV_ISIC_0000001", "NV 1 · 2026-11-20 16:45"),
        ("20261120_164558_375_NV_my photo", "NV my photo · 2026-11-20 16:45"),
        ("20261120_164558_375_MELANOMA_7", "MELANOMA_7 · 2026-11-20 16:45"),
        ("xai_analysis_MEL_ISIC_0000012_20261120_164558", "MEL 12 trajectory · 2026-11-20 16:45"),
        ("xai_analysis_MEL_NV_20261120_164558_2", "MEL_NV trajectory · 2026-11-20 16:45"),
        ("xai_analysis_MEL_99999999_999999", "MEL trajectory · 99999999_999999"),
        ("my own name", "my own name"),
    ],
)
def test_folders_are_called_by_what_is_in_them(name: str, title: str) -> None:
    assert run_title(name) == title


# --- in the window ---------------------------------------------------------------------------------------------------


@pytest.fixture
def window(open_window: Opener) -> MainWindow:
    made = open_window()
    made.session.analyses.make_client = fake_client
    return made


def dialog_of(window: MainWindow) -> AnalysisDialog:
    dialog = window.desk.dialog("analysis")
    assert isinstance(dialog, AnalysisDialog)
    return dialog


def rows(window: MainWindow) -> tuple[AnalysisRow, ...]:
    found = window.queue.findChild(AnalysesList)
    assert found is not None
    return found.rows


def test_the_shown_image_is_analysed_and_its_report_opens(window: MainWindow, output: Path, qtbot) -> None:
    image = make_image(output / "MEL", "ISIC_0000001.png", 1)
    show(window, image, qtbot)
    window.picture.explain.controls.analyse.trigger()
    dialog = dialog_of(window)
    assert dialog.shown.isChecked()
    assert "MEL ISIC_0000001" in dialog.shown.text()
    assert dialog.request().image == image
    assert dialog.request().output == output / "xai_results"
    dialog.quick.setChecked(True)
    assert not dialog.groups.isEnabled()
    dialog.copy.click()
    copied = QApplication.clipboard().text()
    assert f"trajectory --output {output / 'xai_results'} --image {image}" in copied
    assert "--seed" not in copied
    dialog.start.click()
    qtbot.waitUntil(lambda: rows(window)[0].open.isVisibleTo(window), timeout=PATIENCE_MS)
    assert "It is so." in rows(window)[0].words.text()
    assert window.session.analyses.analyses[0].request.quick
    runs = window.session.gallery.summary
    assert runs is not None
    assert [run.name for run in runs.xai_runs] == ["xai_analysis_image_20261120_120000"]
    assert window.tree._xai.child(0).text(0) == "image trajectory · 2026-11-20 12:00"


def test_a_picture_of_another_origin_cannot_be_drawn_again(window: MainWindow, tmp_path: Path, qtbot) -> None:
    foreign = tmp_path / "photo.png"
    Image.fromarray(make_pixels(3)).save(foreign)
    show(window, foreign, qtbot)
    window.desk.show_analysis()
    dialog = dialog_of(window)
    assert not dialog.shown.isEnabled()
    assert dialog.drawn.isChecked()
    dialog.code.setCurrentIndex(dialog.code.findData("all"))
    dialog.count.setValue(30)
    request = dialog.request()
    assert (request.image, request.classes, request.images) == (None, CLASS_CODES, 210)
    assert request.baseline == window.session.settings.get("xai.baseline") == "skin"
    dialog.baseline.setCurrentIndex(dialog.baseline.findData("blur"))
    assert dialog.request().baseline == "blur"
    dialog.reject()


def test_a_row_tells_progress_and_stops(window: MainWindow, output: Path, qtbot) -> None:
    window.session.analyses.add(TrajectoryRequest(output / "xai_results", ("BCC",)))
    qtbot.waitUntil(lambda: "Time-SHAP 3 of 20" in rows(window)[0].words.text(), timeout=PATIENCE_MS)
    row = rows(window)[0]
    assert row.words.text().startswith("30%")
    assert row.bar.value() == 300
    row.stop.click()
    qtbot.waitUntil(lambda: row.go_on.isVisibleTo(window), timeout=PATIENCE_MS)
    assert "Not finished" in row.words.text()
    row.remove.click()
    assert not window.queue.analyses.isVisibleTo(window)


def test_the_window_closes_while_an_analysis_runs(window: MainWindow, output: Path, qtbot) -> None:
    window.session.analyses.add(TrajectoryRequest(output / "xai_results", ("BCC",)))
    qtbot.waitUntil(lambda: window.session.analyses.analyses[0].fraction > 0, timeout=PATIENCE_MS)
    pid = window.session.analyses._job.pid
    window.close()
    window.desk.dialog("leave work").stop_button.click()
    qtbot.waitUntil(lambda: not window.isVisible())
    qtbot.waitUntil(lambda: window.session._engine.closed, timeout=PATIENCE_MS)
    assert not psutil.pid_exists(pid)
    kept = json.loads((window.session.settings.paths.config_dir / "analyses.json").read_text())["runs"]
    assert [run["state"] for run in kept] == ["interrupted"]
