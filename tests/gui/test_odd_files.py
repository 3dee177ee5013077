"""Files that the window reads, with something odd in them: it opens, and the rest is there."""

from __future__ import annotations

import copy
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QSettings

from core.config.config_manager import ConfigManager
from core.errors import UsageError
from core.generation import GenerationRequest
from core.keeping import set_aside
from core.message import Message
from core.utils.path_manager import PathManager
from gui.common.keys import STORED, KeysModel
from gui.common.settings import WINDOW_FILE, SettingsModel
from gui.evaluate.report_page import page_of
from gui.evaluate.run_report import read_report
from gui.explain.analysis_store import Analysis, AnalysisStore
from gui.run.queue_store import QueuedRun, QueueStore
from gui.run.request import LAST_REQUEST, recall_request
from gui.workers.picture_file import read_picture
from xai.trajectory.request import TrajectoryRequest

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")

ODD: tuple[Any, ...] = (
    None, True, -1, 0, 2**60, 10**400, 1e300, float("nan"), float("inf"), "", "\0", "\ud800", "\udcff", "x" * 100_000,
    [], [[]], {}, {"MEL": "1"}, {"MEL": True}, {"MEL": 1.5}, ["a"],
)  # fmt: skip


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in JSON."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*path, key)
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


def mutants(tree: Any) -> Iterator[Any]:
    """Yield JSON with each value replaced by each odd one, and with each left out."""
    for path in places(tree):
        for odd in (*ODD, mutants):
            made = copy.deepcopy(tree)
            place = made
            for key in path[:-1]:
                place = place[key]
            if odd is mutants:
                del place[path[-1]]
            else:
                place[path[-1]] = odd
            yield made


def request(tmp_path: Path, count: int = 1) -> GenerationRequest:
    return GenerationRequest((("MEL", count),), tmp_path / "models", tmp_path / "output")


def test_a_request_of_any_shape_is_one_or_is_refused(tmp_path: Path) -> None:
    good = request(tmp_path).to_json()
    for mutant in mutants(good):
        try:
            again = GenerationRequest.from_json(mutant)
        except UsageError:
            continue
        assert GenerationRequest.from_json(json.loads(json.dumps(again.to_json()))).to_json() == again.to_json()
        assert not isinstance(again.steps, bool)


@pytest.mark.parametrize("data", [None, [], "x", 1, {"counts": []}, {"counts": {"MEL": 1}, "models": 5, "output": "x"}])
def test_what_is_no_request_is_refused(data: Any) -> None:
    with pytest.raises(UsageError):
        GenerationRequest.from_json(data)


def kept_queue(tmp_path: Path) -> tuple[Path, list[str]]:
    store = QueueStore(tmp_path)
    store.save([QueuedRun(request(tmp_path, count)) for count in (1, 2, 3)])
    store.close()
    return store.path, store.path.read_text(encoding="utf-8").splitlines()


def counts(folder: Path) -> tuple[list[int], str]:
    store = QueueStore(folder)
    loaded = store.load()
    store.close()
    return [run.request.counts[0][1] for run in loaded.runs], loaded.notice


def test_the_queue_of_any_shape_costs_only_the_odd_entry(tmp_path: Path) -> None:
    path, _ = kept_queue(tmp_path)
    data = json.loads(path.read_text(encoding="utf-8"))
    for mutant in mutants(data["runs"][1]):
        data["runs"][1] = mutant
        path.write_text(json.dumps(data), encoding="utf-8")
        found, notice = counts(tmp_path)
        assert [found[0], found[-1]] == [1, 3]
        assert len(found) == 3 or "1 of 3 saved runs could not be read: number 2" in notice
        for aside in tmp_path.glob("queue.json.corrupt-*"):
            aside.unlink()


@pytest.mark.parametrize("entry", ["[" * 5000 + ",", "{", "\0,", '{"request": NaN},', "nothing"])
def test_a_line_of_the_queue_that_is_no_json_costs_only_itself(tmp_path: Path, entry: str) -> None:
    path, lines = kept_queue(tmp_path)
    lines[2] = entry
    path.write_text("\n".join(lines), encoding="utf-8")
    found, notice = counts(tmp_path)
    assert found == [1, 3]
    assert "number 2" in notice
    assert counts(tmp_path) == ([1, 3], "")  # what could be read was saved again


def test_a_byte_that_is_no_text_costs_at_most_one_run(tmp_path: Path) -> None:
    path, _ = kept_queue(tmp_path)
    whole = path.read_bytes()
    rng = random.Random(7)
    for _ in range(300):
        place = rng.randrange(whole.index(b"\n") + 1, len(whole) - 4)
        if whole[place : place + 1] == b"\n":
            continue
        path.write_bytes(whole[:place] + bytes([rng.randrange(256)]) + whole[place + 1 :])
        found, notice = counts(tmp_path)
        assert len(found) >= 2 or notice
        assert len(found) >= 1
        for aside in tmp_path.glob("*.corrupt-*"):
            aside.unlink()


