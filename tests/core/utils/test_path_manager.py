from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.home import expanded
from core.utils.path_manager import MAX_COMPONENT_BYTES, PathManager

ROOT = Path(__file__).resolve().parents[3]


def test_the_project_is_found_from_anywhere(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert PathManager().project_root == ROOT
    assert (PathManager().project_root / "main.py").is_file()
    assert PathManager().default_models_dir == ROOT / "starter"


def test_one_variable_moves_every_folder_of_the_user(tmp_path: Path) -> None:
    paths = PathManager(environment={"ISICGUI_HOME": str(tmp_path / "дом")})
    folders = [paths.default_output_dir, paths.config_dir, paths.log_dir, paths.cache_dir]
    assert [folder.parent for folder in folders] == [tmp_path / "дом"] * 4
    assert len(set(folders)) == 4
    assert not (tmp_path / "дом").exists(), "asking creates nothing"


def test_a_relative_home_does_not_follow_the_current_folder(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert PathManager(environment={"ISICGUI_HOME": "here"}).log_dir == tmp_path / "here" / "logs"


def test_without_it_the_folders_are_the_users_own() -> None:
    paths = PathManager(environment={})
    assert paths.default_output_dir == Path.home() / "ISICGUI" / "output"
    for folder in (paths.config_dir, paths.log_dir, paths.cache_dir):
        assert folder.is_absolute()
        assert "ISICGUI" in folder.parts
        assert ROOT not in folder.parents


def test_checkpoints_lie_beside_a_checkout_and_among_the_users_data_otherwise(tmp_path: Path) -> None:
    assert PathManager().checkpoints_dir == ROOT / "checkpoints"
    installed = PathManager(tmp_path / "site-packages", environment={})
    assert installed.checkpoints_dir.name == "checkpoints"
    assert "ISICGUI" in installed.checkpoints_dir.parts
    assert tmp_path not in installed.checkpoints_dir.parents
    moved = PathManager(tmp_path / "site-packages", environment={"ISICGUI_HOME": str(tmp_path / "home")})
    assert moved.checkpoints_dir == tmp_path / "home" / "checkpoints"


def test_isic_names() -> None:
    assert PathManager.isic_name(1) == "ISIC_0000001"
    assert PathManager.isic_name(12_345_678) == "ISIC_12345678"
    with pytest.raises(ValueError, match="-1"):
        PathManager.isic_name(-1)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("MEL", "MEL"),
        ("анализ 1", "анализ 1"),
        ("a/b\\c:d*e?f", "a_b_c_d_e_f"),
        ("..", "_"),
        ("", "_"),
        ("  spaced. ", "spaced"),
        ("CON", "_CON"),
        ("com1.png", "_com1.png"),
        ("console", "console"),
        ("e\u0301", "\u00e9"),
    ],
)
def test_safe_components(name: str, safe: str) -> None:
    assert PathManager.safe_component(name) == safe


@given(st.text())
def test_every_text_becomes_one_name_that_every_system_takes(name: str) -> None:
    safe = PathManager.safe_component(name)
    assert safe
    assert not set(safe) & {*'<>:"/\\|?*', *map(chr, range(32)), "\x7f"}
    assert safe not in {".", ".."}
    assert not safe.endswith((".", " "))
    assert len(safe.encode("utf-8", errors="replace")) <= MAX_COMPONENT_BYTES
    assert PathManager.safe_component(safe) == safe
    assert Path("x", safe).parent == Path("x")


def test_an_account_without_a_home_gets_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ISICGUI_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    paths = PathManager()
    for folder in (paths.config_dir, paths.log_dir, paths.cache_dir, paths.default_output_dir):
        assert folder.is_absolute()
        assert "~" not in str(folder)


def test_a_name_that_nobody_has_stays_as_it_was_typed() -> None:
    assert expanded("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")
