from __future__ import annotations

import getpass
import json
import re
import socket
from pathlib import Path

import pytest

from core.diagnostics import LOG_LINES, describe
from core.home import Redactor, own_redactor

HOME = "/home/ivanova"
WINDOWS = "C:\\Users\\Ivanova"


@pytest.fixture
def redactor() -> Redactor:
    return Redactor({HOME: "~", WINDOWS: "~", "/data/Patients 2026": "<output folder>"}, {"ivanova": "<user>"})


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"{HOME}/ISICGUI/output", "~/ISICGUI/output"),
        (f"{HOME.upper()}/x", "~/x"),
        (f"{WINDOWS}\\out", "~\\out"),
        (repr(f"{WINDOWS}\\out"), "'~\\\\out'"),
        (json.dumps(f"{WINDOWS}\\out"), '"~\\\\out"'),
        ("c:/users/ivanova/out", "~/out"),
        ("file:///data/Patients%202026/MEL", "file://<output folder>/MEL"),
        ("/data/Patients 2026/MEL/ISIC_0000001.png", "<output folder>/MEL/ISIC_0000001.png"),
        ("/data/Patients 20261", "/data/Patients 20261"),
        ("/home/petrov/x and /Users/li/y", "/home/<user>/x and /Users/<user>/y"),
        ("D:\\Users\\Petrov Files\\x", "D:\\Users\\<user> Files\\x"),
        ("user IVANOVA logged in", "user <user> logged in"),
        ("ivanova_2 and (ivanova)", "<user>_2 and (<user>)"),
        ("ivanovas", "ivanovas"),
        ("mail a.b+c@uni-klinik.example.org now", "mail <e-mail> now"),
        ("https://me:pw1@host.org/x", "https://<removed>@host.org/x"),
        ("WANDB_API_KEY=0123abcd next", "WANDB_API_KEY=<removed> next"),
        ('{"hf_token": "hf_abc", "n": 1}', '{"hf_token": "<removed>", "n": 1}'),
        ("Authorization: Bearer abc.def", "Authorization: <removed>"),
        ("password: hunter2", "password: <removed>"),
        ("MEL seed 42, 20 steps; cuda:0 8.0 GB", "MEL seed 42, 20 steps; cuda:0 8.0 GB"),
    ],
)
def test_what_says_who_somebody_is_goes_and_the_rest_stays(redactor: Redactor, text: str, clean: str) -> None:
    assert redactor.clean(text) == clean


def test_planted_secrets_are_not_in_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "marija")
    monkeypatch.setattr(socket, "gethostname", lambda: "derma-ws17.klinik.example")
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "marija")
    output = tmp_path / "Patientin Meyer"
    text = describe(
        facts=[("Device cpu", f"CPU of derma-ws17, {output}")],
        settings={"paths.output": str(output), "generation.steps": 33},
        log=[f"line {n} of marija in {output}/MEL on DERMA-WS17, {tmp_path}/marija/x" for n in range(500)],
        requirements=tmp_path / "missing.txt",
        redactor=own_redactor({"output folder": output}),
        extra=f"Traceback in {tmp_path}/marija/main.py token=abc123",
    )
    for secret in ("marija", "derma-ws17", "Meyer", "abc123", str(tmp_path / "marija")):
        assert secret.casefold() not in text.casefold()
    assert "generation.steps = 33" in text
    assert "paths.output = (chosen)" in text
    lines = text.splitlines()
    assert lines[0] == "Traceback in ~/main.py token=<removed>"
    assert next(line for line in lines if re.match(r"line \d+", line)).startswith(
        f"line {500 - LOG_LINES} of <user> in <output"
    )
    assert lines[-1] == "line 499 of <user> in <output folder>/MEL on <computer>, ~/x"


def test_versions_of_the_packages_are_told(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("click\nno-such-package-anywhere==1\n")
    text = describe(facts=[], settings={}, log=[], requirements=tmp_path / "requirements.txt", redactor=Redactor())
    assert re.search(r"Packages: click \d+\.\d+\S*, no-such-package-anywhere missing", text)
    assert "none" in text


def test_names_that_name_nobody_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    assert own_redactor({}).names == {}
