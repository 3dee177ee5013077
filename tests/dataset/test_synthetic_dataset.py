"""Storing, numbering, resuming, discarding: the everyday life of an output folder."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import OutputError
from core.generation import GenerationRequest
from core.images import read_image
from dataset.layout import Layout
from dataset.png import PNG_KEY, read_recipe
from dataset.synthetic_dataset import SyntheticDataset, read_records
from tests.support.datasets import (
    assert_consistent,
    fill,
    generate,
    image_files,
    make_recipe,
    make_request,
    pixels_by_seed,
    pixels_of,
    plan,
    resume,
    table_rows,
)


def numbers(output, code):
    return [int(path.stem[5:]) for path in image_files(output) if path.parent.name == code]


def test_a_stored_image_is_the_picture_its_recipe_its_sidecar_and_its_row(tmp_path):
    run = generate(tmp_path, "MEL=1")
    (path,) = image_files(tmp_path)
    assert path == tmp_path / "MEL" / "ISIC_0000001.png"
    np.testing.assert_array_equal(read_image(path), pixels_of(2133561722))
    recipe = read_recipe(path)
    assert (recipe.seed, recipe.run_id, recipe.index) == (2133561722, run.run_id, 0)
    sidecar = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    legacy = {
        "filename": "ISIC_0000001.png",
        "class": "MEL",
        "seed": 2133561722,
        "inference_steps": 20,
        "device": "cpu",
    }
    assert legacy.items() <= sidecar.items()
    assert sidecar["recipe"]["noise_hash"] == sidecar["noise_hash"] == recipe.noise_hash
    assert set(sidecar["model"]) == {"model_path", "loaded_at", "device"}
    assert set(sidecar["scheduler"]) == {"num_train_timesteps", "beta_schedule", "prediction_type"}
    (row,) = table_rows(tmp_path)
    assert list(row)[:5] == ["filename", "class", "isic_number", "source", "generated_at"]
    assert (row["filename"], row["class"], row["isic_number"], row["source"]) == (
        "ISIC_0000001.png",
        "MEL",
        "1",
        "synthetic",
    )
    assert row["generated_at"] == str(path.stat().st_mtime)
    assert (row["seed"], row["run_id"]) == ("2133561722", run.run_id)
    assert_consistent(tmp_path)


def test_numbers_that_json_does_not_know_are_written_as_text(tmp_path):
    """Every reader of JSON takes the sidecar, the journal and the recipe inside; they come back as the numbers."""

    def strict(text):
        return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))

    generate(tmp_path, "MEL=1")
    (path,) = image_files(tmp_path)
    with Image.open(path) as image:
        inside = strict(image.info[PNG_KEY])
    beside = strict(path.with_suffix(".json").read_text(encoding="utf-8"))
    for line in Layout(tmp_path).journal.read_text(encoding="utf-8").splitlines():
        strict(line)
    assert inside["scheduler"]["lambda_min_clipped"] == "-Infinity"
    assert beside["recipe"]["scheduler"]["lambda_min_clipped"] == "-Infinity"
    assert read_recipe(path).scheduler["lambda_min_clipped"] == float("-inf")


def test_a_second_run_continues_numbers_and_seeds_and_leaves_the_first_alone(tmp_path):
    generate(tmp_path, "MEL=2,NV=1")
    before = {path: path.read_bytes() for path in image_files(tmp_path)}
    generate(tmp_path, "MEL=2,NV=1")
    assert numbers(tmp_path, "MEL") == [1, 2, 3, 4]
    assert numbers(tmp_path, "NV") == [1, 2]
    assert all(path.read_bytes() == data for path, data in before.items())
    assert_consistent(tmp_path)


def test_an_interrupted_run_is_resumed_with_the_same_seeds_and_numbers(tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    generate(whole, "MEL=3,NV=2")
    request = make_request(broken, "MEL=3,NV=2")
    with SyntheticDataset.open(broken) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        for slot in run.pending[:2]:
            dataset.store(run, slot, pixels_of(slot.planned.seed), make_recipe(slot.planned))
        assert len(run.done) == 2
    with SyntheticDataset.open(broken) as dataset:
        (again,) = dataset.unfinished()
        assert again.request == GenerationRequest.from_json(request.to_json())
        assert again.pending == run.slots[2:]
        assert again.status is None
    resume(broken)
    assert pixels_by_seed(broken) == pixels_by_seed(whole)
    assert [p.relative_to(broken) for p in image_files(broken)] == [p.relative_to(whole) for p in image_files(whole)]
    assert_consistent(broken)


@pytest.mark.parametrize(("status", "resumable"), [("stopped", True), ("failed", True), ("completed", False)])
def test_how_a_run_ended_decides_whether_it_can_be_resumed(tmp_path, status, resumable):
    request = make_request(tmp_path)
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        dataset.end_run(run, status)
        assert bool(dataset.unfinished()) is resumable
    with SyntheticDataset.open(tmp_path) as dataset:
        assert [r.status for r in dataset.unfinished()] == ([status] if resumable else [])


def test_a_new_run_leaves_the_seeds_and_numbers_of_an_interrupted_one_to_it(tmp_path):
    request = make_request(tmp_path, "MEL=3")
    with SyntheticDataset.open(tmp_path) as dataset:
        dataset.begin_run(request, plan(dataset, request))
    generate(tmp_path, "MEL=2")
    assert numbers(tmp_path, "MEL") == [4, 5]
    resume(tmp_path)
    assert numbers(tmp_path, "MEL") == [1, 2, 3, 4, 5]
    assert_consistent(tmp_path)


def test_a_folder_that_was_moved_resumes_where_it_is_now(tmp_path):
    request = make_request(tmp_path / "old", "MEL=2")
    with SyntheticDataset.open(tmp_path / "old") as dataset:
        dataset.begin_run(request, plan(dataset, request))
    shutil.move(tmp_path / "old", tmp_path / "new")
    with SyntheticDataset.open(tmp_path / "new") as dataset:
        assert dataset.unfinished()[0].request.output == tmp_path / "new"
    resume(tmp_path / "new")
    assert numbers(tmp_path / "new", "MEL") == [1, 2]
    assert not (tmp_path / "old").exists()


def test_discarding_takes_back_this_run_only(tmp_path):
    generate(tmp_path, "MEL=2")
    before = pixels_by_seed(tmp_path)
    request = make_request(tmp_path, "MEL=3,BCC=1")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        fill(dataset, run)
        trajectory = Layout(tmp_path).trajectory("MEL", "ISIC_0000003")
        trajectory.parent.mkdir(parents=True)
        trajectory.write_bytes(b"frames")
        dataset.discard_run(run)
        assert run.status == "discarded"
        assert dataset.unfinished() == ()
        assert len(dataset.seeds("MEL")) == 2
    assert pixels_by_seed(tmp_path) == before
    assert not trajectory.exists()
    assert sorted(p.name for p in (tmp_path / "MEL").iterdir()) == [
        "ISIC_0000001.json", "ISIC_0000001.png", "ISIC_0000002.json", "ISIC_0000002.png",
    ]  # fmt: skip
    assert_consistent(tmp_path)
    generate(tmp_path, "MEL=1")
    assert numbers(tmp_path, "MEL") == [1, 2, 6]  # the discarded numbers are not used again


def test_a_foreign_picture_under_a_reserved_number_is_not_overwritten(tmp_path):
    request = make_request(tmp_path, "MEL=2")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        (tmp_path / "MEL").mkdir()
        (tmp_path / "MEL" / "ISIC_0000001.png").write_bytes(b"mine")
        fill(dataset, run)
    assert (tmp_path / "MEL" / "ISIC_0000001.png").read_bytes() == b"mine"
    assert [r.isic_number for r in read_records(tmp_path) if r.run_id] == [3, 2]


def test_discarding_leaves_a_foreign_picture_under_a_reserved_number(tmp_path):
    request = make_request(tmp_path, "MEL=2")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        (tmp_path / "MEL").mkdir()
        (tmp_path / "MEL" / "ISIC_0000001.png").write_bytes(b"mine")
        fill(dataset, run)
        dataset.discard_run(run)
    assert [path.name for path in (tmp_path / "MEL").iterdir()] == ["ISIC_0000001.png"]
    assert (tmp_path / "MEL" / "ISIC_0000001.png").read_bytes() == b"mine"


def test_a_folder_that_could_not_be_opened_is_not_left_locked(tmp_path):
    Layout(tmp_path).journal.mkdir(parents=True)
    with pytest.raises(OutputError) as refused:
        SyntheticDataset.open(tmp_path)
    Layout(tmp_path).journal.rmdir()
    generate(tmp_path, "MEL=1")
    assert refused.tb is not None  # it keeps the failed attempt's frames alive until here


def test_storing_a_slot_twice_is_harmless(tmp_path):
    request = make_request(tmp_path, "MEL=1")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        slot = run.slots[0]
        first, second = (
            dataset.store(run, slot, pixels_of(slot.planned.seed), make_recipe(slot.planned)) for _ in range(2)
        )
        assert first == second
        dataset.end_run(run, "completed")
    with SyntheticDataset.open(tmp_path):
        pass
    assert_consistent(tmp_path)


def test_a_recipe_of_another_slot_is_refused(tmp_path):
    request = make_request(tmp_path, "MEL=2")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        with pytest.raises(ValueError, match="not that of the slot"):
            dataset.store(run, run.slots[0], pixels_of(1), make_recipe(run.slots[1].planned))


def test_an_image_that_the_user_deleted_loses_its_row_and_only_a_resumable_run_makes_it_again(tmp_path):
    generate(tmp_path, "MEL=2")
    image_files(tmp_path)[0].unlink()
    with SyntheticDataset.open(tmp_path) as dataset:
        assert dataset.unfinished() == ()
        assert any("removed" in notice for notice in dataset.notices)
    assert [row["filename"] for row in table_rows(tmp_path)] == ["ISIC_0000002.png"]
    generate(tmp_path, "MEL=1")
    assert numbers(tmp_path, "MEL") == [2, 3]


def test_resume_of_a_folder_that_does_not_exist_makes_none(tmp_path):
    with pytest.raises(OutputError, match="no folder"):
        SyntheticDataset.open(tmp_path / "typo", create=False)
    assert not (tmp_path / "typo").exists()


def test_a_table_held_open_by_a_spreadsheet_catches_up_later(tmp_path, monkeypatch):
    real = os.open

    def locked(path, *arguments, **options):
        if str(path).endswith("synthetic_dataset.csv"):
            raise PermissionError(13, "open in another program", str(path))
        return real(path, *arguments, **options)

    request = make_request(tmp_path, "MEL=2")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        with monkeypatch.context() as patch:
            patch.setattr(os, "open", locked)
            fill(dataset, run)
        assert table_rows(tmp_path) == []
        dataset.end_run(run, "completed")
    assert_consistent(tmp_path)
    assert len(table_rows(tmp_path)) == 2


def test_a_table_edited_during_a_run_is_kept_aside_and_rebuilt(tmp_path):
    request = make_request(tmp_path, "MEL=2")
    table = Layout(tmp_path).table
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        table.write_text(table.read_text(encoding="utf-8") + "my notes\n", encoding="utf-8")
        fill(dataset, run)
    with SyntheticDataset.open(tmp_path):
        pass
    assert_consistent(tmp_path)
    (backup,) = Layout(tmp_path).state.glob("table-*.csv")
    assert "my notes" in backup.read_text(encoding="utf-8")


def test_readers_need_no_lock_and_see_finished_images_only(tmp_path):
    request = make_request(tmp_path, "MEL=3")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        for count, slot in enumerate(run.slots, start=1):
            dataset.store(run, slot, pixels_of(slot.planned.seed), make_recipe(slot.planned))
            records = read_records(tmp_path)
            assert [r.seed for r in records] == [s.planned.seed for s in run.slots[:count]]
            assert {r.run_id for r in records} == {run.run_id}


def test_a_folder_that_never_was_has_no_records(tmp_path):
    assert read_records(tmp_path / "nothing") == []


def test_the_cost_of_an_image_does_not_grow_with_the_images_before_it(tmp_path, monkeypatch):
    request = make_request(tmp_path, "MEL=20")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        written, listed = [], []
        real_write, real_scan = os.write, os.scandir
        monkeypatch.setattr(os, "write", lambda fd, data: written.append(len(data)) or real_write(fd, data))
        monkeypatch.setattr(os, "scandir", lambda *folder: listed.append(folder) or real_scan(*folder))
        sizes = []
        for slot in run.slots:
            written.clear()
            dataset.store(run, slot, pixels_of(slot.planned.seed), make_recipe(slot.planned))
            sizes.append(sum(written))
        monkeypatch.undo()
    assert max(sizes) - min(sizes) < 200  # a rewritten table would add a row each time
    assert listed == []


def kind_of(path):
    if path.suffix == ".tmp":
        return path.suffixes[-4].removeprefix(".") + " tmp"
    return {"journal.jsonl": "journal", "synthetic_dataset.csv": "table"}.get(path.name, path.suffix[1:] or path.name)


def test_each_piece_is_durable_before_the_next_is_begun(tmp_path, monkeypatch):
    """A power cut may undo whatever was not fsynced: nothing may rest on it."""
    request = make_request(tmp_path, "MEL=2")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        first, second = run.slots
        dataset.store(run, first, pixels_of(1), make_recipe(first.planned))
        steps, opened = [], {}
        real = {name: getattr(os, name) for name in ("open", "write", "fsync", "link", "replace")}

        def open_noting(path, *arguments, **options):
            fd = real["open"](path, *arguments, **options)
            opened[fd] = kind_of(Path(path))
            return fd

        monkeypatch.setattr(os, "open", open_noting)
        for name in ("write", "fsync"):
            monkeypatch.setattr(
                os, name, lambda fd, *a, _name=name: (steps.append((_name, opened[fd])), real[_name](fd, *a))[1]
            )
        for name in ("link", "replace"):
            monkeypatch.setattr(
                os, name, lambda a, b, _name=name: (steps.append((_name, kind_of(Path(b)))), real[_name](a, b))[1]
            )
        dataset.store(run, second, pixels_of(2), make_recipe(second.planned))
        monkeypatch.undo()
    assert steps == [
        ("write", "png tmp"), ("fsync", "png tmp"), ("link", "png"),
        ("write", "json tmp"), ("fsync", "json tmp"), ("replace", "json"), ("fsync", "MEL"),
        ("write", "journal"), ("fsync", "journal"),
        ("write", "table"), ("fsync", "table"),
    ]  # fmt: skip
