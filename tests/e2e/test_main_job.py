"""The main job as a user does it: real processes, a tiny model, real files, real exit codes."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.app import main
from core.taxonomy import image_seed
from dataset.png import read_recipe
from tests.support.patience import PATIENCE
from tests.support.tiny_models import write_tiny_pack

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_pack(folder)
    return folder


@pytest.fixture
def environment(tmp_path):
    return {**os.environ, "ISICGUI_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run a command in this process, which has torch already; return its exit code and what it printed."""
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))

    def run_main(*arguments):
        code = main(list(map(str, arguments)))
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, printed.out, printed.err)

    return run_main


@pytest.fixture
def start(environment, tmp_path):
    """Start a command as a process of its own, with JSON events on its standard output."""
    processes = []

    def start_main(*arguments):
        command = [sys.executable, str(ROOT / "main.py"), *map(str, arguments), "--json"]
        process = subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        processes.append(process)
        return process

    yield start_main
    for process in processes:
        process.kill()
        process.communicate()


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def rows(output):
    with (output / "synthetic_dataset.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pngs(output):
    return sorted(path.relative_to(output).as_posix() for path in output.glob("*/*.png"))


def test_generate_twice_continues_and_overwrites_nothing(run, start, pack, tmp_path):
    output = tmp_path / "Ausgabe mit Leerzeichen и кириллица"
    first = start("generate", "--classes", "MEL=2,NV=1", "--output", output, "--models", pack)
    printed, _ = first.communicate(timeout=4 * PATIENCE)
    assert first.returncode == 0
    names = [event["event"] for event in events(printed)]
    assert names[0] == "started"
    assert names[-1] == "finished"
    assert names.count("image") == 3
    before = {name: (output / name).read_bytes() for name in pngs(output)}

    second = run("generate", "--classes", "MEL=1", "--output", output, "--models", pack)
    assert second.returncode == 0, second.stderr
    assert pngs(output) == [*(f"MEL/ISIC_000000{n}.png" for n in (1, 2, 3)), "NV/ISIC_0000001.png"]
    assert all((output / name).read_bytes() == data for name, data in before.items())
    melanomas = [read_recipe(output / f"MEL/ISIC_000000{n}.png") for n in (1, 2, 3)]
    assert [recipe.seed for recipe in melanomas] == [image_seed("MEL", i, 42) for i in range(3)]
    assert_table_and_sidecars_agree(output)

    # The first image was made by another process: its recipe must give the same bytes here.
    again = run("reproduce", output / "MEL/ISIC_0000001.png", "--models", pack, "--json")
    assert again.returncode == 0, again.stderr
    assert events(again.stdout)[-1]["max_difference"] == 0


def assert_table_and_sidecars_agree(output):
    table = rows(output)
    assert list(table[0])[:5] == ["filename", "class", "isic_number", "source", "generated_at"]
    assert sorted(f"{row['class']}/{row['filename']}" for row in table) == pngs(output)
    for name in pngs(output):
        sidecar = json.loads((output / name).with_suffix(".json").read_text(encoding="utf-8"))
        assert sidecar["seed"] == read_recipe(output / name).seed


def test_ctrl_c_keeps_what_is_finished_and_resume_ends_in_the_same_set(run, start, pack, tmp_path):
    arguments = ["--classes", "DF=8", "--models", pack, "--steps", "25", "--precision", "fp32"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    process = start("generate", *arguments, "--output", broken)
    for line in process.stdout:
        if json.loads(line)["event"] == "image":
            process.send_signal(signal.SIGINT)
            break
    process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == 130
    assert 1 <= len(pngs(broken)) < 8

    assert run("resume", broken, "--models", pack).returncode == 0
    nothing_left = run("resume", broken)
    assert (nothing_left.returncode, nothing_left.stdout) == (0, "")
    assert "finished" in nothing_left.stderr
    assert run("generate", *arguments, "--output", whole).returncode == 0
    assert pngs(broken) == pngs(whole)
    for name in pngs(whole):
        assert np.array_equal(np.asarray(Image.open(broken / name)), np.asarray(Image.open(whole / name)))
    assert_table_and_sidecars_agree(broken)
    assert list((broken / ".isicgui" / "tmp").iterdir()) == []


def test_a_folder_in_use_is_exit_4_and_names_the_other_process(run, start, pack, tmp_path):
    output = tmp_path / "shared"
    writer = start("generate", "--classes", "MEL=5000", "--output", output, "--models", pack, "--steps", "1000")
    assert json.loads(writer.stdout.readline())["event"] == "started"
    second = run("generate", "--classes", "NV=1", "--output", output, "--models", pack)
    assert second.returncode == 4
    assert str(writer.pid) in second.stderr

    writer.kill()
    writer.wait()
    third = run("generate", "--classes", "NV=1", "--output", output, "--models", pack)
    assert third.returncode == 0, third.stderr
