"""Impossible settings are refused by the name of the key that is wrong; defaults suit the scenario."""

from __future__ import annotations

import pytest

from classifier.config import PRESETS, ClassifierConfig
from training.settings import SettingsRefusedError, load_settings


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"architekture": "resnet18"}, ["architekture", "did you mean architecture"]),
        ({"architecture": "resnet1"}, ["architecture", "resnet18", "densenet121"]),
        ({"scenario": "head_only"}, ["scenario = head_only", "pretrained = none"]),
        ({"scenario": "partial_unfreeze"}, ["scenario = partial_unfreeze", "pretrained = none"]),
        ({"scenario": "full"}, ["scenario", "full_training"]),
        ({"folds": 1}, ["folds", "2"]),
        ({"folds": 3, "split": "given"}, ["folds", "split"]),
        ({"seeds": [1, 1]}, ["seeds"]),
        ({"weights_sha256": "ab"}, ["weights_sha256", "pretrained"]),
        ({"unfreeze_percent": 0}, ["unfreeze_percent"]),
        ({"epochs": 0}, ["epochs"]),
        ({"learning_rate": "fast"}, ["learning_rate", "fast"]),
        ({"ema_decay": 1}, ["ema_decay"]),
        ({"label_smoothing": 1.0}, ["label_smoothing"]),
        ({"test_fraction": 1.0}, ["test_fraction"]),
        ({"batch_size": 1}, ["batch_size"]),
        ({"max_minutes": float("nan")}, ["max_minutes"]),
    ],
)
def test_impossible_settings_are_refused_by_name(overrides, words):
    with pytest.raises(SettingsRefusedError) as refusal:
        load_settings(ClassifierConfig, overrides=overrides)
    assert all(word in str(refusal.value) for word in words), str(refusal.value)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_possible(name):
    config = load_settings(ClassifierConfig, preset=PRESETS[name])
    assert ClassifierConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("scenario", "rate", "head_rate"),
    [("head_only", 1e-3, 1e-3), ("partial_unfreeze", 1e-4, 1e-3), ("full_training", 1e-5, 1e-4)],
)
def test_a_pretrained_trunk_changes_slowly_and_a_fresh_head_faster(scenario, rate, head_rate):
    config = ClassifierConfig(scenario=scenario, pretrained="imagenet")
    assert config.peak_rate == rate
    assert config.head_rate == pytest.approx(head_rate)


def test_from_scratch_everything_learns_at_one_rate():
    config = ClassifierConfig()
    assert config.peak_rate == config.head_rate == 1e-3
    assert ClassifierConfig(learning_rate=0.02).peak_rate == 0.02
