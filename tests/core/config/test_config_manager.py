from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.config.config_manager import SCHEMA, ConfigManager
from core.config.legacy import import_legacy, legacy_places
from core.errors import OutputError, UsageError
from core.generation import GenerationRequest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "настройки" / "config.json"


def test_every_default_is_allowed_by_its_own_setting() -> None:
    for setting in SCHEMA:
        assert setting.check(setting.default) == setting.default
        assert setting.title
        assert setting.description.endswith(".")
    assert len({setting.key for setting in SCHEMA}) == len(SCHEMA)


def test_defaults_agree_with_a_request_made_without_settings(tmp_path: Path) -> None:
    request = GenerationRequest(counts=(("MEL", 1),), models=tmp_path, output=tmp_path)
    config = ConfigManager(tmp_path / "none.json").load()
    for name in ("sampler", "steps", "seed", "device", "precision", "color"):
        assert config.get(f"generation.{name}") == getattr(request, name)


def test_what_was_saved_is_loaded(path: Path) -> None:
    config = ConfigManager(path).load()
    config.set("paths.output", "/данные/выход")
    config.set("generation.steps", 50)
    config.set("generation.guidance", 2)
    config.set("xai.enabled", True)
    config.save()
    again = ConfigManager(path).load()
    assert again.text("paths.output") == "/данные/выход"
    assert again.number("generation.steps") == 50
    assert again.real("generation.guidance") == 2.0
    assert again.flag("xai.enabled") is True
    assert again.notices == []
    assert again.folder("paths.output", Path("other")) == Path("/данные/выход")
    assert again.folder("paths.models", Path("other")) == Path("other")


def test_the_file_holds_only_what_was_chosen(path: Path) -> None:
    config = ConfigManager(path).load()
    config.set("ui.theme", "dark")
    config.set("generation.steps", 30)
    config.set("generation.steps", 20)  # the default again
    config.save()
    assert json.loads(path.read_text(encoding="utf-8")) == {"ui": {"theme": "dark"}}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("generation.steps", 0),
        ("generation.steps", 1001),
        ("generation.steps", "20"),
        ("generation.steps", 20.0),
        ("generation.steps", True),
        ("generation.guidance", float("nan")),
        ("generation.guidance", float("inf")),
        ("generation.sampler", "lms"),
        ("generation.color", 1),
        ("ui.language", None),
        ("paths.output", 3),
        ("no.such", 1),
    ],
)
def test_wrong_values_are_refused_with_words_and_change_nothing(path: Path, key: str, value: object) -> None:
    config = ConfigManager(path).load()
    with pytest.raises(UsageError) as caught:
        config.set(key, value)
    assert key in caught.value.message
    assert caught.value.remedy
    config.save()
    assert json.loads(path.read_text(encoding="utf-8")) == {}


def test_asking_for_the_wrong_type_is_a_mistake_in_the_program(path: Path) -> None:
    config = ConfigManager(path).load()
    for ask, key in ((config.text, "generation.steps"), (config.number, "xai.enabled"), (config.flag, "ui.theme"),
                     (config.real, "generation.steps")):  # fmt: skip
        with pytest.raises(TypeError):
            ask(key)


def test_unknown_keys_of_a_newer_version_survive(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"ui": {"theme": "dark", "sparkle": [1]}, "future": {"x": 1}, "version": 9}', encoding="utf-8")
    config = ConfigManager(path).load()
    config.set("ui.theme", "light")
    config.save()
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "ui": {"theme": "light", "sparkle": [1]},
        "future": {"x": 1},
        "version": 9,
    }


def test_one_bad_value_costs_only_itself(path: Path) -> None:
    path.parent.mkdir()
    path.write_text('{"generation": {"steps": -5, "seed": 7}}', encoding="utf-8")
    config = ConfigManager(path).load()
    assert (config.number("generation.steps"), config.number("generation.seed")) == (20, 7)
    assert len(config.notices) == 1
    assert "generation.steps" in config.notices[0]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"null", b"\x00" * 100, b"[" * 100_000])
def test_a_corrupt_file_is_set_aside_and_told(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    config = ConfigManager(path).load()
    assert config.number("generation.steps") == 20
    aside = [place for place in path.parent.iterdir() if ".corrupt-" in place.name]
    assert [place.read_bytes() for place in aside] == [content]
    assert aside[0].name in config.notices[0]
    config.save()
    assert ConfigManager(path).load().notices == []


def test_from_a_corrupt_file_the_copy_before_it_is_used(path: Path) -> None:
    config = ConfigManager(path).load()
    config.set("generation.seed", 1)
    config.save()
    config.set("generation.seed", 2)
    config.save()
    path.write_bytes(path.read_bytes()[:10])
    again = ConfigManager(path).load()
    assert again.number("generation.seed") == 1
    assert len(again.notices) == 1


@pytest.mark.parametrize("call", ["replace", "fsync", "write"])
@pytest.mark.parametrize("nth", [1, 2])
def test_whatever_fails_while_saving_nothing_saved_before_is_lost(path: Path, monkeypatch, call: str, nth: int) -> None:
    config = ConfigManager(path).load()
    config.set("generation.seed", 11)
    config.save()
    real, count = getattr(os, call), 0

    def failing(*arguments: object, **options: object) -> object:
        nonlocal count
        count += 1
        if count == nth:
            raise OSError(28, "No space left on device")
        return real(*arguments, **options)

    config.set("generation.seed", 12)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, failing)
        refused = _save_or_refusal(config)
    if count >= nth:
        assert refused is not None, "the planted error was swallowed"
        assert str(path) in refused.message
        assert refused.exit_code == 4
    again = ConfigManager(path).load()
    assert again.number("generation.seed") in (11, 12)
    assert again.notices == []


