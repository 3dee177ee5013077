"""Ratings: what was acknowledged is there, whoever else writes and whatever breaks."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.errors import DiskFullError, OutputError
from dataset.layout import Layout
from dataset.ratings import Rating, damaged_ratings, read_ratings, write_ratings
from dataset.synthetic_dataset import SyntheticDataset
from tests.support.broken_os import BrokenOS, Killed
from tests.support.datasets import assert_consistent, generate

ONE, TWO = ("MEL", "ISIC_0000001.png"), ("NV", "ISIC_0000001.png")
ROOT = Path(__file__).resolve().parents[2]


def test_the_last_word_about_an_image_counts_and_none_is_no_rating(tmp_path):
    assert read_ratings(tmp_path) == {}
    write_ratings(tmp_path, {ONE: Rating(3), TWO: Rating(5)})
    write_ratings(tmp_path, {ONE: Rating(4, rejected=True)})
    assert read_ratings(tmp_path) == {ONE: Rating(4, rejected=True), TWO: Rating(5)}
    write_ratings(tmp_path, {ONE: Rating()})
    assert read_ratings(tmp_path) == {TWO: Rating(5)}


def test_an_image_is_rated_while_a_run_holds_the_folder_and_the_folder_does_not_mind(tmp_path):
    generate(tmp_path, "MEL=1,NV=1")
    with SyntheticDataset.open(tmp_path):
        write_ratings(tmp_path, {ONE: Rating(2)})
    assert_consistent(tmp_path)
    with SyntheticDataset.open(tmp_path) as dataset:
        assert dataset.notices == ()
    assert read_ratings(tmp_path) == {ONE: Rating(2)}


def test_a_rating_comes_back_with_its_image_from_the_trash(tmp_path):
    generate(tmp_path, "MEL=1")
    write_ratings(tmp_path, {ONE: Rating(5)})
    with SyntheticDataset.open(tmp_path) as dataset:
        deletion = dataset.trash.delete([tmp_path.joinpath(*ONE)])
        dataset.trash.restore(deletion.trash_id)
    assert read_ratings(tmp_path)[ONE] == Rating(5)


@pytest.mark.parametrize("rating", [Rating(6), Rating(-1), Rating(True), Rating(2.0), Rating(1, rejected=1)])
def test_an_impossible_rating_is_not_written(tmp_path, rating):
    with pytest.raises(ValueError, match="no rating"):
        write_ratings(tmp_path, {TWO: Rating(1), ONE: rating})
    assert read_ratings(tmp_path) == {}


@pytest.mark.parametrize("key", [("XYZ", "a.png"), ("MEL", "../NV/a.png"), ("MEL", "")])
def test_a_rating_of_what_is_no_image_of_the_folder_is_not_written(tmp_path, key):
    with pytest.raises(ValueError, match="No file of a class folder"):
        write_ratings(tmp_path, {key: Rating(1)})


@pytest.mark.parametrize(
    "rubbish",
    [b"{\n", b"\xff\n", b"[]\n", b"null\n", b'{"class": "MEL"}\n', b'{"class": [], "file": "x", "stars": 1}\n'],
)
def test_a_line_that_cannot_be_understood_is_passed_over(tmp_path, rubbish):
    write_ratings(tmp_path, {ONE: Rating(1)})
    with Layout(tmp_path).ratings.open("ab") as file:
        file.write(rubbish)
    write_ratings(tmp_path, {TWO: Rating(2)})
    assert read_ratings(tmp_path) == {ONE: Rating(1), TWO: Rating(2)}
    assert damaged_ratings(tmp_path) == (2,)
    with Layout(tmp_path).ratings.open("ab") as file:
        file.write(b'{"class"')  # by a window that is at it
    assert damaged_ratings(tmp_path) == (2,)


@pytest.mark.parametrize("error", [Killed, lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))])
def test_what_breaks_off_anywhere_harms_neither_what_was_there_nor_what_comes(tmp_path, monkeypatch, error):
    for at in range(1, 8):
        folder = tmp_path / str(at)
        write_ratings(folder, {ONE: Rating(1)})
        system = BrokenOS(at, error, lasting=True, torn=True)
        with system.installed(monkeypatch):
            try:
                write_ratings(folder, {TWO: Rating(2)})
            except (Killed, DiskFullError):
                assert system.fired
        write_ratings(folder, {("BKL", "x.png"): Rating(3)})
        found = read_ratings(folder)
        assert (found[ONE], found["BKL", "x.png"]) == (Rating(1), Rating(3))
        assert system.fired or found[TWO] == Rating(2)
    assert not system.fired


def test_a_protected_folder_is_told_in_words(tmp_path, monkeypatch):
    def refuse(path, *arguments):
        raise PermissionError(errno.EACCES, "no", str(path))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OutputError, match="protected or open in another program"):
        write_ratings(tmp_path, {ONE: Rating(1)})


def test_two_programs_that_rate_at_once_lose_nothing(tmp_path):
    script = (
        "import sys; from pathlib import Path; from dataset.ratings import *\n"
        "for n in range(60): write_ratings(Path(sys.argv[1]), {('MEL', f'{sys.argv[2]}-{n}.png'): Rating(n % 5 + 1)})"
    )
    workers = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), name], cwd=ROOT) for name in "ab"]
    assert [worker.wait() for worker in workers] == [0, 0]
    expected = {("MEL", f"{name}-{n}.png"): Rating(n % 5 + 1) for name in "ab" for n in range(60)}
    assert read_ratings(tmp_path) == expected
