"""Downloads from a server of our own: whole, cut short, exchanged, refused, silent, and not there at all."""

from __future__ import annotations

import hashlib
import socket
import threading

import pytest

from classifier.published import fetch
from core.errors import ModelMissingError, ModelTruncatedError, OutputError
from tests.classifier.web import content, serving, status
from tests.support.patience import PATIENCE

DATA = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(DATA).hexdigest()
PREFIX = SHA256[:8]
NAME = f"resnet18-{PREFIX}.pth"


def get(address, folder, sha256=PREFIX, timeout=PATIENCE):
    return fetch(f"{address}/models/{NAME}", sha256, folder, remedy="Use --pretrained none.", timeout=timeout)


def test_a_download_is_kept_and_not_repeated(tmp_path):
    requests = []
    with serving(lambda request: (requests.append(request.path), content(DATA)(request))) as address:
        first = get(address, tmp_path / "new" / "folder")
        second = get(address, tmp_path / "new" / "folder")
    assert first == second == tmp_path / "new" / "folder" / NAME
    assert first.read_bytes() == DATA
    assert requests == [f"/models/{NAME}"]


def test_a_kept_file_is_used_without_a_network(tmp_path):
    (tmp_path / NAME).write_bytes(DATA)
    assert get("http://127.0.0.1:1", tmp_path, sha256=SHA256) == tmp_path / NAME


def test_a_damaged_kept_file_is_replaced(tmp_path):
    (tmp_path / NAME).write_bytes(DATA[:-1])
    with serving(content(DATA)) as address:
        assert get(address, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(content(DATA[: len(DATA) // 2], announced=len(DATA)), id="cut short"),
        pytest.param(content(DATA[:-1]), id="one byte short"),
        pytest.param(content(DATA[:-1] + b"x"), id="one byte wrong"),
        pytest.param(content(b"<!DOCTYPE html><title>Log in</title>", "text/html"), id="sign-in page"),
        pytest.param(content(b""), id="empty"),
    ],
)
def test_anything_else_than_the_published_file_is_refused_and_thrown_away(tmp_path, answer):
    with serving(answer) as address, pytest.raises(ModelTruncatedError) as refusal:
        get(address, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert NAME in refusal.value.message
    assert PREFIX in refusal.value.message
    assert refusal.value.exit_code == 3
    assert "--pretrained none" in refusal.value.remedy


def test_what_lay_there_before_survives_a_failed_download(tmp_path):
    (tmp_path / NAME).write_bytes(b"older")
    with serving(content(b"<html>")) as address, pytest.raises(ModelTruncatedError):
        get(address, tmp_path)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"older"]


@pytest.mark.parametrize("code", [403, 404, 503])
def test_a_server_that_refuses_is_quoted(tmp_path, code):
    with serving(status(code)) as address, pytest.raises(ModelMissingError, match=str(code)):
        get(address, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_remedy_is_named(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ModelMissingError, match="cannot be downloaded") as refusal:
            get(address, tmp_path)
    assert refusal.value.remedy == "Use --pretrained none."


def test_a_name_that_nobody_knows_is_told_apart_from_a_server_that_is_down(tmp_path):
    with pytest.raises(ModelMissingError, match="as without a network"):
        get("http://models.invalid", tmp_path)


def test_a_silent_server_does_not_hold_the_program_for_ever(tmp_path):
    done = threading.Event()
    with serving(lambda request: done.wait(PATIENCE)) as address:
        with pytest.raises(ModelMissingError, match="does not answer"):
            get(address, tmp_path, timeout=0.3)
        done.set()
    assert socket.getdefaulttimeout() is None


def test_a_connection_that_breaks_is_no_crash(tmp_path):
    with serving(lambda request: request.connection.close()) as address, pytest.raises(ModelMissingError):
        get(address, tmp_path)


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with serving(content(DATA)) as address, pytest.raises(OutputError):
        get(address, tmp_path / "file" / "folder")