@pytest.mark.parametrize("content", [b"", b"\0", b"[", b"[" * 100_000, b"{}", b'{"runs": 5}', b"null", b"\xff\xfe"])
def test_what_is_no_queue_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "queue.json").write_bytes(content)
    found, notice = counts(tmp_path)
    assert found == []
    assert "queue.json.corrupt-" in notice


@posix
def test_a_pipe_in_place_of_the_queue_is_set_aside(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "queue.json")
    found, notice = counts(tmp_path)
    assert found == []
    assert "named pipe" in notice


def test_the_list_of_analyses_costs_only_the_odd_entry(tmp_path: Path) -> None:
    store = AnalysisStore(tmp_path)
    store.save([Analysis(TrajectoryRequest(tmp_path / str(number))) for number in range(3)])
    data = json.loads(store.path.read_text(encoding="utf-8"))
    for mutant in mutants(data["runs"][1]):
        data["runs"][1] = mutant
        store.path.write_text(json.dumps(data), encoding="utf-8")
        assert {analysis.request.output.name for analysis in store.load().runs} >= {"0", "2"}
        for aside in tmp_path.glob("*.corrupt-*"):
            aside.unlink()


def test_settings_of_any_shape_are_loaded_and_can_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    good = {
        "ui": {"theme": "dark"},
        "generation": {"steps": 30, "guidance": 1.5, "color": False, "device": "cpu"},
        "paths": {"output": str(tmp_path)},
        "newer": {"key": [1]},
    }
    for mutant in mutants(good):
        path.write_text(json.dumps(mutant), encoding="utf-8")
        config = ConfigManager(path, legacy=()).load()
        config.set("ui.language", "ru")
        config.save()
        again = ConfigManager(path, legacy=()).load()
        assert again.chosen() == config.chosen()
        assert all(len(notice) < 1000 for notice in config.notices)


