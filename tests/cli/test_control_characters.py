"""What a file or its name holds reaches the terminal as text: it can neither colour, move nor rename anything there."""

from __future__ import annotations

import pytest

from cli.console import Console
from cli.doctor import _lines
from core.checks import Check, Checked
from core.files.text import shown

HOSTILE = "a\x1b]0;title\x07b\x1b[31mc\rd\x9b2Je\x7f\u202ef\u2066g\u2028h"


def test_control_characters_are_written_out():
    assert shown(HOSTILE) == r"a\x1b]0;title\x07b\x1b[31mc\rd\x9b2Je\x7f\u202ef\u2066g\u2028h"


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines\tand a tab",
        "f\u00fcr \u0440\u0443\u0441\u0441\u043a\u0438\u0435 \u4e2d\u6587",
        "a\u00a0b",
        "\U0001f468\u200d\U0001f4bb",
    ],
)
def test_text_of_people_stays(text: str):
    assert shown(text) == text


def test_line_ends_of_windows_are_line_ends():
    assert shown("a\r\nb") == "a\nb"


def test_every_way_of_the_console_writes_them_out(capsys):
    console = Console(json_mode=False)
    console.say(HOSTILE)
    console.warn(HOSTILE)
    console.error("kind", HOSTILE, HOSTILE)
    told = "".join(capsys.readouterr())
    assert told.count("title") == 4
    assert not set(told) & set("\x07\x1b\r\x9b\x7f\u202e\u2066\u2028")


def test_a_file_named_so_is_told_as_text(call, tmp_path):
    name = tmp_path / "x\x1b]0;title\x07.png"
    name.write_bytes(b"no picture")
    code, out, err = call("classify", name)
    assert code == 3
    assert "title" in out + err
    assert "\x07" not in out + err


def test_only_colours_of_the_program_reach_the_terminal():
    """`doctor` marks its findings; what a finding tells of a file is text all the same."""
    told = "".join(_lines(Checked(Check("CPU", "ok", HOSTILE))))
    assert told.startswith("\x1b[32mok  \x1b[0m  CPU: ")
    assert "\x1b" not in told.partition("CPU")[2]


def test_the_colours_of_doctor_are_no_text_where_there_is_no_terminal(call):
    _, out, _ = call("doctor")
    assert "Python" in out
    assert "x1b" not in out
