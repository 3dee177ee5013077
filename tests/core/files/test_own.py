"""Nothing below a folder of the program's own is reached through a link, and only what is ours is removed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.files.own import ForeignPathError, open_own, own_file, own_folder, remove_temporary, remove_tree, require_own

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    (folder / "deep").mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    (folder / "x.00c0ffee.tmp").write_text("mine")
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def test_the_root_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    (tmp_path / "link" / "a").mkdir()
    assert require_own(tmp_path / "link", tmp_path / "link" / "a" / "b")


@pytest.mark.parametrize("place", ["a", "a/b", "a/b/c"])
def test_a_link_at_any_part_is_refused(root: Path, elsewhere: Path, place: str) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).symlink_to(elsewhere)
    with pytest.raises(ForeignPathError, match="link"):
        require_own(root, root / "a" / "b" / "c")


@pytest.mark.parametrize("path", ["/etc/passwd", "{root}/../x", "{root}/a/../../x", "{root}"])
def test_a_path_outside_is_refused(root: Path, path: str) -> None:
    with pytest.raises(ForeignPathError):
        require_own(root, Path(path.format(root=root)))


def test_a_dangling_link_is_refused(root: Path) -> None:
    (root / "a").symlink_to(root / "nothing")
    with pytest.raises(ForeignPathError):
        own_folder(root, root / "a")
    with pytest.raises(ForeignPathError):
        own_file(root, root / "a")


def test_a_file_with_another_name_elsewhere_is_parted_from_it(root: Path, elsewhere: Path) -> None:
    os.link(elsewhere / "notes.txt", root / "journal")
    with open(own_file(root, root / "journal"), "a") as stream:
        stream.write(" and ours")
    assert (elsewhere / "notes.txt").read_text() == "mine"
    assert (root / "journal").read_text() == "mine and ours"


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_regular_file_is_refused(root: Path, kind: str) -> None:
    os.mkfifo(root / "x") if kind == "pipe" else (root / "x").mkdir()
    with pytest.raises(ForeignPathError, match="not a regular file"):
        own_file(root, root / "x")


def test_a_link_is_not_opened_for_writing(root: Path, elsewhere: Path) -> None:
    (root / "x").symlink_to(elsewhere / "notes.txt")
    with pytest.raises(OSError, match="symbolic"):
        open_own(root / "x", os.O_WRONLY | os.O_APPEND)


def test_only_temporary_files_of_the_programs_naming_are_removed(root: Path, elsewhere: Path) -> None:
    folder = root / "tmp"
    folder.mkdir()
    for name in ("ISIC_0000001.png.00c0ffee.tmp", "notes.txt", "draft.tmp", "draft.00C0FFEE.tmp"):
        (folder / name).write_text("x")
    (folder / "dir.00c0ffee.tmp").mkdir()
    (folder / "link.00c0ffee.tmp").symlink_to(elsewhere / "notes.txt")
    remove_temporary(root, folder)
    assert sorted(os.listdir(folder)) == [
        "dir.00c0ffee.tmp", "draft.00C0FFEE.tmp", "draft.tmp", "link.00c0ffee.tmp", "notes.txt",
    ]  # fmt: skip


def test_temporary_files_behind_a_link_stay(root: Path, elsewhere: Path) -> None:
    (root / "tmp").symlink_to(elsewhere)
    with pytest.raises(ForeignPathError):
        remove_temporary(root, root / "tmp")
    assert len(os.listdir(elsewhere)) == 3


def test_a_tree_is_removed_without_following_its_links(root: Path, elsewhere: Path) -> None:
    (root / "t").mkdir()
    (root / "t" / "link").symlink_to(elsewhere)
    remove_tree(root, root / "t", lambda folder: True)
    assert not (root / "t").exists()
    assert len(os.listdir(elsewhere)) == 3


def test_a_tree_that_is_not_ours_stays(root: Path) -> None:
    (root / "t").mkdir()
    with pytest.raises(ForeignPathError, match="not made by this program"):
        remove_tree(root, root / "t", lambda folder: False)
    assert (root / "t").is_dir()