@pytest.mark.parametrize(
    "content", ["[" * 100_000, '{"ui": ' + "[" * 400 + "]" * 400 + "}", '{"a": 1' + "0" * 5000 + "}"]
)
def test_settings_nested_without_end_are_set_aside_or_kept_but_never_stop_anything(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "config.json"
    path.write_text(content, encoding="utf-8")
    config = ConfigManager(path, legacy=()).load()
    config.set("ui.theme", "dark")
    config.save()
    assert ConfigManager(path, legacy=()).load().text("ui.theme") == "dark"


@posix
def test_a_pipe_in_place_of_the_settings_is_set_aside(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    config = ConfigManager(tmp_path / "config.json", legacy=()).load()
    assert "backed up" in config.notices[0]


def settings() -> SettingsModel:
    return SettingsModel(ConfigManager(legacy=()).load(), PathManager())


def window_file(**values: str) -> None:
    path = PathManager().config_dir / WINDOW_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[w]\n" + "".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")


@pytest.mark.parametrize(
    "value", ["nan", "inf", "1e300", "-1e300", "x", "@Invalid()", "@Variant(\\0\\0\\0\\x7f)", "@Rect(1)"]
)
def test_a_number_of_the_window_that_cannot_be_is_its_default(qapp, value: str) -> None:
    window_file(number=value)
    assert settings().recall("w/number", 2.5, float) in (2.5, 0)  # Qt reads nothing at all as 0
    assert settings().recall("w/number", 3, int) in (3, 0)


def test_texts_and_lists_of_the_window_hold_nothing_that_no_path_has(qapp) -> None:
    window_file(text='"a\\0b"', list='a, "b\\0c"')
    assert settings().recall("w/text", "-", str) == "-"
    assert settings().recall("w/list", ["-"], list) == ["-"]


class Touch:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


def test_no_pickle_in_the_state_of_the_window_is_run(qapp, tmp_path: Path) -> None:
    path = PathManager().config_dir / WINDOW_FILE
    path.parent.mkdir(parents=True)
    stored = QSettings(str(path), QSettings.Format.IniFormat)
    stored.setValue("w/object", [Touch(tmp_path / "run")])
    stored.sync()
    del stored
    assert b"PyQt_PyObject" in path.read_bytes()
    assert settings().recall("w/object", [], list) == []
    assert not (tmp_path / "run").exists()


@posix
def test_a_pipe_in_place_of_the_state_of_the_window_is_set_aside(qapp) -> None:
    path = PathManager().config_dir / WINDOW_FILE
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    assert settings().recall("w/number", 3, int) == 3


def test_the_last_request_of_any_shape_is_one_or_none(qapp, tmp_path: Path) -> None:
    model = settings()
    for text in ["[" * 100_000, "null", "{", *(json.dumps(m) for m in mutants(request(tmp_path).to_json()))]:
        model.remember(LAST_REQUEST, text)
        found = recall_request(model)
        assert found is None or isinstance(found, GenerationRequest)


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[]", '{"a": 5, "b": [5, {}], "c": ["Ctrl+\\u0000"]}'])
def test_chosen_keys_of_any_shape_are_read(qapp, text: str) -> None:
    model = settings()
    model.remember(STORED, text)
    KeysModel(model).define([])


def test_a_run_of_explanations_of_any_shape_is_shown(qapp, tmp_path: Path) -> None:
    good = {
        "gate": {"level": "green"},
        "verdict": ["words"],
        "classification": {"probabilities": {"MEL": 0.5}},
        "explanations": [
            {"gate": {"level": "red"}, "image": "a", "method": "ig", "target": "MEL", "score": 1.0,
             "relative_delta": 0.1, "files": {"figure": "a.png"}}
        ],
        "time_shap": {"groups": [{"first_step": 1, "last_step": 2, "phi": 1.0, "standard_error": 0.1}],
                      "v_all": 1.0, "v_none": 0.0, "efficiency_error": 0.0},
        "csi": {"interventions": {"noise": {"csi": 1.0, "abs_dF_top": 1.0}}, "formula": "x"},
        "pictures": ["a.png"],
    }  # fmt: skip
    for mutant in mutants(good):
        (tmp_path / "analysis.json").write_text(json.dumps(mutant), encoding="utf-8")
        assert page_of(read_report(tmp_path)).startswith("<h2>")


@posix
def test_pipes_and_other_kinds_of_pictures_are_not_shown(qapp, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "x.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', encoding="utf-8")
    (tmp_path / "y.png").write_bytes((tmp_path / "x.svg").read_bytes())
    os.mkfifo(tmp_path / "analysis.json")
    for name in ("pipe.png", "x.svg", "y.png", "none.png"):
        assert read_picture(tmp_path / name).isNull()
    assert read_report(tmp_path).pictures == ()


def test_two_files_set_aside_in_one_second_are_both_kept(tmp_path: Path) -> None:
    kept = set()
    for number in range(3):
        (tmp_path / "a").write_text(str(number), encoding="utf-8")
        kept.add(set_aside(tmp_path / "a"))
    assert sorted(path.read_text(encoding="utf-8") for path in kept) == ["0", "1", "2"]


def test_a_window_opens_whatever_its_files_hold(home: Path, open_window, tmp_path: Path) -> None:
    config = home / "config"
    config.mkdir(parents=True)
    run = QueuedRun(request(tmp_path)).to_json()
    run["request"]["shard"] = []
    (config / "queue.json").write_text(json.dumps({"runs": [run, QueuedRun(request(tmp_path, 2)).to_json()]}), "utf-8")
    (config / "analyses.json").write_text("[" * 5000, encoding="utf-8")
    (config / "config.json").write_text('{"ui": [], "generation": {"guidance": 1e999}}', encoding="utf-8")
    (config / WINDOW_FILE).write_bytes(
        b"[run]\nlast_request=[[[[\n[window]\ngeometry=@ByteArray(\xff\xfe)\nstate=1e300\n"
    )
    window = open_window()
    assert [queued.request.counts for queued in window.session.queue.runs] == [(("MEL", 2),)]
    assert isinstance(window.session.queue.notice, Message)


@pytest.mark.parametrize("name", ["models", "output"])
def test_a_folder_that_depends_on_where_the_program_was_started_costs_its_entry_alone(
    tmp_path: Path, name: str
) -> None:
    runs = [QueuedRun(request(tmp_path)).to_json(), QueuedRun(request(tmp_path, 2)).to_json()]
    runs[0]["request"][name] = "0001-01-01"
    (tmp_path / "queue.json").write_text(json.dumps({"runs": runs}), "utf-8")
    store = QueueStore(tmp_path)
    loaded = store.load()
    assert [queued.request.counts for queued in loaded.runs] == [(("MEL", 2),)]
    assert "number 1" in str(loaded.notice)
    store.close()


@pytest.mark.parametrize("name", ["queue.lock", "analyses.lock"])
def test_a_settings_folder_that_cannot_be_written_is_not_taken_for_another_window(
    home: Path, open_window, name: str
) -> None:
    (home / "config" / name).mkdir(parents=True)
    window = open_window()
    window.session.queue.add(request(home))
    assert "Another window" not in window.queue.hint.text()


def test_a_file_in_place_of_the_settings_folder_stops_nothing(home: Path, open_window) -> None:
    home.mkdir()
    (home / "config").write_text("", encoding="utf-8")
    window = open_window()
    assert window.session.queue.problem
    window.session.settings.set("ui.theme", "dark")
    window.session.settings.save()
