"""Analyses of trajectories: asked for, worked through by real processes, stopped, continued, kept for a restart."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image
from PyQt5.QtWidgets import QApplication

from core.config.config_manager import ConfigManager
from core.errors import ISICGUIError
from core.utils.path_manager import PathManager
from gui.dialogs.analysis_dialog import AnalysisDialog
from gui.main_window import MainWindow
from gui.panels.analyses_list import AnalysesList, AnalysisRow
from gui.state.analyses import AnalysesModel
from gui.state.analysis_words import run_title
from gui.state.settings import SettingsModel
from gui.workers.analysis_store import AnalysisRequest, AnalysisState, AnalysisStore
from gui.workers.command_job import CommandJob
from tests.gui.conftest import Opener
from tests.gui.explaining import make_image, show
from tests.gui.fake_engine import make_pixels

ROOT = Path(__file__).resolve().parents[2]
WAITING, RUNNING, HALF = AnalysisState.WAITING, AnalysisState.RUNNING, AnalysisState.INTERRUPTED
DONE, FAILED = AnalysisState.DONE, AnalysisState.FAILED

CHILD = f"""
import json, os, sys, time
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from core.utils.leash import obey_leash
obey_leash()
def tell(**values): print(json.dumps(values), flush=True)
arguments = sys.argv[1:]
def value(flag): return arguments[arguments.index(flag) + 1]
assert arguments[0] == "trajectory" and arguments[-1] == "--json", arguments
output, code = Path(value("--output")), value("--class") if "--class" in arguments else "image"
folder = output / f"xai_analysis_{{code}}_20261120_120000"
if code == "VASC":
    tell(event="error", kind="locked", message="Another run writes here.", remedy="Wait for it.")
    sys.exit(4)
if code == "DF":
    sys.exit("Traceback: no words at all")
folder.mkdir(parents=True, exist_ok=True)
calls = folder / "calls.txt"
calls.write_text((calls.read_text() if calls.exists() else "") + " ".join(arguments) + "\\n")
tell(event="started", output=str(folder), parts=["MEL 0"], finished_parts=0)
tell(event="progress", stage="time_shap", done=3, total=20, fraction=0.3, words="Time-SHAP: 3 of 20")
try:
    while code == "BCC" and not (folder / "go").exists():
        time.sleep(0.02)
    if code == "AKIEC":
        os.kill(os.getpid(), 9)
except KeyboardInterrupt:
    sys.exit(130)
if code == "BKL":
    tell(**{{"event": "failed", "class": "DF", "kind": "model", "message": "There is no model.", "remedy": ""}})
