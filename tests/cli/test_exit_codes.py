"""Exit codes and the words that come with them."""

import itertools
import json

import pytest
from PIL import Image

from core.taxonomy import CLASS_CODES
from tests.support.tiny_models import write_tiny_pack


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "--classes", "MELL=1", "--output", "x"], ["Did you mean MEL?", "VASC"]),
        (["generate", "--classes", "MEL", "--output", "x"], ["NAME=COUNT"]),
        (["generate", "--classes", "MEL=1", "--output", "x", "--steps", "0"], ["from 1 to 1000"]),
        (["generate", "--classes", "MEL=1", "--output", "x", "--seed", "soon"], ["random"]),
        (["generate", "--classes", "MEL=1", "--output", "x", "--shard", "3/2"], ["--shard I/N"]),
        (["generate", "--classes", "MEL=1", "--output", "x", "--sampler", "lms"], ["ddpm", "dpmpp-2m-sde"]),
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


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("generate --classes MEL=1 --output FILE --models MODELS", 4),
        ("generate --classes MEL=1 --output new --models FILE", 3),
        ("resume FILE", 3),
        ("explain PICTURE --output FILE", 4),
        ("trajectory --output FILE --models MODELS", 4),
        ("evaluate --synthetic PICTURES --real PICTURES --output FILE", 4),
        ("evaluate --synthetic FILE --real PICTURES --output new", 3),
        ("utility --train PICTURES --test PICTURES --synthetic PICTURES --output FILE", 4),
        ("export FILE --to new --format csv", 3),
        ("train classifier --data PICTURES --output FILE --preset quick", 4),
        ("experiments list --root FILE", 3),
    ],
)
def test_a_file_where_a_folder_should_be_is_an_unwritable_output_or_a_refused_input(call, tmp_path, command, code):
    places = {name: tmp_path / name.lower() for name in ("FILE", "MODELS", "PICTURES", "new")}
    places["PICTURE"] = draw_classes(places["PICTURES"])
    write_tiny_pack(places["MODELS"])
    places["FILE"].write_text("not a folder")
    found, out, err = call(*(places.get(word, word) for word in command.split()))
    assert found == code, err
    assert out == ""
    assert str(places["FILE"]) in err
    assert places["FILE"].read_text() == "not a folder"


def draw_classes(folder):
    """Draw a few pictures of each class, and return one of them."""
    for number, (code, index) in enumerate(itertools.product(CLASS_CODES, range(8))):
        (folder / code).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (32, 32), (number, 90, 60)).save(folder / code / f"p{number}-{index}.png")
    return folder / "MEL" / "p0-0.png"


def test_a_re_made_image_goes_to_a_new_file_or_ends_with_exit_4(call, tmp_path):
    models, output, taken = tmp_path / "models", tmp_path / "o", tmp_path / "taken.png"
    write_tiny_pack(models)
    call("generate", "--classes", "MEL=1", "--steps", "2", "--output", output, "--models", models)
    image = output / "MEL" / "ISIC_0000001.png"
    taken.write_text("mine")
    code, _, err = call("reproduce", image, "--models", models, "--save", taken)
    assert code == 4
    assert "exists already" in err
    assert taken.read_text() == "mine"
    code, _, err = call("reproduce", image, "--models", models, "--save", tmp_path / "no" / "folder.png")
    assert code == 4
    assert "could not be read or written" in err
    assert call("reproduce", image, "--models", models, "--save", tmp_path / "again.png")[0] == 0
    with Image.open(image) as first, Image.open(tmp_path / "again.png") as second:
        assert first.tobytes() == second.tobytes()


def test_an_unexpected_error_is_exit_1_and_names_its_report(call, home, monkeypatch):
    def explode():
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("core.doctor.diagnose", explode)
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
