"""Exit codes and the words that come with them."""

import json

import pytest

from tests.support.tiny_models import write_tiny_pack


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "--classes", "MELL=1", "--output", "x"], ["Did you mean MEL?", "VASC"]),
        (["generate", "--classes", "MEL", "--output", "x"], ["NAME=COUNT"]),
        (["generate", "--classes", "MEL=1", "--output", "x", "--steps", "0"], ["from 1 to 1000"]),
        (["generate", "--classes", "MEL=1", "--output", "x", "--seed", "soon"], ["random"]),
        (["generate", "--classes", "MEL=1", "--output", "x", "--shard", "3/2"], ["--shard I/N"]),
        (["generate", "--classes", "MEL=1", "--output", "x", "--sampler", "euler"], ["ddpm", "dpmpp-2m-sde"]),
        (["generate", "--classes", "MEL=1"], ["--output", "--help"]),
        (["generate", "--classes", "MEL=1", "--output", "x", "--stepps", "5"], ["--steps"]),
        (["generat"], ["generate"]),
        (["explain", "--output", "x", "."], ["holds no images"]),
    ],
)
def test_wrong_usage_is_exit_2_or_3_and_says_what_is_right(call, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*arguments)
    assert code == (3 if arguments[0] == "explain" else 2)
    assert out == ""
    assert all(word in err for word in words), err
    assert "Traceback" not in err


def test_no_models_is_exit_3_and_an_event_with_a_remedy(call, tmp_path):
    (tmp_path / "empty").mkdir()
    code, out, _ = call(
        "generate", "--classes", "MEL=1", "--output", tmp_path / "o", "--models", tmp_path / "empty", "--json"
    )
    assert code == 3
    error = [json.loads(line) for line in out.splitlines()][-1]
    assert error["event"] == "error"
    assert error["remedy"]


def test_output_under_a_file_is_exit_4(call, tmp_path):
    write_tiny_pack(tmp_path / "models")
    (tmp_path / "file").write_text("not a folder")
    code, _, err = call(
        "generate", "--classes", "MEL=1", "--output", tmp_path / "file" / "out", "--models", tmp_path / "models"
    )
    assert code == 4
    assert str(tmp_path / "file") in err


def test_an_unexpected_error_is_exit_1_and_names_its_report(call, home, monkeypatch):
    def explode():
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("cli.doctor.diagnose", explode)
    code, _, err = call("doctor")
    reports = list(home.rglob("crash-*.txt"))
    assert code == 1
    assert len(reports) == 1
    assert str(reports[0]) in err
    assert "ZeroDivisionError: planted" in reports[0].read_text(encoding="utf-8")


def test_help_names_every_command(call):
    code, out, _ = call("--help")
    assert code == 0
    for command in ("generate", "resume", "reproduce", "explain", "classify", "models", "doctor"):
        assert f"\n  {command} " in out
