"""Runs of explanations, in every layout there ever was: found, read without running anything, and shown."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from gui.evaluate.json_tree import MOST_ITEMS, JsonTree
from gui.evaluate.report_page import page_of
from gui.evaluate.report_window import ReportWindow
from gui.evaluate.run_report import MOST_PICTURES, WIDEST, read_report
from gui.gallery.scan import summarize
from gui.shell.main_window import MainWindow

ANALYSIS = {
    "verdict": ["Signs of MEL come late.", "An anecdote: n = 1 <script>."],
    "gate": {"level": "amber", "reasons": ["Doubt."]},
    "classification": {"predicted": "MEL", "probabilities": {"MEL": 0.71, "NV": 0.29}},
    "time_shap": {
        "groups": [{"first_step": 1, "last_step": 5, "phi": 0.75, "standard_error": None}],
        "v_all": 1.0, "v_none": 0.25, "efficiency_error": -0.002,
    },
    "csi": {
        "formula": "CSI = E|top| - E|bottom|",
        "interventions": {"blur": {"abs_dF_top": 1.0, "abs_dF_bottom": 0.25, "abs_dF_random": 0.5, "csi": 0.75}},
    },
    "pictures": ["second.png", "first.png"],
}  # fmt: skip


class Bomb:
    """Pickled, it makes a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def picture(path: Path, size: tuple[int, int] = (8, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "teal").save(path)
    return path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "xai_results" / "xai_analysis_MEL_20261120_120000"
    for name in ("first.png", "second.png", "unnamed.png"):
        picture(folder / name, (2 * WIDEST, 100))
    (folder / "analysis.json").write_text(json.dumps(ANALYSIS), encoding="utf-8")
    (folder / "report.html").write_text("<html>", encoding="utf-8")
    return folder


def set_time(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


def test_runs_of_every_layout_are_found_latest_first(tmp_path: Path) -> None:
    results = tmp_path / "xai_results"
    for number, name in enumerate(("20261120_120000_a", "xai_analysis_NV_20250101_000000", "MEL/ISIC_0000001_42")):
        (results / name).mkdir(parents=True)
        set_time(results / name, 1_000 + number)
    set_time(picture(results / "xai_ISIC_0000007_20240101.png"), 5_000)
    (results / "notes.txt").write_text("no run")
    names = [run.name for run in summarize(tmp_path).xai_runs]
    assert names == [
        "xai_ISIC_0000007_20240101.png",
        "MEL · ISIC_0000001_42",
        "xai_analysis_NV_20250101_000000",
        "20261120_120000_a",
    ]
    assert summarize(tmp_path / "nowhere").xai_runs == ()


def test_a_run_is_read_in_its_own_order_and_made_no_wider_than_a_page(run: Path) -> None:
    report = read_report(run)
    assert [picture.path.name for picture in report.pictures] == ["second.png", "first.png"]
    assert {picture.image.width() for picture in report.pictures} == {WIDEST}
    assert report.page == run / "report.html"
    assert report.analysis["pictures"] == ANALYSIS["pictures"]


def test_the_page_tells_verdict_and_numbers_and_escapes_what_it_reads(run: Path) -> None:
    page = page_of(read_report(run))
    for words in (
        "Caution",
        "Signs of MEL come late.",
        "71.0%",
        "1–5",
        "+0.75",
        "within 0.002.",
        "Gaussian blur",
        "E|bottom|",
    ):
        assert words in page
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_maps_of_explain_are_listed_with_their_gate(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    picture(folder / "a_figure.png")
    entry = {
        "image": r"C:\out\MEL\ISIC_0000001.png", "method": "gradcam", "target": "MEL", "score": 3.1,
        "relative_delta": None, "gate": {"level": "red", "reasons": ["x"]}, "files": {"figure": "a_figure.png"},
    }  # fmt: skip
    (folder / "analysis.json").write_text(json.dumps({"explanations": [entry, "damage"]}))
    report = read_report(folder)
    page = page_of(report)
    for words in ("<td>ISIC_0000001.png</td>", "Grad-CAM", "+3.1", "Checks failed", "a_figure.png"):
        assert words in page


def test_a_folder_of_the_predecessor_is_shown_and_its_pickle_stays_closed(tmp_path: Path) -> None:
    folder = tmp_path / "xai_results" / "MEL" / "ISIC_0000001_42"
    picture(folder / "deep" / "overlay.png")
    (folder.parent / "xai_ISIC_0000001_20250101_000000.json").write_text('{"prob": 0.5}')
    (folder / "results.pkl").write_bytes(pickle.dumps(Bomb(tmp_path / "exploded")))
    report = read_report(folder)
    assert [picture.path.name for picture in report.pictures] == ["overlay.png"]
    assert report.numbers == {"xai_ISIC_0000001_20250101_000000.json": {"prob": 0.5}}
    assert report.closed == ("results.pkl",)
    assert "results.pkl" in page_of(report)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[1, 2]",
        '{"pictures": 3, "explanations": {"a": 1}, "gate": []}',
        '{"time_shap": {"groups": 1}, "csi": {"interventions": []}, "verdict": 5}',
    ],
)
def test_damaged_numbers_spoil_nothing(run: Path, content: str) -> None:
    (run / "analysis.json").write_text(content)
    (run / "broken.png").write_bytes(b"no picture")
    report = read_report(run)
    assert {picture.path.name for picture in report.pictures} == {"first.png", "second.png", "unnamed.png"}
    assert "first.png" in page_of(report)


def test_of_very_many_pictures_the_first_are_shown(tmp_path: Path) -> None:
    for number in range(MOST_PICTURES + 3):
        picture(tmp_path / "many" / f"{number:03d}.png")
    report = read_report(tmp_path / "many")
    assert (len(report.pictures), report.left_out) == (MOST_PICTURES, 3)
    assert "3 further images" in page_of(report)


def test_a_picture_of_old_versions_is_a_run_of_its_own(tmp_path: Path) -> None:
    report = read_report(picture(tmp_path / "xai_ISIC_1_20240101.png"))
    assert len(report.pictures) == 1
    assert "xai_ISIC_1_20240101.png" in page_of(report)


@pytest.fixture
def shown(run: Path, qapp, qtbot) -> Iterator[ReportWindow]:
    made = ReportWindow(run)
    made.show()
    qtbot.waitUntil(lambda: made.report is not None)
    yield made
    made.close()


def test_the_report_is_shown_with_pictures_and_numbers(shown: ReportWindow) -> None:
    assert "Signs of MEL come late." in shown.page.toPlainText()
    assert shown.page.document().resource(2, shown.page.source().resolved(_url("picture:1"))) is not None
    assert shown.browser.isEnabled()
    assert shown.numbers.topLevelItem(0).text(0) == "analysis.json"
    assert shown.numbers.topLevelItem(0).childCount() == len(ANALYSIS)


def _url(text: str):
    from PyQt5.QtCore import QUrl

    return QUrl(text)


def test_a_run_that_is_gone_is_told(tmp_path: Path, qapp, qtbot) -> None:
    window = ReportWindow(tmp_path / "gone")
    window.show()
    qtbot.waitUntil(lambda: "cannot be read" in window.page.toPlainText())
    assert not window.browser.isEnabled()
    window.close()


def test_an_entry_of_the_tree_opens_the_report(window: MainWindow, output: Path, run: Path, qtbot) -> None:
    run.rename((output / "xai_results").mkdir(parents=True) or output / "xai_results" / run.name)
    window.session.gallery.refresh()
    qtbot.waitUntil(lambda: window.tree._xai.childCount() == 1)
    window.tree.tree.itemActivated.emit(window.tree._xai.child(0), 0)
    opened = window.findChild(ReportWindow)
    assert opened is not None
    qtbot.waitUntil(lambda: opened.report is not None)
    opened.close()


def test_long_lists_are_cut_and_deep_ones_filled_when_opened(qapp) -> None:
    tree = JsonTree()
    tree.show_files({"a.json": {"deep": {"deeper": [1.5, None, "x"]}, "long": list(range(MOST_ITEMS + 5))}})
    top = tree.topLevelItem(0)
    deep, long = top.child(0), top.child(1)
    assert deep.childCount() == 0
    deep.setExpanded(True)
    deep.child(0).setExpanded(True)
    assert [deep.child(0).child(i).text(1) for i in range(3)] == ["1.5", "–", "x"]
    long.setExpanded(True)
    assert long.childCount() == MOST_ITEMS + 1
    assert "5 further values" in long.child(MOST_ITEMS).text(1)
