"""`experiments` as a person and a script meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.app import main
from tests.training.test_experiments import make_run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for day, name in enumerate(("first", "second", "third"), start=1):
        make_run(tmp_path / "runs", name, day=day, rows=({"images": day, "kid": day / 10},), settings={"rate": day})
    return tmp_path / "runs"


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main(["experiments", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_list_in_words_and_in_json(root: Path, capsys):
    code, out, _ = call(capsys, "list", "--root", root)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["run", "third", "second", "first"]
    _, out, _ = call(capsys, "list", "--root", root, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["metric"]["value"] for event in events] == [0.3, 0.2, 0.1]
    assert {event["event"] for event in events} == {"run"}


def test_a_run_that_cannot_be_read_is_named(root: Path, capsys):
    (root / "second/config.json").write_text("[" * 5000, encoding="utf-8")
    make_run(root, "odd \x1b[2J name").joinpath("config.json").write_text("", encoding="utf-8")
    code, out, err = call(capsys, "list", "--root", root)
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["run", "third", "first"]
    assert f"Not listed: '{root / 'second'}': config.json cannot be read" in err
    assert "\x1b" not in err
    _, out, _ = call(capsys, "list", "--root", root, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["run"] for event in events if event["event"] == "damaged_run"] == ["odd \x1b[2J name", "second"]


def test_a_folder_of_damaged_runs_alone_is_not_called_empty(tmp_path: Path, capsys):
    (make_run(tmp_path, "only") / "config.json").write_text("", encoding="utf-8")
    code, out, err = call(capsys, "list", "--root", tmp_path)
    assert (code, out) == (0, "")
    assert "only" in err


def test_show_prints_settings_numbers_and_files(root: Path, capsys):
    code, out, _ = call(capsys, "show", "second", "--root", root)
    assert code == 0
    for words in ("rate", "0.2", "samples/100.png", "1.0 kB"):
        assert words in out


def test_control_characters_of_a_file_do_not_reach_the_terminal(root: Path, capsys):
    make_run(root, "hostile", settings={"x\x1b[2J": "\x1b]0;title\x07\r"})
    _, out, _ = call(capsys, "show", "hostile", "--root", root)
    assert not set("\x1b\x07\r") & set(out)


def test_compare_writes_the_curves(root: Path, tmp_path: Path, capsys):
    code, out, _ = call(
        capsys, "compare", "first", "third", "--root", root, "--output", tmp_path / "new" / "curves.png"
    )
    assert code == 0
    assert "rate" in out
    assert (tmp_path / "new" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert call(capsys, "compare", "first", "--root", root)[0] == 2


def test_an_unknown_run_is_refused(root: Path, capsys):
    code, _, err = call(capsys, "show", "fourth", "--root", root)
    assert code == 3
    assert "fourth" in err


def test_clean_asks_and_obeys(root: Path, capsys, monkeypatch: pytest.MonkeyPatch):
    _, _, err = call(capsys, "clean", "--keep", 1, "--root", root, "--dry-run")
    assert "Would delete 2 runs, 2.3 kB" in err
    assert len(list(root.iterdir())) == 3
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _prompt: "n")
    assert call(capsys, "clean", "--keep", 1, "--root", root)[0] == 130
    assert len(list(root.iterdir())) == 3
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _prompt: "y")
    assert call(capsys, "clean", "--keep", 1, "--root", root)[0] == 0
    assert [path.name for path in root.iterdir()] == ["third"]


def test_clean_for_scripts(root: Path, capsys):
    assert call(capsys, "clean", "--keep", 2, "--root", root, "--json")[0] == 2
    assert len(list(root.iterdir())) == 3
    code, out, _ = call(capsys, "clean", "--keep", 2, "--root", root, "--json", "--yes")
    events = [json.loads(line) for line in out.splitlines()]
    assert (code, [event["event"] for event in events]) == (0, ["to_delete", "deleted"])
    assert events[-1]["run"] == "first"


def test_no_runs_yet_is_no_error(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = call(capsys, "list")
    assert code == 0
    assert "No runs in" in out
    assert call(capsys, "list", "--root", "nowhere")[0] == 3
