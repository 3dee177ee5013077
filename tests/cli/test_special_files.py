"""Pipes, sockets and devices on the command line are refused at once by every command, and never waited for."""

from __future__ import annotations

import os
import stat

import click
import numpy as np
import pytest
from PIL import Image

from cli.app import cli

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")

PIPE = "PIPE"
OUT = ("--output", "OUT")
COMMANDS = [
    ("generate", "--classes", "MEL=1", *OUT, "--models", PIPE),
    ("generate", "--classes", "MEL=1", "--output", PIPE),
    ("resume", PIPE),
    ("reproduce", PIPE),
    ("explain", PIPE, *OUT),
    ("explain", "PICTURE", *OUT, "--mask", PIPE),
    ("explain", "PICTURE", *OUT, "--classifier", PIPE),
    ("classify", PIPE),
    ("classify", "PICTURE", "--classifier", PIPE),
    ("trajectory", "--image", PIPE, *OUT),
    ("evaluate", "--synthetic", PIPE, "--real", "FOLDER", *OUT),
    ("evaluate", "--synthetic", "FOLDER", "--real", PIPE, *OUT),
    ("evaluate", "--synthetic", "FOLDER", "--real", "FOLDER", "--features", PIPE, *OUT),
    ("curate", PIPE, *OUT),
    ("utility", "--train", PIPE, "--test", "FOLDER", "--synthetic", "FOLDER", *OUT),
    ("export", "FOLDER", "--to", "OUT", "--format", "csv", "--curation", PIPE),
    ("train", "classifier", "--data", PIPE),
    ("train", "diffusion", "--data", "FOLDER", "--config", PIPE),
    ("train", "diffusion", "--resume", "--output", PIPE),
    ("train", "diffusion", "--data", "FOLDER", "--init-from", PIPE),
    ("models", "import", PIPE, *OUT),
    ("models", "download", "--from-file", PIPE),
    ("models", "sheet", PIPE, *OUT),
    ("models", "card", PIPE),
    ("models", "judge", "FOLDER", "--data", PIPE, *OUT),
]


@pytest.fixture
def places(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "linked").symlink_to("pipe")
    (tmp_path / "folder").mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / "picture.png")
    return {
        PIPE: str(tmp_path / "linked"),
        "FOLDER": str(tmp_path / "folder"),
        "PICTURE": str(tmp_path / "picture.png"),
        "OUT": str(tmp_path / "out"),
    }


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_pipe_is_refused_in_words(call, places, words):
    code, _, err = call(*(places.get(word, word) for word in words))
    assert code == (4 if words[-2:] == ("--output", PIPE) or words[0] == "resume" else 3)
    assert "named pipe" in err
    assert "Traceback" not in err


def test_every_path_of_every_command_is_looked_at():
    def commands(group):
        for command in group.commands.values():
            yield from commands(command) if isinstance(command, click.Group) else [command]

    paths = [p.type for command in commands(cli) for p in command.params if isinstance(p.type, click.Path)]
    assert len(paths) > 30
    assert {type(kind).__name__ for kind in paths} == {"GivenPath"}


def test_a_path_longer_than_any_is_refused(call):
    code, _, err = call("classify", "x" * 5000)
    assert code == 3
    assert "too long" in err


def test_a_pipe_in_a_folder_is_named_and_the_pictures_are_classified(call, tmp_path):
    from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier

    classifier = write_tiny_classifier(tmp_path / "classifier")
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(draw_lesion("MEL")).save(folder / "a.png")
    os.mkfifo(folder / "b.png")
    code, out, err = call("classify", folder, "--classifier", classifier)
    assert code == 0
    assert "a.png" in out
    assert "b.png: a named pipe" in err
    assert stat.S_ISFIFO((folder / "b.png").stat().st_mode)
