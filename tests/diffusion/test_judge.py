"""A tiny generator judged from beginning to end, its card, and what judging refuses."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.doctor import read_sums
from core.errors import InputRefusedError, ModelMissingError
from core.events import ImageDone, Notice
from core.models.pack import read_pack
from core.taxonomy import CLASS_CODES, image_seed
from dataset.reading import read_records
from diffusion.card import card_of, write_card
from diffusion.config import DiffusionConfig
from diffusion.generated import fill_folder, read_generated, recommended
from diffusion.judge import JudgeRequest, judge_pack
from diffusion.judgement import Judgement, read_judgement
from diffusion.measured import measured
from diffusion.sheet import SheetRequest, write_sheet
from reports.markdown import blocks_markdown, render_markdown
from tests.support.labelled_data import write_labelled_folder
from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.tiny_models import write_tiny_pack
from training.settings import load_settings, parse_assignments

TRAINING = {
    "images_seen": 12_800,
    "seconds": 5400,
    "data": "my-photographs",
    "licence": "CC0",
    "credit": "The people of the test",
    "photographs": {"train": {"MEL": 30, "NV": 40}, "validation": {"MEL": 3, "NV": 4}, "test": {"MEL": 5, "NV": 6}},
    "hardware": {"cpu": "CPU X", "cores": 4, "threads": 4, "gpus": ["GPU Y"], "memory_gb": 64},
    "settings": {"images": 12_800, "split_seed": 1, "name": "tiny"},
}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_tiny_pack(tmp_path_factory.mktemp("models") / "tiny")
    (folder / "training.json").write_text(json.dumps(TRAINING), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_labelled_folder(tmp_path_factory.mktemp("data"), lesions=28, size=16)


@pytest.fixture(scope="module")
def request_(tmp_path_factory: pytest.TempPathFactory, pack: Path, data: Path) -> JudgeRequest:
    evaluator = write_tiny_classifier(tmp_path_factory.mktemp("classifier"))
    output = tmp_path_factory.mktemp("judged")
    return JudgeRequest(pack, data, output, evaluator, 4, guidances=(1.0,), drawing={"steps": 2}, device="cpu")


@pytest.fixture(scope="module")
def judged(request_: JudgeRequest) -> tuple[Judgement, list[object]]:
    torch.set_num_threads(1)
    events: list[object] = []
    return judge_pack(request_, events.append), events


def test_everything_is_measured(judged: tuple[Judgement, list[object]], request_: JudgeRequest, pack: Path):
    found = read_judgement(request_.output)
    assert found == judged[0].to_json()
    assert found["samples"]["n"] == 28
    assert found["samples"]["drawn"] == {
        "sampler": "dpmpp-2m-sde", "steps": 2, "guidance": 1.5, "seed": 42, "color": False
    }  # fmt: skip
    assert list(found["distance"]["by_class"]) == list(CLASS_CODES)
    assert all(pair["kid"]["n_a"] == pair["floor"]["n_a"] == 4 for pair in found["distance"]["by_class"].values())
    assert found["distance"]["overall"]["kid"]["value"] > found["distance"]["overall"]["floor"]["high"]
    assert np.sum(found["fidelity"]["matrix"]) == 28
    assert found["loss"]["n"] == found["data"]["held_out"]["images"]
    assert found["memorisation"]["n"] == 28
    assert [point["guidance"] for point in found["sweep"]] == [1.0]
    weights = pack / "diffusion_pytorch_model.safetensors"
    assert found["model"]["weights_sha256"] == [hashlib.sha256(weights.read_bytes()).hexdigest()]
    assert found["model"]["bytes"] == weights.stat().st_size


def test_numbers_are_strict_json(judged: tuple[Judgement, list[object]], request_: JudgeRequest):
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    json.loads((request_.output / "judgement.json").read_text(encoding="utf-8"), parse_constant=refuse)


def test_held_out_lesions_are_those_of_the_training_run(judged: tuple[Judgement, list[object]]):
    # split seed 1 comes from training.json
    held, train = judged[0].data.held_out, judged[0].data.train
    assert not {image.lesion_id for image in held} & {image.lesion_id for image in train}
    assert judged[0].data.fingerprint != ""
    assert len({image.lesion_id for image in held}) == 7 * round(0.15 * 28)


def test_images_are_the_ones_that_generate_makes(judged: tuple[Judgement, list[object]], request_: JudgeRequest):
    records = read_records(request_.output / "generated" / "guidance-1.5")
    assert {r.seed for r in records if r.class_code == "DF"} == {image_seed("DF", i, 42) for i in range(4)}
    assert sum(isinstance(event, ImageDone) for event in judged[1]) == 56
    assert any(isinstance(event, Notice) for event in judged[1])


def test_leaves_a_sheet_and_the_nearest_photographs(judged: tuple[Judgement, list[object]], request_: JudgeRequest):
    names = {path.name for path in request_.output.iterdir()}
    assert {"samples.png", "memorisation.json", "memorisation_pairs.csv", "memorisation_pairs.png"} <= names
    rows = (request_.output / "memorisation_pairs.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 29
    assert rows[1].split(",")[0].endswith(".png")
    assert rows[1].split(",")[1].split("_")[0] in CLASS_CODES


def test_an_existing_folder_is_judged_alike(judged: tuple[Judgement, list[object]], request_: JudgeRequest, tmp_path):
    samples = request_.output / "generated" / "guidance-1.5"
    events: list[object] = []
    again = judge_pack(replace(request_, output=tmp_path, samples=samples, guidances=()), events.append).to_json()
    assert not any(isinstance(event, ImageDone) for event in events)
    assert again["samples"]["drawn"] is None
    first = judged[0].to_json()
    for key in ("distance", "fidelity", "loss", "memorisation"):
        assert again[key] == first[key]


def test_a_folder_is_filled_up_and_not_made_anew(pack: Path, tmp_path: Path):
    draw = recommended(pack, steps=2, device="cpu")
    list(fill_folder(pack, tmp_path / "out", 1, draw))
    first = read_generated(tmp_path / "out")
    made = [event for event in fill_folder(pack, tmp_path / "out", 2, draw) if isinstance(event, ImageDone)]
    assert len(made) == 7
    both = read_generated(tmp_path / "out")
    assert (both.pixels[::2] == first.pixels).all()
    assert both.codes == CLASS_CODES
    assert not list(fill_folder(pack, tmp_path / "out", 2, draw))[:-2], "nothing is left to do"


def test_images_of_other_settings_are_not_mixed_in(pack: Path, request_: JudgeRequest, judged):
    folder = request_.output / "generated" / "guidance-1.5"
    with pytest.raises(InputRefusedError, match="another model or of other settings"):
        list(fill_folder(pack, folder, 4, recommended(pack, steps=3)))


def test_what_the_maker_recommends_is_taken_unless_asked_otherwise(pack: Path, tmp_path: Path):
    assert (recommended(pack).sampler, recommended(pack).steps, recommended(pack).guidance) == ("dpmpp-2m-sde", 20, 1.5)
    asked = recommended(pack, sampler="ddim", guidance=3.0)
    assert (asked.sampler, asked.steps, asked.guidance) == ("ddim", 50, 3.0)
    with pytest.raises(ModelMissingError):
        recommended(tmp_path)


def test_images_that_a_full_disk_left_without_sidecar_and_line_are_known_by_their_recipe(pack: Path, tmp_path: Path):
    draw = recommended(pack, steps=1, device="cpu")
    list(fill_folder(pack, tmp_path / "out", 1, draw))
    journal = tmp_path / "out/.isicgui/journal.jsonl"
    first, second, *_ = journal.read_bytes().splitlines(keepends=True)
    assert b'"image"' in second
    journal.write_bytes(first)
    for path in (tmp_path / "out").glob("*/*.json"):
        path.unlink()
    before = {path: path.read_bytes() for path in (tmp_path / "out").glob("*/*.png")}
    events = list(fill_folder(pack, tmp_path / "out", 1, draw))
    assert not any(isinstance(event, ImageDone) for event in events)
    assert {path: path.read_bytes() for path in (tmp_path / "out").glob("*/*.png")} == before


JUDGED = Path(__file__).resolve().parents[2] / "starter/isic7-128/judgement.json"
ODD_JUDGEMENTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "no samples": lambda found: found.pop("samples"),
    "a text for a number": lambda found: found["samples"].update(n="140"),
    "half an interval": lambda found: found["fidelity"]["generated"].update(low=None),
    "a matrix of another size": lambda found: found["fidelity"]["matrix"].pop(),
    "half a cost": lambda found: found["model"].pop("bytes"),
    "an odd class": lambda found: found["distance"]["by_class"].update(MEL=3),
}


@pytest.mark.parametrize("what", ODD_JUDGEMENTS)
def test_a_judgement_that_is_none_is_refused_in_words(tmp_path: Path, what: str):
    pack = write_tiny_pack(tmp_path / "tiny")
    found = json.loads(JUDGED.read_text(encoding="utf-8"))
    ODD_JUDGEMENTS[what](found)
    (pack / "judgement.json").write_text(json.dumps(found), encoding="utf-8")
    with pytest.raises(InputRefusedError, match=r"judgement\.json"):
        write_card(pack)


@pytest.mark.parametrize(
    "odd",
    [{"photographs": {"train": 3}}, {"photographs": [1]}, {"images_seen": "many"}, {"seconds": None}, {"leakage": []},
     {"hardware": {"gpus": 3}}, {"data_kind": {}}],
)  # fmt: skip
def test_a_record_of_a_training_that_is_none_is_refused_in_words(tmp_path: Path, odd: dict[str, Any]):
    pack = write_tiny_pack(tmp_path / "tiny")
    (pack / "training.json").write_text(json.dumps({**TRAINING, **odd}), encoding="utf-8")
    with pytest.raises(InputRefusedError, match=r"training\.json"):
        write_card(pack)


def test_notes_in_another_encoding_are_taken_and_a_pipe_is_not_waited_for(tmp_path: Path):
    pack = write_tiny_pack(tmp_path / "tiny")
    (pack / "NOTES.md").write_bytes("Zu dunkel, für alles.".encode("latin-1"))
    assert "alles." in write_card(pack).read_text(encoding="utf-8")
    (pack / "NOTES.md").unlink()
    os.mkfifo(pack / "NOTES.md")
    with pytest.raises(InputRefusedError, match=r"NOTES\.md"):
        write_card(pack)


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(InputRefusedError, match="no generated image"):
        read_generated(tmp_path)


def test_card_says_what_the_files_say(judged, request_: JudgeRequest, pack: Path):
    (pack / "judgement.json").write_bytes((request_.output / "judgement.json").read_bytes())
    (pack / "NOTES.md").write_text("- Hair is missing.\n", encoding="utf-8")
    text = write_card(pack).read_text(encoding="utf-8")
    for words in (
        "# tiny", "16x16", "CC0", "The people of the test", "12,800 images processed", "1.5 hours", "1 x GPU Y",
        "MEL 30", "--set split_seed=1", "null class 7", "- Hair is missing.", "28 unselected images",
        "**Memorisation**",
    ):  # fmt: skip
        assert words in text, words
    assert blocks_markdown(measured(judged[0].to_json())) in text
    assert max(map(len, text.splitlines())) < 1500
    assert "{" not in text.replace("{value", "")


def test_the_command_of_the_card_is_one_that_can_be_typed(pack: Path, tmp_path: Path):
    """Words with spaces and settings that are none arrive as they were."""
    wanted = DiffusionConfig(licence="CC BY-NC 4.0", gradient_clip=None, widths=(32, 64, 128), attention=(2,))
    folder = tmp_path / "pack"
    shutil.copytree(pack, folder)
    training = {**TRAINING, "settings": wanted.model_dump(mode="json")}
    (folder / "training.json").write_text(json.dumps(training), encoding="utf-8")
    card = render_markdown(card_of(read_pack(folder)))
    (line,) = (line for line in card.splitlines() if "main.py train diffusion --" in line)
    words = shlex.split(line)
    assignments = tuple(words[i + 1] for i, word in enumerate(words) if word == "--set")
    assert load_settings(DiffusionConfig, overrides=parse_assignments(assignments)) == wanted


@pytest.mark.parametrize(
    ("leakage", "words"),
    [
        ({"known": True, "leaked": 0}, "Photographs of other lesions were held out"),
        ({"known": False, "leaked": 0}, "has no lesion identifiers"),
        ({"known": True, "leaked": 3}, "3 of them of lesions that are also in training"),
    ],
)
def test_the_card_claims_no_split_by_lesion_that_there_was_not(
    pack: Path, tmp_path: Path, leakage: dict[str, object], words: str
):
    folder = tmp_path / "pack"
    shutil.copytree(pack, folder)
    (folder / "training.json").write_text(json.dumps({**TRAINING, "leakage": leakage}), encoding="utf-8")
    assert " ".join(words.split()) in " ".join(render_markdown(card_of(read_pack(folder))).split())


@pytest.mark.parametrize(
    ("data", "credit", "words"),
    [
        ("ham10000", "", "doi:10.1038/sdata.2018.161"),
        ("ham10000", "Medical University of Vienna", "doi:10.1038/sdata.2018.161"),
        ("ham10000", "The clinic", "\nThe clinic\n"),
        ("mine", "", "No author of the training photographs is recorded"),
    ],
)
def test_known_photographs_are_credited_wholly(pack: Path, tmp_path: Path, data: str, credit: str, words: str):
    folder = tmp_path / "pack"
    shutil.copytree(pack, folder)
    (folder / "training.json").write_text(json.dumps({**TRAINING, "data": data, "credit": credit}), encoding="utf-8")
    assert " ".join(words.split()) in " ".join(render_markdown(card_of(read_pack(folder))).split())


def test_the_card_loads_a_pack_with_diffusers_alone(pack: Path):
    assert "from diffusers import DDPMScheduler, UNet2DModel\n" in render_markdown(card_of(read_pack(pack)))


def test_checksums_are_what_doctor_compares(pack: Path):
    write_card(pack)
    weights = pack / "diffusion_pytorch_model.safetensors"
    assert read_sums(pack.parent) == {weights: hashlib.sha256(weights.read_bytes()).hexdigest()}


def test_card_of_an_unfinished_pack_says_what_is_missing(tmp_path: Path):
    text = write_card(write_tiny_pack(tmp_path / "fresh")).read_text(encoding="utf-8")
    assert "Not evaluated yet" in text
    assert "do not record how it was trained" in text
    assert "have not been recorded yet" in text


def test_sheet_beside_photographs(judged, request_: JudgeRequest, pack: Path, data: Path, tmp_path: Path):
    samples = request_.output / "generated" / "guidance-1.5"
    sheets = [tmp_path / "plain.png", tmp_path / "beside.png"]
    for sheet, real in zip(sheets, (None, data), strict=True):
        write_sheet(SheetRequest(pack, sheet, 3, samples=samples, real=real), lambda _: None)
    plain, beside = (_size(sheet) for sheet in sheets)
    assert beside[0] > 1.5 * plain[0]
    assert beside[1] > plain[1]


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size
