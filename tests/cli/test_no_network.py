"""The network is used for what was asked for alone: everything that needs no download works without it."""

from __future__ import annotations

import socket

import pytest

from tests.support.labelled_data import write_labelled_folder
from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.tiny_models import write_tiny_pack


@pytest.fixture
def asked(monkeypatch):
    """Refuse every connection and every question for an address, and note them."""
    found: list[object] = []

    def refuse(*arguments, **_options):
        found.append(arguments)
        raise OSError("no network")

    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    return found


def test_commands_that_download_nothing_ask_nobody(call, asked, tmp_path):
    models, judge = (
        write_tiny_pack(tmp_path / "models/pack", image_size=8).parent,
        write_tiny_classifier(tmp_path / "j"),
    )
    photographs, output = write_labelled_folder(tmp_path / "photos", lesions=6, size=16), tmp_path / "out"
    cpu = ("--device", "cpu")
    commands = [
        ("generate", "--classes", "MEL=1", "--models", models, "--output", output, "--steps", 2, *cpu),
        ("resume", output),
        ("reproduce", output / "MEL/ISIC_0000001.png", "--models", models, *cpu),
        ("classify", output / "MEL", "--classifier", judge, *cpu),
        ("export", output, "--to", tmp_path / "set", "--format", "csv"),
        ("curate", output, "--output", tmp_path / "curated", "--rules", "duplicates"),
        ("data", "check", photographs),
        ("models", "list"),
        ("train", "classifier", "--data", photographs, "--output", tmp_path / "run", "--architecture", "small_cnn",
         "--image-size", 16, "--epochs", 1, "--tracker", "none", *cpu),
        ("experiments", "list", "--root", tmp_path),
    ]  # fmt: skip
    for words in commands:
        code, _, err = call(*words)
        assert code == 0, (words, err)
    call("doctor")  # what it finds depends on the machine
    assert asked == []


def test_the_watch_sees_a_connection(asked):
    with socket.socket() as plain, pytest.raises(OSError, match="no network"):
        plain.connect(("127.0.0.1", 9))
    with pytest.raises(OSError, match="no network"):
        socket.create_connection(("127.0.0.1", 9))
    assert len(asked) == 2
