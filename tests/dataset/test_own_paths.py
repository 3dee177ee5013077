"""Nothing outside an output folder is written or deleted, whatever its own paths are links to or name."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from core.errors import OutputError
from core.files.folder_lock import is_locked, who_holds
from core.files.own import ForeignPathError
from dataset.layout import Layout
from dataset.ratings import Rating, read_ratings, write_ratings
from dataset.reading import read_deletions, read_records
from dataset.synthetic_dataset import SyntheticDataset
from tests.support.datasets import (
    assert_consistent,
    fill,
    generate,
    image_files,
    make_request,
    pixels_by_seed,
    plan,
    table_rows,
)
from tests.support.sentinel import snapshot

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links need a privilege on Windows")

TRASH_ID = "20260101-101010-abcdef"
FOLDERS = (
    ".isicgui",
    ".isicgui/tmp",
    ".isicgui/inputs",
    ".isicgui/trash",
    f".isicgui/trash/{TRASH_ID}",
    f".isicgui/trash/{TRASH_ID}/MEL",
    f".isicgui/trash/{TRASH_ID}/trajectories",
    "MEL",
    "trajectories",
    "trajectories/MEL",
    "xai_results",
)
FILES = (
    ".isicgui/lock",
    ".isicgui/lock.json",
    ".isicgui/journal.jsonl",
    ".isicgui/ratings.jsonl",
    "synthetic_dataset.csv",
)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    generate(folder, "MEL=2,NV=1")
    write_ratings(folder, {("MEL", "ISIC_0000001.png"): Rating(4)})
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """What belongs to somebody else, with everything in it that a careless program would take for its own."""
    folder = tmp_path / "elsewhere"
    shutil.copytree(generated(tmp_path / "other"), folder)
    for name in ("notes.txt", "ISIC_0000001.png.00c0ffee.tmp", f"{TRASH_ID}/MEL/ISIC_0000001.png", "MEL/notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine")
    return folder


def generated(folder: Path) -> Path:
    generate(folder, "MEL=2")
    return folder


def use(output: Path) -> None:
    """Everything that writes to an output folder."""
    generate(output, "MEL=1,NV=1")
    write_ratings(output, {("MEL", "ISIC_0000002.png"): Rating(2)})
    with SyntheticDataset.open(output) as dataset:
        dataset.trash.delete([image_files(output)[0]])
        dataset.trash.empty()


def look(output: Path) -> None:
    """Everything that reads an output folder without its lock."""
    for reader in (read_records, read_ratings, read_deletions):
        with suppress(ForeignPathError):
            reader(output)
    is_locked(Layout(output).state)
    who_holds(Layout(output).state)


@pytest.mark.parametrize("dangling", [False, True])
@pytest.mark.parametrize("place", FOLDERS)
def test_a_link_where_a_folder_of_its_own_should_be_is_refused_and_not_followed(output, elsewhere, place, dangling):
    path = output / place
    if path.exists():
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(elsewhere / "nowhere" if dangling else elsewhere)
    before = snapshot(elsewhere)
    with pytest.raises(ForeignPathError, match=str(path)) as refused:
        SyntheticDataset.open(output)
    assert refused.value.exit_code == 4
    look(output)
    if place == ".isicgui":
        with pytest.raises(ForeignPathError):
            write_ratings(output, {("MEL", "ISIC_0000001.png"): Rating(1)})
    assert snapshot(elsewhere) == before


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
@pytest.mark.parametrize("place", FILES)
def test_something_else_where_a_file_of_its_own_should_be_is_refused_at_once(output, elsewhere, place, kind):
    path = output / place
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(elsewhere / ("notes.txt" if kind == "link" else "nothing"))
    before = snapshot(elsewhere)
    with pytest.raises(ForeignPathError, match=str(path)):
        SyntheticDataset.open(output)
    look(output)
    if "ratings" in place:
        with pytest.raises(ForeignPathError):
            write_ratings(output, {("MEL", "ISIC_0000001.png"): Rating(1)})
    assert snapshot(elsewhere) == before


@pytest.mark.parametrize("place", FILES)
def test_a_file_that_has_a_second_name_elsewhere_keeps_its_content_there(output, tmp_path, place):
    other = tmp_path / "backup"
    (output / place).touch()
    os.link(output / place, other)
    before = other.read_bytes()
    use(output)
    assert other.read_bytes() == before
    assert_consistent(output)


def test_a_lock_that_is_a_file_of_somebody_else_is_not_emptied(output, elsewhere):
    lock = Layout(output).state / "lock"
    lock.unlink(missing_ok=True)
    os.link(elsewhere / "notes.txt", lock)
    with pytest.raises(ForeignPathError, match="lock"):
        SyntheticDataset.open(output)
    assert is_locked(Layout(output).state)
    assert (elsewhere / "notes.txt").read_text() == "mine"


def test_the_output_folder_itself_may_be_a_link(output, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(output)
    use(link)
    assert_consistent(output)


def test_links_that_a_person_keeps_among_the_images_lead_nowhere(output, elsewhere):
    (output / "MEL" / "ISIC_0000001.json").unlink()
    (output / "MEL" / "ISIC_0000001.json").symlink_to(elsewhere / "notes.txt")
    (output / "MEL" / "ISIC_0000009.png").symlink_to(elsewhere / "MEL" / "ISIC_0000001.png")
    (output / "MEL" / "ISIC_0000010.png").symlink_to(elsewhere / "nothing")
    before = snapshot(elsewhere)
    use(output)
    with SyntheticDataset.open(output) as dataset:
        dataset.trash.delete([output / "MEL" / "ISIC_0000009.png"])
        dataset.trash.empty()
    assert snapshot(elsewhere) == before


def append(output: Path, *lines: object) -> None:
    with Layout(output).journal.open("a") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def run_line(plan: object, run_id: str = "x") -> dict[str, object]:
    request = {"counts": {"MEL": 1}, "models": "/models", "output": "/elsewhere"}
    return {"type": "run", "format": 1, "run_id": run_id, "request": request, "plan": plan}


@pytest.mark.parametrize("where", ["{elsewhere}", "../elsewhere", "{elsewhere}/MEL", ".isicgui", "MEL/..", "."])
def test_a_plan_cannot_lead_to_files_elsewhere(output, elsewhere, where):
    (elsewhere / "ISIC_0000009.json").write_text("mine")
    place = where.format(elsewhere=elsewhere)
    columns = {"numbers": [9, 1], "indices": [0, 1], "seeds": [9, 10]}
    append(output, run_line({place: columns}), {"type": "discard", "run_id": "x"})
    before, kept = snapshot(elsewhere), pixels_by_seed(output)
    with SyntheticDataset.open(output):
        pass
    assert snapshot(elsewhere) == before
    assert pixels_by_seed(output) == kept
    assert_consistent(output)


def test_discarding_removes_only_what_its_run_made(output):
    mel = output / "MEL"
    for name in ("ISIC_0000001.json", "ISIC_0000077.json", "ISIC_0000078.png"):
        (mel / name).write_text("mine")
    (mel / "ISIC_0000079.json").write_text(json.dumps({"recipe": {"run_id": "other"}}))
    frames = Layout(output).trajectory("MEL", "ISIC_0000077")
    frames.parent.mkdir(parents=True)
    frames.write_bytes(b"not an archive")
    numbers = [1, 2, 77, 78, 79]
    columns = {"numbers": numbers, "indices": numbers, "seeds": numbers}
    append(output, run_line({"MEL": columns}), {"type": "discard", "run_id": "x"})
    before = snapshot(mel)
    with SyntheticDataset.open(output):
        pass
    assert snapshot(mel) == before
    assert frames.read_bytes() == b"not an archive"


@pytest.mark.parametrize("name", ["my photographs", "MEL", TRASH_ID, "20260101-101010-ABCDEF"])
def test_what_a_person_keeps_in_the_trash_stays(output, name):
    place = Layout(output).trash / name
    (place / "MEL").mkdir(parents=True)
    (place / "MEL" / "notes.txt").write_text("mine")
    (place / "holiday.jpg").write_text("mine")
    (Layout(output).trash / "loose.txt").write_text("mine")
    before = snapshot(Layout(output).trash)
    use(output)
    assert snapshot(Layout(output).trash) == before
    assert read_deletions(output) == []


def test_what_a_person_adds_to_a_deletion_stays_when_the_trash_is_emptied(output):
    with SyntheticDataset.open(output) as dataset:
        deletion = dataset.trash.delete([image_files(output)[0]])
        place = Layout(output).trashed(deletion.trash_id).class_dir("MEL")
        (place / "notes.txt").write_text("mine")
        assert dataset.trash.empty() == 1
    assert [path.name for path in place.iterdir()] == ["notes.txt"]
    with SyntheticDataset.open(output) as dataset:
        assert dataset.trash.deletions == ()
    assert (place / "notes.txt").read_text() == "mine"


def test_only_temporary_files_of_its_own_are_removed(output):
    tmp = Layout(output).temporary
    (tmp / "thesis.docx").write_text("mine")
    (tmp / "folder").mkdir()
    (tmp / "ISIC_0000009.png.ab12cd34.tmp").write_text("half")
    use(output)
    assert sorted(path.name for path in tmp.iterdir()) == ["folder", "thesis.docx"]


def test_a_class_folder_that_becomes_a_link_during_a_run_is_not_written_through(output, elsewhere):
    before = snapshot(elsewhere)
    request = make_request(output, "BKL=1")
    with SyntheticDataset.open(output) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        (output / "BKL").symlink_to(elsewhere)
        with pytest.raises(OutputError):
            fill(dataset, run)
    assert snapshot(elsewhere) == before
    (output / "BKL").unlink()
    assert len(table_rows(output)) == 3
