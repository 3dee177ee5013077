"""`utility` as a command: its flags, its exit codes, Ctrl-C and going on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from core.taxonomy import CLASS_CODES
from evaluation.utility.request import PRESETS, UtilityRequest
from tests.support.patience import PATIENCE
from tests.support.tiny_classifier import draw_lesion

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TINY = ("--architecture", "small_cnn", "--image-size", "16", "--steps", "4")


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("world")
    for number, part in enumerate(("train", "test", "synthetic")):
        for code in CLASS_CODES:
            (root / part / code).mkdir(parents=True)
            for index in range(4):
                picture = Image.fromarray(draw_lesion(code, 1000 * number + index))
                picture.save(root / part / code / f"{part}_{code}_{index}.png")
    return root


def flags(world: Path, output: Path, *more: str) -> list[str]:
    return ["utility", "--train", str(world / "train"), "--test", str(world / "test"), "--synthetic",
            str(world / "synthetic"), "--output", str(output), "--device", "cpu", *TINY, *more]  # fmt: skip


def test_it_says_the_verdict_and_where_the_report_is(call, world, tmp_path):
    code, out, err = call(*flags(world, tmp_path / "out", "--seeds", "1"))
    assert code == 0, err
    assert "Only one seed" in out
    assert str(tmp_path / "out" / "report.html") in out
    code, out, _ = call(*flags(world, tmp_path / "out", "--seeds", "1", "--json"))
    events = [json.loads(line) for line in out.splitlines()]
    assert events[0]["event"] == "progress"
    assert events[-1]["event"] == "finished"
    assert all(event["kept"] for event in events if event["event"] == "trained")


def test_ctrl_c_is_130_and_the_same_command_goes_on(world, tmp_path):
    command = [sys.executable, str(ROOT / "main.py"), *flags(world, tmp_path / "out", "--seeds", "3", "--json")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    trained = 0
    for line in process.stdout:
        trained += json.loads(line)["event"] == "trained"
        if trained == 2:
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=4 * PATIENCE)
    assert process.returncode == 130, err
    assert json.loads(out.splitlines()[-1])["status"] == "stopped"
    assert "Run the same command again" in err
    again = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=4 * PATIENCE)
    kept = [e["kept"] for e in map(json.loads, again.stdout.splitlines()) if e["event"] == "trained"]
    assert again.returncode == 0, again.stderr
    assert kept[:2] == [True, True]
    assert not kept[-1]


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--ratios", "one"), 2, "--ratios 0.5,1,2,5"),
        (("--ratios", "0"), 2, "above 0"),
        (("--seeds", "0"), 2, "At least one seed"),
        (("--steps", "0"), 2, "steps must be at least 1"),
        (("--architecture", "nothing"), 2, "choose one of"),
        (("--curate", "nonsense"), 2, "nonsense"),
    ],
)
def test_wrong_usage_is_told(call, world, tmp_path, more, code, words):
    found, out, err = call(*flags(world, tmp_path / "out", *more))
    assert (found, out) == (code, ""), err
    assert words in err
    assert "Traceback" not in err


def test_a_folder_that_is_not_there_is_exit_3(call, world, tmp_path):
    arguments = flags(world, tmp_path / "out")
    arguments[arguments.index("--train") + 1] = str(tmp_path / "gone")
    code, _, err = call(*arguments)
    assert code == 3
    assert str(tmp_path / "gone") in err


def test_presets_are_the_start_and_flags_change_them(tmp_path):
    places = (tmp_path, tmp_path, (tmp_path,), tmp_path)
    for name, preset in PRESETS.items():
        assert UtilityRequest(*places, preset=name).settings == preset
    changed = UtilityRequest(*places, preset="standard", steps=7, ratios=(2.0, 0.5), seeds=9).settings
    assert (changed.training.steps, changed.training.architecture) == (7, "resnet18")
    assert (changed.ratios, changed.seeds) == ((2.0, 0.5), 9)
