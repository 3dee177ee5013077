"""What a models folder holds, and the reason where it holds nothing usable."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core.cache.cache_manager import CacheManager
from core.generator.model_manager import ModelManager
from core.models import pack as pack_module
from core.models.discovery import candidates, discover
from core.models.pack import MAX_BYTES, read_pack
from core.taxonomy import CLASS_CODES
from tests.support.tiny_models import write_tiny_pack

ZIP = b"PK\x03\x04" + bytes(40)


def put(folder: Path, name: str, data: bytes = ZIP) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(data)
    return path


def test_importing_discovery_does_not_import_torch():
    code = "import sys, core.models.discovery; sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_checkpoints_are_found_by_their_name_in_any_case(tmp_path):
    put(tmp_path, "unet_MEL_best.pth")
    put(tmp_path, "unet_nv_best.pth")
    catalog = discover(tmp_path)
    assert catalog.available == ("MEL", "NV")
    assert catalog.classes["MEL"].kind == "checkpoint"
    assert list(catalog.classes) == list(CLASS_CODES)
    assert f"{tmp_path.name} (2 classes)" == catalog.title


def test_a_single_checkpoint_file_can_be_named(tmp_path):
    path = put(tmp_path, "unet_DF_best.pth")
    put(tmp_path, "unet_MEL_best.pth")
    assert discover(path).available == ("DF",)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "0 bytes"),
        (b"<!DOCTYPE html><html>quota exceeded</html>", "web page"),
        (b"GIF89a" + bytes(40), "no weights file"),
    ],
)
def test_a_file_that_is_no_weights_file_says_so(tmp_path, data, word):
    put(tmp_path, "unet_MEL_best.pth", data)
    model = discover(tmp_path).classes["MEL"]
    assert not model.available
    assert word in model.reason


def test_a_truncated_safetensors_header_is_noticed(tmp_path):
    put(tmp_path, "unet_MEL_best.safetensors", (10_000).to_bytes(8, "little") + b'{"a":1}')
    assert "ends too early" in discover(tmp_path).classes["MEL"].reason


def test_a_huge_file_is_not_available(tmp_path):
    path = put(tmp_path, "unet_MEL_best.pth")
    with path.open("r+b") as stream:
        stream.truncate(MAX_BYTES + 1)  # sparse: takes no space on disk
    assert "far more than any model" in discover(tmp_path).classes["MEL"].reason


def test_unknown_classes_and_other_names_are_ignored_with_the_reason(tmp_path):
    put(tmp_path, "unet_FOO_best.pth")
    put(tmp_path, "unet_MEL_epoch_10.pth")
    put(tmp_path, "classifier.pth")
    ignored = {path.name: reason for path, reason in discover(tmp_path).ignored}
    assert "no class 'FOO'" in ignored["unet_FOO_best.pth"]
    assert "unet_<CLASS>_best.pth" in ignored["unet_MEL_epoch_10.pth"]
    assert "classifier.pth" not in ignored


def test_a_missing_folder_is_the_reason_for_every_class(tmp_path):
    catalog = discover(tmp_path / "nowhere")
    assert catalog.available == ()
    assert all("does not exist" in model.reason for model in catalog.classes.values())


def test_a_class_conditional_pack_serves_all_classes(tmp_path):
    write_tiny_pack(tmp_path / "isic7")
    catalog = discover(tmp_path)
    assert catalog.available == CLASS_CODES
    assert catalog.title == "isic7 (7 classes)"
    assert {model.path for model in catalog.classes.values()} == {tmp_path / "isic7"}
    assert discover(tmp_path / "isic7").available == CLASS_CODES


def test_without_description_the_canonical_order_of_seven_is_assumed_and_said(tmp_path):
    write_tiny_pack(tmp_path / "p", num_classes=7, description=False)
    catalog = discover(tmp_path)
    assert catalog.available == CLASS_CODES
    assert all("the order MEL, NV, BCC" in model.assumed[0] for model in catalog.classes.values())
    write_tiny_pack(tmp_path / "q", num_classes=7)
    assert discover(tmp_path / "q").classes["MEL"].assumed == ()


@pytest.mark.parametrize("heads", [8, 10])
def test_other_labels_without_description_are_refused_with_what_to_add(tmp_path, heads):
    write_tiny_pack(tmp_path / "p", num_classes=heads, description=False)
    catalog = discover(tmp_path)
    assert catalog.available == ()
    assert f"{heads} class labels" in catalog.classes["MEL"].reason
    assert "isicgui.json" in catalog.classes["MEL"].reason
    assert '"classes"' in catalog.classes["MEL"].reason


def test_a_training_checkpoint_says_what_is_assumed_and_offers_the_averaged_weights(tmp_path):
    pack = write_tiny_pack(tmp_path / "flat", num_classes=None)
    home = tmp_path / "checkpoint-500_MEL"
    for name in ("unet", "unet_ema"):
        (home / name).mkdir(parents=True)
        for file in ("config.json", "diffusion_pytorch_model.safetensors"):
            (home / name / file).write_bytes((pack / file).read_bytes())
    found = read_pack(home)
    assert found.assumed.keys() == {"scheduler", "weights"}
    assert "checkpoint-500_MEL/unet_ema" in found.assumed["weights"]
    assert str(tmp_path) not in found.assumed["weights"], "recipes are passed on"
    averaged = read_pack(home / "unet_ema")
    assert averaged.only_class == "MEL"
    assert averaged.weights.parent == home / "unet_ema"
    assert averaged.assumed.keys() == {"scheduler"}
    (home / "scheduler").mkdir()
    (pack / "scheduler_config.json").rename(home / "scheduler" / "scheduler_config.json")
    assert read_pack(home / "unet_ema").assumed == {}


@pytest.mark.parametrize("name", ["MEL", "unet_MEL", "unet-mel-128"])
def test_an_unconditional_pack_is_the_class_its_folder_is_named_after(tmp_path, name):
    write_tiny_pack(tmp_path / name, num_classes=None)
    assert discover(tmp_path).available == ("MEL",)


def test_an_unconditional_pack_without_a_class_name_belongs_to_no_class(tmp_path):
    write_tiny_pack(tmp_path / "lesions", num_classes=None)
    catalog = discover(tmp_path)
    assert catalog.available == ()
    assert "not named after one class" in dict(catalog.ignored)[tmp_path / "lesions"]


def test_a_pipeline_folder_with_unet_and_scheduler_subfolders_is_a_pack(tmp_path):
    pack = write_tiny_pack(tmp_path / "flat", num_classes=7, description=False)
    pipeline = tmp_path / "models" / "VASC-pipeline"
    (pipeline / "unet").mkdir(parents=True)
    (pipeline / "scheduler").mkdir()
    for file in ("config.json", "diffusion_pytorch_model.safetensors"):
        (pack / file).rename(pipeline / "unet" / file)
    (pack / "scheduler_config.json").rename(pipeline / "scheduler" / "scheduler_config.json")
    assert discover(tmp_path / "models").available == CLASS_CODES


def test_a_checkpoint_wins_over_a_pack_and_the_pack_stays_a_candidate(tmp_path):
    write_tiny_pack(tmp_path / "isic7")
    put(tmp_path, "unet_MEL_best.pth")
    catalog = discover(tmp_path)
    assert [catalog.classes[code].kind for code in ("MEL", "NV")] == ["checkpoint", "pack"]
    assert [model.kind for model in candidates(tmp_path, "MEL")] == ["checkpoint", "pack"]


def test_a_broken_checkpoint_does_not_hide_a_good_pack(tmp_path):
    write_tiny_pack(tmp_path / "isic7")
    put(tmp_path, "unet_MEL_best.pth", b"")
    assert discover(tmp_path).classes["MEL"].kind == "pack"


def test_a_pack_without_weights_is_the_reason_of_its_classes(tmp_path):
    pack = write_tiny_pack(tmp_path / "isic7")
    (pack / "diffusion_pytorch_model.safetensors").unlink()
    assert "no weights" in discover(tmp_path).classes["MEL"].reason


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"null_class": 3}, "null_class"),
        ({"null_class": "x"}, "null_class"),
        ({"classes": ["A", "B"]}, "names none of the classes"),
        ({"classes": ["MEL"] * 8}, "do not fit"),
        ({"format": 2}, "format 2"),
    ],
)
def test_a_wrong_description_is_refused_with_its_reason(tmp_path, change, word):
    pack = write_tiny_pack(tmp_path / "isic7")
    about = json.loads((pack / "isicgui.json").read_text())
    (pack / "isicgui.json").write_text(json.dumps(about | change))
    assert word in dict(discover(tmp_path).ignored)[pack]


@pytest.mark.parametrize("name", ["config.json", "scheduler_config.json", "isicgui.json"])
@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000, "\x00\xff"])
def test_damaged_json_is_a_reason_and_never_an_exception(tmp_path, name, text):
    pack = write_tiny_pack(tmp_path / "isic7")
    (pack / name).write_text(text, encoding="latin-1")
    catalog = discover(tmp_path)
    assert catalog.available == ()
    assert name in dict(catalog.ignored)[pack]


@pytest.mark.parametrize(
    "change",
    [
        {"sample_size": 15},
        {"sample_size": None},
        {"sample_size": 10**9},
        {"block_out_channels": "wide"},
        {"block_out_channels": [8] * 40},
        {"layers_per_block": 10**9},
        {"in_channels": 1},
        {"_class_name": "UNet2DConditionModel"},
    ],
)
def test_networks_that_cannot_be_built_are_refused_before_anything_is_built(tmp_path, change):
    pack = write_tiny_pack(tmp_path / "isic7")
    config = json.loads((pack / "config.json").read_text())
    (pack / "config.json").write_text(json.dumps(config | change))
    assert pack in dict(discover(tmp_path).ignored)


def test_folders_that_are_no_generators_are_passed_over_in_silence(tmp_path):
    write_tiny_pack(tmp_path / "isic7")
    put(tmp_path / "classifier-resnet18", "model.safetensors")
    put(tmp_path / "classifier-resnet18", "config.json", b'{"architecture": "resnet18"}')
    catalog = discover(tmp_path)
    assert catalog.available == CLASS_CODES
    assert catalog.ignored == ()


def test_color_statistics_are_found_next_to_the_models(tmp_path):
    put(tmp_path, "unet_MEL_best.pth")
    assert discover(tmp_path).color_statistics is None
    path = put(tmp_path, "color_statistics.json", b"{}")
    assert discover(tmp_path).color_statistics == path


def test_color_statistics_inside_the_only_pack_count(tmp_path):
    pack = write_tiny_pack(tmp_path / "isic7")
    path = put(pack, "color_statistics.json", b"{}")
    assert discover(tmp_path).color_statistics == path


def test_a_pack_is_read_once_for_a_catalogue_and_a_run(tmp_path, monkeypatch):
    write_tiny_pack(tmp_path / "models" / "pack")
    seen = []
    real = pack_module.read_json
    monkeypatch.setattr(pack_module, "read_json", lambda path, *rest: seen.append(path.name) or real(path, *rest))
    chosen = discover(tmp_path / "models").classes["MEL"]
    ModelManager(CacheManager()).load(chosen, torch.device("cpu"), "fp32")
    assert sorted(seen) == ["config.json", "isicgui.json", "scheduler_config.json"]