def _save_or_refusal(config: ConfigManager) -> OutputError | None:
    try:
        config.save()
    except OutputError as problem:
        return problem
    return None


OLD = {
    "paths": {"checkpoints": "relative", "output": None},
    "generation": {"inference_timesteps": 50, "seed_mode": "random", "seed_value": 42, "xai_frequency": 1},
    "ui": {"theme": "light", "language": "ru", "auto_save": True},
    "advanced": {"enable_color_postprocessing": True, "enable_xai": False},
}


def test_the_predecessors_defaults_are_not_taken_over() -> None:
    assert import_legacy(OLD) == {"generation.seed": 42, "ui.language": "ru", "generation.color": True}


def test_the_predecessors_choices_are_taken_over_once(path: Path, tmp_path: Path) -> None:
    models, output = tmp_path / "checkpoints", tmp_path / "выход"
    models.mkdir()
    output.mkdir()
    old = json.loads(json.dumps(OLD))
    old["paths"] = {"checkpoints": str(models), "output": str(output), "cache": 3}
    old["generation"] |= {"inference_timesteps": 200, "seed_value": 7, "xai_frequency": 4}
    old["advanced"] |= {"enable_xai": True, "enable_color_postprocessing": False}
    place = tmp_path / "old.json"
    place.write_text(json.dumps(old), encoding="utf-8")

    config = ConfigManager(path, legacy=[tmp_path / "missing.json", place]).load()
    expected = {
        "paths.models": str(models),
        "paths.output": str(output),
        "generation.steps": 200,
        "generation.sampler": "ddpm",
        "generation.seed": 7,
        "xai.enabled": True,
        "xai.every": 4,
        "generation.color": False,
        "ui.language": "ru",
        "ui.theme": "system",
    }
    assert {key: config.get(key) for key in expected} == expected
    assert str(place) in config.notices[0]

    place.write_text(json.dumps(OLD), encoding="utf-8")
    again = ConfigManager(path, legacy=[place]).load()
    assert again.number("generation.steps") == 200
    assert again.notices == []


@pytest.mark.parametrize("old", [{}, {"paths": 3}, {"generation": {"inference_timesteps": "many", "seed_value": -1}}])
def test_nonsense_of_the_predecessor_is_left_out(old: dict) -> None:
    values = import_legacy(old)
    assert set(values) <= {"generation.sampler"}


def test_an_unreadable_predecessor_is_no_obstacle(path: Path, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_bytes(b"\xff{")
    config = ConfigManager(path, legacy=[tmp_path / "old.json"]).load()
    assert config.notices == []
    assert not path.exists()


def test_where_the_predecessor_kept_its_settings() -> None:
    places = legacy_places({"APPDATA": "/roaming"})
    assert places[0] == Path("/roaming/ISICGenerator/config.json")
    assert Path.home() / ".config" / "ISICGenerator" / "config.json" in places


def test_windows_paths_of_the_predecessor_are_taken_over_where_they_exist_and_told_where_not(
    path: Path, tmp_path: Path
) -> None:
    here = tmp_path / "выход"
    here.mkdir()
    gone = "Q:\\Исследование\\checkpoints"
    old = {**OLD, "paths": {"checkpoints": gone, "output": str(here), "models": "relative"}}
    place = tmp_path / "old.json"
    place.write_text(json.dumps(old, ensure_ascii=False), encoding="utf-8-sig")
    config = ConfigManager(path, legacy=[place]).load()
    assert config.taken_over == place
    assert config.text("paths.output") == str(here)
    assert config.text("paths.models") == ""
    assert len(config.notices) == 2
    assert gone in config.notices[1]
    assert "choose it again" in config.notices[1]
    assert ConfigManager(path, legacy=[place]).load().taken_over is None


@pytest.mark.parametrize("text", ["C:\\data\\out", "\\\\server\\share\\out", "/srv/out", ""])
def test_whole_paths_of_either_family_are_folders(path: Path, text: str) -> None:
    config = ConfigManager(path).load()
    config.set("paths.output", text)
    assert config.text("paths.output") == text


@pytest.mark.parametrize("text", ["out", "./out", "~/out", "C:out", "/a\0b"])
def test_paths_that_depend_on_where_one_stands_are_refused(path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="full path"):
        ConfigManager(path).load().set("paths.output", text)


def test_what_was_chosen_is_told_in_the_order_of_the_schema(path: Path) -> None:
    config = ConfigManager(path).load()
    config.set("ui.theme", "dark")
    config.set("generation.steps", 7)
    assert list(config.chosen().items()) == [("generation.steps", 7), ("ui.theme", "dark")]
