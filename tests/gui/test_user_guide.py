"""The user guide says what the window does now: every key, every picture, nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

from gui.common.keys import Area
from gui.shell.main_window import MainWindow

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "user-guide.md"
LARGEST_PICTURE = 300_000


def rows(window: MainWindow) -> list[str]:
    """The rows of the table of keys, as the guide must have them."""
    keys = window.session.keys
    ordered = [key for area in Area for key in keys.table if key.area is area and keys.keys_of(key.id)]
    return [f"| {key.words.rstrip('…')} | {keys.hints(key.id)} |" for key in ordered]


def test_every_key_is_in_the_guide(window: MainWindow) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    table = text.split("| command | keys |\n|---|---|\n")[1].split("\n\n")[0].splitlines()
    assert table == rows(window)


def test_pictures_are_there_small_and_told_of() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    named = re.findall(r"!\[([^\]]+)\]\((images/[^)]+)\)", text)
    assert named
    for words, path in named:
        file = GUIDE.parent / path
        assert words
        assert file.stat().st_size < LARGEST_PICTURE, path
        with Image.open(file) as picture:
            picture.verify()


def test_pages_it_points_to_are_there() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for path in re.findall(r"\]\(([^)#:]+\.md)\)", text):
        assert (GUIDE.parent / path).is_file(), path


def test_no_place_of_another_machine_is_named() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert not re.search(r"/(home|root|tmp|work)/", text)
