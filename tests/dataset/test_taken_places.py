"""What lies where the next image would go, whatever it is: it stays, its number is taken, and all goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.files.own import ForeignPathError
from core.generator.finishing import Trajectory, move_trajectory
from dataset.layout import Layout
from dataset.reading import read_records
from dataset.synthetic_dataset import SyntheticDataset
from tests.support.datasets import (
    assert_consistent,
    generate,
    image_files,
    make_recipe,
    make_request,
    pixels_of,
    plan,
    resume,
)

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs links and pipes")


def _folder(place: Path) -> None:
    place.mkdir()
    (place / "mine.txt").write_text("mine")


PUT: dict[str, Callable[[Path], object]] = {
    "a file": lambda place: place.write_text("mine"),
    "a folder": _folder,
    "a pipe": os.mkfifo,
    "a link to nothing": lambda place: place.symlink_to("nothing"),
    "a link to itself": lambda place: place.symlink_to(place.name),
    "a link to a file": lambda place: place.symlink_to("ISIC_0000001.json"),
}
NAMES = ("MEL/ISIC_0000003.png", "MEL/ISIC_0000003.json", "trajectories/MEL/ISIC_0000003.npz")


def described(place: Path) -> tuple[object, ...]:
    """Return what lies somewhere, without following it."""
    found = os.lstat(place)
    inside = sorted(os.listdir(place)) if place.is_dir() and not place.is_symlink() else ()
    return found.st_mode, found.st_ino, inside, os.readlink(place) if place.is_symlink() else ""


@pytest.fixture
def output(tmp_path: Path) -> Path:
    generate(tmp_path / "out", "MEL=2")
    (tmp_path / "out/trajectories/MEL").mkdir(parents=True)
    return tmp_path / "out"


@pytest.mark.parametrize("what", PUT)
@pytest.mark.parametrize("name", NAMES)
def test_it_stays_and_the_next_images_go_past_it(output: Path, name: str, what: str):
    PUT[what](output / name)
    before = described(output / name)
    generate(output, "MEL=2")
    resume(output)
    generate(output, "MEL=1")
    assert described(output / name) == before
    own = [path.name for path in image_files(output) if path.name != "ISIC_0000003.png"]
    assert own == [f"ISIC_000000{number}.png" for number in (1, 2, 4, 5, 6)]
    assert len([record for record in read_records(output) if record.run_id]) == 5


@pytest.mark.parametrize("what", PUT)
def test_what_was_put_there_while_a_run_was_interrupted_stays_too(output: Path, what: str):
    request = make_request(output, "MEL=1")
    with SyntheticDataset.open(output) as dataset:
        dataset.begin_run(request, plan(dataset, request))  # number 3, not made yet
    place = output / "MEL/ISIC_0000003.json"
    PUT[what](place)
    before = described(place)
    resume(output)
    assert described(place) == before
    assert [path.name for path in image_files(output)][-1] == "ISIC_0000004.png"


@pytest.mark.parametrize("what", PUT)
def test_what_lies_in_place_of_a_sidecar_that_is_missing_stays(output: Path, what: str):
    place = output / "MEL/ISIC_0000002.json"
    place.unlink()
    PUT[what](place)
    before = described(place)
    generate(output, "NV=1")
    assert described(place) == before
    assert len(image_files(output)) == 3


def test_an_own_sidecar_is_no_stranger(output: Path):
    """A process died behind picture and sidecar, or the picture was lost: the number is used all the same."""
    request = make_request(output, "MEL=1")
    for lose_the_picture in (False, True):
        with SyntheticDataset.open(output) as dataset:
            run = dataset.begin_run(request, plan(dataset, request))
            slot, pixels = run.slots[0], pixels_of(run.slots[0].planned.seed)
            first = dataset.store(run, slot, pixels, make_recipe(slot.planned))
            if lose_the_picture:
                first.unlink()
            assert dataset.store(run, slot, pixels, make_recipe(slot.planned)) == first
    SyntheticDataset.open(output).close()
    assert_consistent(output)


def drawn() -> Trajectory:
    trajectory = Trajectory(lambda pictures: pictures)
    trajectory._noisy = trajectory._predicted = [np.zeros((1, 8, 8, 3), np.uint8)]
    trajectory._timesteps = [1.0]
    return trajectory


@pytest.mark.parametrize("what", PUT)
def test_a_trajectory_never_takes_the_place_of_anything_else(output: Path, what: str):
    layout = Layout(output)
    place = layout.trajectory("MEL", "ISIC_0000003")
    PUT[what](place)
    before = described(place)
    with pytest.raises(ForeignPathError, match=r"ISIC_0000003\.npz"):
        drawn().save(0, layout, "MEL", "ISIC_0000003")
    whole = drawn().save(0, layout, "MEL", "ISIC_0000004")
    with pytest.raises(ForeignPathError, match=r"ISIC_0000003\.npz"):
        move_trajectory(whole, "ISIC_0000003")
    assert described(place) == before


def test_a_trajectory_that_a_killed_process_left_is_written_again(output: Path):
    first = drawn().save(0, Layout(output), "MEL", "ISIC_0000003")
    assert drawn().save(0, Layout(output), "MEL", "ISIC_0000003") == first
