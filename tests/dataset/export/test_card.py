"""The card: counts, origin, terms, limits."""

import hashlib
import json
import os

import pytest

from core.utils.path_manager import PathManager
from dataset.export.plan import plan_export
from dataset.export.request import ExportOptions
from dataset.png import DIGITAL_SOURCE_TYPE
from tests.support.exports import export_to, put

LICENCE = "CC BY-NC 4.0 (non-commercial, credit required)"


def make_pack(folder, weights=b"weights", licence=LICENCE):
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(weights)
    (folder / "isicgui.json").write_text(json.dumps({"name": "mine-64", "licence": licence}))
    (folder / "README.md").write_text(
        "# mine-64\n\n## Data, licence, credit\nThank **Vienna**.\n\n## Training\nLong.\n"
    )
    return hashlib.sha256(weights).hexdigest()


def card(output, target, **options):
    export_to(output, target, **options)
    return (target / "README.md").read_text(encoding="utf-8")


def test_it_counts_names_the_groups_the_limits_and_the_mark(output, tmp_path):
    text = card(output, tmp_path / "set")
    assert "| MEL | Melanoma | 6 | 1 | 1 | 8 |" in text
    assert "| all |  | 10 | 3 | 3 | 16 |" in text
    for words in (
        "80/10/10", "seed group", "`isicgui`", "research and teaching only", "never for a diagnosis",
        "dpmpp-2m-sde", "abababababababab", DIGITAL_SOURCE_TYPE, "ISICGUI 0.1.0", "SHA256SUMS",
    ):  # fmt: skip
        assert words in text, words


def test_it_quotes_the_terms_of_the_model_whose_weights_made_the_images(tmp_path):
    digest = make_pack(tmp_path / "models/mine")
    put(tmp_path / "out", "MEL", 1, 1, models=str(tmp_path / "models"), weights="mine/model.safetensors",
        weights_sha256=digest)  # fmt: skip
    text = card(tmp_path / "out", tmp_path / "set", format="hf")
    assert f"Images of `mine-64`: the licence of the model is **{LICENCE}**" in text
    assert "> Thank **Vienna**." in text
    assert "Long." not in text
    assert "license: cc-by-nc-4.0" in text
    assert str(tmp_path) not in text, "a card that goes around the world names nobody's folders"


def test_other_weights_in_the_same_place_lend_no_terms(tmp_path):
    make_pack(tmp_path / "models/mine")
    put(tmp_path / "out", "MEL", 1, 1, models=str(tmp_path / "models"), weights="mine/model.safetensors")
    plan = plan_export(tmp_path / "out", ExportOptions(tmp_path / "set", format="hf"))
    assert any("licence of mine is unknown" in words for words in plan.warnings)
    text = card(tmp_path / "out", tmp_path / "set", format="hf")
    assert "the licence is **unknown**" in text
    assert "Vienna" not in text
    assert "license: other" in text


def test_the_starters_terms_are_found_wherever_it_lay_when_the_image_was_made(tmp_path):
    pack = PathManager().starter_generator_dir / "isic7-128"
    digest = (pack / "SHA256SUMS").read_text().split()[0]
    weights = "isic7-128/diffusion_pytorch_model.safetensors"
    put(tmp_path / "out", "MEL", 1, 1, models="/gone/starter", weights=weights, weights_sha256=digest)
    plan = plan_export(tmp_path / "out", ExportOptions(tmp_path / "set"))
    assert not any("terms" in words for words in plan.warnings)
    assert "the licence of the model is **CC BY-NC 4.0**" in card(tmp_path / "out", tmp_path / "set")


@pytest.mark.parametrize(
    ("name", "is_quoted"),
    [("README.md", False), ("SHA256SUMS", True), ("isicgui.json", False), ("model.safetensors", False)],
)
def test_pipes_in_the_place_of_a_models_files_are_not_waited_for(tmp_path, name, is_quoted):
    digest = make_pack(tmp_path / "models/mine")
    (tmp_path / "models/mine" / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / "models/mine" / name)
    put(tmp_path / "out", "MEL", 1, 1, models=str(tmp_path / "models"), weights="mine/model.safetensors",
        weights_sha256=digest)  # fmt: skip
    assert ("Vienna" in card(tmp_path / "out", tmp_path / "set", format="hf")) is is_quoted


def test_images_without_a_recipe_have_unknown_terms(tmp_path):
    from PIL import Image

    (tmp_path / "out/NV").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "out/NV/ISIC_0000001.png")
    text = card(tmp_path / "out", tmp_path / "set")
    assert "Images without a recipe: their licence is unknown" in text
    assert "| unknown | unknown | unknown | unknown | unknown | unknown | 1 |" in text


def test_names_cannot_break_out_of_their_place(tmp_path):
    put(tmp_path / "out", "MEL", 1, 1, weights="a`|\n# Owned.safetensors", sampler="x|y\n## z")
    text = card(tmp_path / "out", tmp_path / "set")
    assert [line for line in text.splitlines() if line.startswith(("# Owned", "## z"))] == []
    assert "x\\|y ## z" in text