(folder / "analysis.json").write_text(json.dumps({{"verdict": ["It is so."], "complete": True}}))
tell(event="finished", output=str(folder), report=str(folder / "report.html"), verdict="It is so.", seconds=1.0)
sys.exit(3 if code == "BKL" else 0)
"""


@pytest.fixture
def child(tmp_path: Path) -> Path:
    script = tmp_path / "trajectory_child.py"
    script.write_text(CHILD, encoding="utf-8")
    return script


class Bench:
    """A model on a child that does what the class says; as many of them on one folder as there are programs."""

    def __init__(self, folder: Path, child: Path, qtbot: Any) -> None:
        self.folder, self._qtbot = folder, qtbot
        self.settings = SettingsModel(ConfigManager().load(), PathManager())
        self.model = AnalysesModel(
            AnalysisStore(folder / "config"),
            self.settings,
            make_job=lambda arguments, parent: CommandJob(arguments, parent, script=child),
        )
        self.errors: list[Exception] = []
        self.model.failed.connect(self.errors.append)

    def add(self, *codes: str) -> None:
        for code in codes:
            self.model.add(AnalysisRequest(self.folder / "xai_results", class_code=code))

    @property
    def states(self) -> list[AnalysisState]:
        return [analysis.state for analysis in self.model.analyses]

    def key(self, row: int) -> str:
        return self.model.analyses[row].key

    def until(self, condition: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(condition, timeout=20_000)

    def run_folder(self, code: str) -> Path:
        return self.folder / "xai_results" / f"xai_analysis_{code}_20261120_120000"

    def calls(self, code: str) -> list[str]:
        return (self.run_folder(code) / "calls.txt").read_text().splitlines()

    def close(self) -> None:
        left: list[int] = []
        self.model.leave(lambda: left.append(1), grace_ms=3000)
        if self.model.busy:
            self.until(lambda: bool(left))
        self.model.close()


@pytest.fixture
def bench(qapp: QApplication, tmp_path: Path, child: Path, qtbot: Any) -> Iterator[Callable[[], Bench]]:
    benches: list[Bench] = []

    def make() -> Bench:
        benches.append(Bench(tmp_path, child, qtbot))
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
    one.until(lambda: ("time_shap", 0.3) in seen)
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
        "Traceback: no words at all",
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
    assert [run["request"]["class_code"] for run in kept] == ["MEL"]


def test_a_list_that_makes_no_sense_is_set_aside(bench: Callable[[], Bench], tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "analyses.json").write_text('{"runs": [{"request": {"class_code": "XYZ"}}]}')
    one = bench()
    assert one.states == []
    assert "could not be read (1 of 1 runs make no sense: number 1)" in one.model.notice


def test_the_time_is_learnt_from_the_last_one(bench: Callable[[], Bench]) -> None:
    one = bench()
    ask = AnalysisRequest(one.folder / "xai_results")
    assert one.model.expected_seconds(ask) is None
    one.model.add(ask)
    one.until(lambda: one.states == [DONE])
    expected = one.model.expected_seconds(AnalysisRequest(one.folder, class_code="all", count=2))
    assert expected is not None
    assert 0 < expected < 14 * 20
    assert one.model.expected_seconds(AnalysisRequest(one.folder, quick=True)) is None


@pytest.mark.parametrize(
    "request_", [
        AnalysisRequest(Path("out"), image=Path("a b/ISIC_0000001.png"), quick=True),
        AnalysisRequest(Path("out"), class_code="all", count=30, models=Path("m"), classifier=Path("c"), every=2,
                        baseline="blur"),
    ],
)  # fmt: skip
def test_requests_survive_json_and_are_understood_by_the_command(request_: AnalysisRequest) -> None:
    from cli.trajectory import trajectory

    assert AnalysisRequest.from_json(json.loads(json.dumps(request_.to_json()))) == request_
    name, *arguments = request_.arguments()
    assert name == "trajectory"
    context = trajectory.make_context(name, arguments)
    assert context.params["image"] == request_.image
    assert context.params["classes"] == ("MEL" if request_.image else "all")
    assert context.params["count"] == (1 if request_.image else 30)
    assert context.params["every"] == request_.every
    assert context.params["baseline"] == request_.baseline
    assert context.params["quick"] is request_.quick


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("20261120_164558_375_ISIC_0000001", "ISIC_0000001 · 2026-11-20 16:45"),
        ("xai_analysis_MEL_NV_20261120_164558_2", "MEL_NV trajectory · 2026-11-20 16:45"),
        ("xai_analysis_MEL_99999999_999999", "MEL trajectory · 99999999_999999"),
        ("my own name", "my own name"),
    ],
)
def test_folders_are_called_by_what_is_in_them(name: str, title: str) -> None:
    assert run_title(name) == title


# --- in the window ---------------------------------------------------------------------------------------------------


@pytest.fixture
def window(open_window: Opener, child: Path) -> MainWindow:
    made = open_window()
    made.session.analyses._make_job = lambda arguments, parent: CommandJob(arguments, parent, script=child)
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
    dialog.start.click()
    qtbot.waitUntil(lambda: rows(window)[0].open.isVisibleTo(window), timeout=20_000)
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
    assert (request.image, request.class_code, request.images) == (None, "all", 210)
    assert request.baseline == window.session.settings.get("xai.baseline") == "skin"
    dialog.baseline.setCurrentIndex(dialog.baseline.findData("blur"))
    assert dialog.request().baseline == "blur"
    dialog.reject()


def test_a_row_tells_progress_and_stops(window: MainWindow, output: Path, qtbot) -> None:
    window.session.analyses.add(AnalysisRequest(output / "xai_results", class_code="BCC"))
    qtbot.waitUntil(lambda: "Time-SHAP 3 of 20" in rows(window)[0].words.text(), timeout=20_000)
    row = rows(window)[0]
    assert row.words.text().startswith("30%")
    assert row.bar.value() == 300
    row.stop.click()
    qtbot.waitUntil(lambda: row.go_on.isVisibleTo(window), timeout=20_000)
    assert "Not finished" in row.words.text()
    row.remove.click()
    assert not window.queue.analyses.isVisibleTo(window)


def test_the_window_closes_while_an_analysis_runs(window: MainWindow, output: Path, qtbot) -> None:
    window.session.analyses.add(AnalysisRequest(output / "xai_results", class_code="BCC"))
    qtbot.waitUntil(lambda: window.session.analyses.analyses[0].fraction > 0, timeout=20_000)
    pid = window.session.analyses._job.pid
    window.close()
    assert not window.isVisible()
    qtbot.waitUntil(lambda: window.session._engine.closed, timeout=20_000)
    assert not psutil.pid_exists(pid)
    kept = json.loads((window.session.settings.paths.config_dir / "analyses.json").read_text())["runs"]
    assert [run["state"] for run in kept] == ["interrupted"]
