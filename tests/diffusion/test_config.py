"""Settings: what cannot work is refused by the name of the key, and the presets are what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from core.models.networks import PREDECESSOR_NET, PREDECESSOR_SCHEDULER
from diffusion.config import BUDGET_KEYS, DiffusionConfig
from diffusion.model import build_scheduler, build_unet
from diffusion.presets import PRESETS, one_network_a_class
from training.settings import SettingsRefusedError, load_settings


@pytest.mark.parametrize(
    ("values", "key", "reason"),
    [
        ({"image_size": 100}, "image_size", "multiple of 32"),
        ({"image_size": 32, "half_size_share": 0.5}, "half_size_share", "multiple of 32"),
        ({"norm_groups": 24}, "norm_groups", "widths must be multiples"),
        ({"attention": (6,)}, "attention", "6 levels"),
        ({"attention_head_dim": 48}, "attention_head_dim", "multiples"),
        ({"precision": "fp16"}, "precision", "bf16 has the range"),
        ({"gradient_accumulation": 3}, "gradient_accumulation", "batch_size = 16"),
        ({"sample_steps": 20, "train_timesteps": 10}, "sample_steps", "train_timesteps = 10"),
        ({"guidance": 2, "label_dropout": 0}, "guidance", "label_dropout"),
        ({"classes": "MEL,XYZ"}, "classes", "no class 'XYZ'"),
        ({"classes": ["MEL", "MEL"]}, "classes", "once"),
        ({"classes": 3}, "classes", "valid tuple"),
        ({"classes": {"MEL": 1}}, "classes", "valid tuple"),
        ({"kind": "per_class"}, "image_size|widths", "predecessor's network"),
        ({"kind": "per_class", **one_network_a_class({}), "dropout": 0.1}, "dropout", "leave dropout out"),
        ({"ema_decay": 1.0}, "ema_decay", "less than 1"),
        ({"images": 0}, "images", "greater than or equal to 1"),
        ({"prediction_type": "sample"}, "prediction_type", "epsilon"),
        ({"widhts": [32]}, "widhts", "did you mean widths"),
        ({"validation_fraction": 0}, "validation_fraction", "greater than 0"),
        ({"name": "../x"}, "name", "pattern"),
    ],
)
def test_impossible_settings_are_refused_by_name(values: dict[str, object], key: str, reason: str):
    with pytest.raises(SettingsRefusedError) as refusal:
        load_settings(DiffusionConfig, overrides=values)
    assert any(name in refusal.value.message for name in key.split("|"))
    assert reason in refusal.value.message


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_knows_nothing_of_the_terms_of_photographs_it_has_not_seen(name: str):
    assert "licence" not in PRESETS[name]


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_possible_and_survives_its_own_file(name: str, tmp_path: Path):
    config = load_settings(DiffusionConfig, preset=PRESETS[name])
    (tmp_path / "c.json").write_text(json.dumps(config.model_dump(mode="json")))
    assert load_settings(DiffusionConfig, file=tmp_path / "c.json") == config
    one_a_class = load_settings(DiffusionConfig, preset=one_network_a_class(PRESETS[name]))
    assert one_a_class.kind == "per_class"
    assert one_a_class.images == config.images


def test_text_of_the_command_line_is_read():
    config = load_settings(DiffusionConfig, overrides={"widths": "32,64", "attention": 1, "classes": "nv,mel"})
    assert (config.widths, config.attention, config.classes) == ((32, 64), (1,), ("MEL", "NV"))


def test_one_network_a_class_is_the_predecessors():
    config = load_settings(DiffusionConfig, preset=PRESETS["predecessor"])
    with torch.device("meta"):
        net = build_unet(config)
    assert sum(p.numel() for p in net.parameters()) == 25_304_963
    for key, value in PREDECESSOR_NET.items():
        assert tuple(net.config[key]) == value if isinstance(value, tuple) else net.config[key] == value, key
    scheduler = build_scheduler(config).config
    assert {key: scheduler[key] for key in PREDECESSOR_SCHEDULER} == PREDECESSOR_SCHEDULER


@pytest.mark.parametrize("name", ["starter", "gpu"])
def test_networks_that_ship_fit_their_budget(name: str):
    with torch.device("meta"):
        net = build_unet(load_settings(DiffusionConfig, preset=PRESETS[name]))
        images, zero = torch.zeros(1, 3, 128, 128), torch.zeros(1, dtype=torch.long)
    with FlopCounterMode(display=False) as counter:
        net(images, zero, class_labels=zero)
    assert counter.get_total_flops() / 2 <= 12e9  # a multiplication and an addition are one MAC
    assert 2 * sum(p.numel() for p in net.parameters()) <= 32e6
    assert net.config.attention_head_dim == 64


def test_budget_keys_are_settings():
    assert set(DiffusionConfig.model_fields) >= BUDGET_KEYS


def test_labels_are_counted(make_config: Callable[..., DiffusionConfig]):
    assert (make_config().labels, make_config().null_label) == (8, 7)
    assert (make_config(label_dropout=0).labels, make_config(label_dropout=0).null_label) == (7, None)
    assert make_config(augmentation=0.2).labels == 16
    assert make_config(classes="MEL,NV", augmentation=0.2).null_label == 2
