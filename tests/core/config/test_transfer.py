from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.config.config_manager import SCHEMA, ConfigManager
from core.config.transfer import export_settings, plan_import
from core.errors import InputRefusedError, OutputError


@pytest.fixture
def config(tmp_path: Path) -> ConfigManager:
    made = ConfigManager(tmp_path / "own" / "config.json", legacy=()).load()
    made.set("generation.steps", 33)
    made.set("ui.theme", "dark")
    return made


def apply(config: ConfigManager, source: Path) -> None:
    for change in plan_import(config, source).changes:
        config.set(change.setting.key, change.after)


def test_what_is_exported_makes_another_machine_the_same(config: ConfigManager, tmp_path: Path) -> None:
    export_settings(config, tmp_path / "настройки.json")
    other = ConfigManager(tmp_path / "other.json", legacy=()).load()
    other.set("generation.seed", 7)  # a default in the file, another value here: the file decides
    apply(other, tmp_path / "настройки.json")
    assert {s.key: other.get(s.key) for s in SCHEMA} == {s.key: config.get(s.key) for s in SCHEMA}


def test_the_preview_names_what_changes_and_changes_nothing(config: ConfigManager, tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    file.write_text(
        json.dumps({"ui": {"theme": "light", "sparkle": 1}, "generation": {"steps": 33, "seed": 9}, "future": 3})
    )
    plan = plan_import(config, file)
    assert [(c.setting.key, c.before, c.after) for c in plan.changes] == [
        ("generation.seed", 42, 9),
        ("ui.theme", "dark", "light"),
    ]
    assert plan.unknown == ("ui.sparkle", "future")
    assert config.get("ui.theme") == "dark"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Expecting value"),
        (b"{", ""),
        (b"[1]", "no JSON object"),
        (b"\xff\xfe\x00", ""),
        (b"{}", "no setting of this program"),
        (b'{"future": {"x": 1}}', "no setting of this program"),
        (b"[" * 100_000, "too deeply"),
        (b" " * 2_000_000, "far too large"),
        (b'{"generation": {"seed": 9, "steps": 0}}', "a whole number from 1 to 1000"),
        (b'{"generation": {"seed": 9, "guidance": NaN}}', "generation.guidance"),
        (b'{"ui": {"theme": "pink"}, "generation": {"seed": 9}}', "one of system, light, dark"),
        (b'{"generation": {"seed": 9, "device": "tpu"}}', "auto, cpu, cuda or cuda:N"),
        (b'{"paths": {"output": "relative/folder"}}', "the full path of a folder"),
    ],
)
def test_a_bad_file_is_refused_in_words_and_nothing_is_half_imported(
    config: ConfigManager, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    before = {setting.key: config.get(setting.key) for setting in SCHEMA}
    with pytest.raises(InputRefusedError) as caught:
        plan_import(config, file)
    assert words in caught.value.message
    assert str(file) in caught.value.message
    assert caught.value.remedy.startswith("Nothing was changed.")
    assert {setting.key: config.get(setting.key) for setting in SCHEMA} == before


def test_a_file_that_is_not_there_or_cannot_be_written_is_told(config: ConfigManager, tmp_path: Path) -> None:
    with pytest.raises(InputRefusedError, match=r"missing\.json"):
        plan_import(config, tmp_path / "missing.json")
    with pytest.raises(OutputError, match="nowhere"):
        export_settings(config, tmp_path / "nowhere" / "out.json")


def test_the_predecessors_file_can_be_imported_too(config: ConfigManager, tmp_path: Path) -> None:
    old = {"paths": {"output": str(tmp_path)}, "ui": {"language": "ru"}, "advanced": {"enable_xai": False}}
    (tmp_path / "old.json").write_text(json.dumps(old))
    keys = [change.setting.key for change in plan_import(config, tmp_path / "old.json").changes]
    assert keys == ["paths.output", "ui.language"]
