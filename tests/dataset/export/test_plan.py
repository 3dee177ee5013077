"""What is taken, how it is divided, and that the preview is what gets written."""

import itertools
import zipfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import DiskFullError, InputRefusedError, OutputError, UsageError
from core.jobs.stream import JobStopped
from dataset.export.pictures import inspect
from dataset.export.plan import check_plan, plan_export, plan_of
from dataset.export.request import ExportOptions, format_names, parse_classes, parse_split
from dataset.ratings import Rating, write_ratings
from tests.support.datasets import generate, pixels_of
from tests.support.exports import export_to, files_of, manifest, put
from tests.support.watched_job import WatchedJob


def taken(plan):
    return sorted(file.entry.picture.record.key for file in plan.images)


def test_rejected_images_and_those_with_too_few_stars_are_not_taken(output, tmp_path):
    keys = [("MEL", f"ISIC_000000{n}.png") for n in range(1, 5)]
    ratings = (Rating(5), Rating(3), Rating(2), Rating(5, rejected=True))
    write_ratings(output, dict(zip(keys, ratings, strict=True)))
    every = plan_export(output, ExportOptions(tmp_path / "a"))
    assert keys[3] not in taken(every)
    assert every.rows == 15
    assert taken(plan_export(output, ExportOptions(tmp_path / "a", rating=3))) == keys[:2]
    assert plan_export(output, ExportOptions(tmp_path / "a", rating=3, classes=("NV",))).rows == 0


def test_a_damaged_rating_is_named(output, tmp_path):
    assert not any("ratings" in text for text in plan_export(output, ExportOptions(tmp_path / "set")).warnings)
    with (output / ".isicgui/ratings.jsonl").open("ab") as file:
        file.write(b"[" * 5000 + b"\n")
    warnings = plan_export(output, ExportOptions(tmp_path / "set")).warnings
    assert "Ratings passed over because damaged: 1 line (line 1 of ratings.jsonl)." in warnings


def test_only_chosen_classes_are_taken_and_one_without_images_is_named(output, tmp_path):
    plan = plan_export(output, ExportOptions(tmp_path / "a", classes=("NV", "DF")))
    assert {code for code, _ in taken(plan)} == {"NV"}
    assert "No image of DF matches." in plan.warnings


def damage(path, how):
    data = path.read_bytes()
    if how == "empty":
        path.write_bytes(b"")
    elif how == "truncated":
        path.write_bytes(data[: len(data) // 2])
    elif how == "without its end":
        path.write_bytes(data[:-20])
    elif how == "one bit flipped":
        path.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    elif how == "no picture":
        path.write_text("I am no picture.")
    else:
        put(path.parents[1], "NV", 1, 5).replace(path)  # its recipe says NV, its folder MEL


@pytest.mark.parametrize(
    "how", ["empty", "truncated", "without its end", "one bit flipped", "no picture", "of another class"]
)
def test_what_cannot_be_used_is_named_counted_and_left_out(output, tmp_path, how):
    bad = output / "MEL/ISIC_0000002.png"
    before = plan_export(output, ExportOptions(tmp_path / "a")).rows
    damage(bad, how)
    plan = plan_export(output, ExportOptions(tmp_path / "a"))
    assert [item.path for item in plan.left_out] == [bad]
    assert bad not in [file.entry.picture.path for file in plan.images]
    assert plan.rows == before - (2 if how == "of another class" else 1)
    assert any("MEL/ISIC_0000002.png" in warning for warning in plan.warnings)
    export_to(output, tmp_path / "a")
    assert "MEL/ISIC_0000002.png" in (tmp_path / "a/README.md").read_text(encoding="utf-8")


def test_a_damaged_file_that_was_rejected_anyway_is_not_spoken_of(output, tmp_path):
    damage(output / "MEL/ISIC_0000002.png", "empty")
    write_ratings(output, {("MEL", "ISIC_0000002.png"): Rating(rejected=True)})
    assert plan_export(output, ExportOptions(tmp_path / "a")).left_out == ()


def relatives(plan):
    """The slow, obvious grouping: merge sets that share anything until nothing changes."""
    marks = {
        file.path: {("seed", p.record.seed), ("noise", p.record.noise_hash), ("pixels", p.pixels)}
        for file in plan.images
        for p in [file.entry.picture]
    }
    sets = [{path} for path in marks]
    changed = True
    while changed:
        changed = False
        for one, other in itertools.combinations(sets, 2):
            if set().union(*(marks[p] for p in one)) & set().union(*(marks[p] for p in other)):
                one |= other
                sets.remove(other)
                changed = True
                break
    return sorted(sorted(group) for group in sets)


def plant_twins(output):
    """Twins of seed, of noise and of pixels, across classes; the chain holds them all together."""
    put(output, "BCC", 1, 1000, noise_hash="a" * 16)
    put(output, "BCC", 2, 1001, noise_hash="a" * 16)
    put(output, "AKIEC", 1, 1001, noise_hash="b" * 16)
    put(output, "AKIEC", 2, 1002, noise_hash="c" * 16, pixels=pixels_of(1001))
    for number in range(3, 9):
        put(output, "BCC", number, 2000 + number)
        put(output, "AKIEC", number, 2000 + number)


def test_planted_twins_are_one_group_and_the_oracle_agrees(output, tmp_path):
    plant_twins(output)
    plan = plan_export(output, ExportOptions(tmp_path / "a", format="csv"))
    groups = defaultdict(list)
    for file in plan.images:
        groups[file.entry.group].append(file.path)
    assert sorted(sorted(group) for group in groups.values()) == relatives(plan)
    assert len(groups["seed-1000"]) == 4


@pytest.mark.parametrize("salt", [str(n) for n in range(25)])
@pytest.mark.parametrize("split", [(80, 10, 10), (34, 33, 33), (50, 0, 50)])
def test_no_group_ever_lies_in_two_parts(output, tmp_path, salt, split):
    plant_twins(output)
    plan = plan_export(output, ExportOptions(tmp_path / "a", split=split, salt=salt))
    parts = defaultdict(set)
    for file in plan.images:
        parts[file.entry.group].add(file.entry.part)
    assert all(len(found) == 1 for found in parts.values())


def test_the_shares_are_kept_within_each_class_and_rare_classes_are_in_every_part(tmp_path):
    generate(tmp_path / "out", "MEL=50,NV=20,DF=3")
    counts = plan_export(tmp_path / "out", ExportOptions(tmp_path / "a")).counts
    assert counts == {
        "train": {"MEL": 40, "NV": 16, "DF": 1},
        "val": {"MEL": 5, "NV": 2, "DF": 1},
        "test": {"MEL": 5, "NV": 2, "DF": 1},
    }
    thirds = plan_export(tmp_path / "out", ExportOptions(tmp_path / "a", split=(100, 0, 0))).counts
    assert thirds["val"] == thirds["test"] == {}


def test_the_same_salt_divides_the_same_way_and_another_one_otherwise(output, tmp_path):
    def parts(salt):
        plan = plan_export(output, ExportOptions(tmp_path / "a", salt=salt))
        return {file.entry.name: file.entry.part for file in plan.images}

    assert parts("one") == parts("one")
    assert len({tuple(parts(str(n)).items()) for n in range(10)}) > 1


def test_a_part_that_stays_empty_is_told(tmp_path):
    put(tmp_path / "out", "MEL", 1, 1)
    plan = plan_export(tmp_path / "out", ExportOptions(tmp_path / "a"))
    assert sum("is empty" in warning for warning in plan.warnings) == 2


COLLECTIONS = st.lists(
    st.tuples(st.sampled_from(["MEL", "NV", "DF"]), st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=12
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COLLECTIONS, st.sampled_from(format_names()), st.booleans(), st.booleans(), st.integers(0, 3))
def test_the_preview_is_what_gets_written(tmp_path_factory, collection, name, split, is_zipped, rating):
    home = tmp_path_factory.mktemp("property")
    (home / "out").mkdir()
    for number, (code, seed, stars, is_whole) in enumerate(collection):
        path = put(home / "out", code, number, seed)
        write_ratings(home / "out", {(code, path.name): Rating(stars, rejected=stars == 5)})
        if not is_whole:
            path.write_bytes(path.read_bytes()[:-20])
    options = ExportOptions(
        home / "set", format=name, split=(60, 20, 20) if split else None, zip=is_zipped, rating=rating
    )
    plan = plan_export(home / "out", options)
    wanted = [item for item in collection if rating <= item[2] < 5]
    assert (plan.rows, len(plan.left_out)) == (sum(item[3] for item in wanted), sum(not item[3] for item in wanted))
    if not plan.rows:
        with pytest.raises(InputRefusedError, match="nothing to export"):
            check_plan(plan)
        return
    export_to(home / "out", options.target, **{f: getattr(options, f) for f in ("format", "split", "zip", "rating")})
    files = files_of(home / "set")
    assert {path: len(data) for path, data in files.items()} == plan.sizes
    assert (plan.files, plan.bytes) == (len(files), sum(map(len, files.values())))
    assert sum(plan.tree.values()) == plan.files
    assert sum(sum(codes.values()) for codes in plan.counts.values()) == plan.rows == len(manifest(home / "set"))
    if is_zipped:
        with zipfile.ZipFile(home / "set.zip") as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == files
        assert (home / "set.zip").stat().st_size == plan.archive_bytes


def test_one_look_serves_every_choice(output, tmp_path):
    collection = inspect(output)
    for name, split in itertools.product(format_names(), [None, (80, 10, 10)]):
        options = ExportOptions(tmp_path / "a", format=name, split=split)
        assert plan_of(collection, options) == plan_export(output, options)


def test_the_look_can_be_stopped_and_tells_how_far_it_is(output):
    job = WatchedJob(stop_when=lambda job: len(job.told) == 3)
    with pytest.raises(JobStopped):
        inspect(output, job)
    assert job.told == [(0, 16), (1, 16), (2, 16)]


@pytest.mark.parametrize("name", ["out", "out/MEL/deeper", "out/new"])
def test_an_export_into_the_collection_itself_is_refused(output, tmp_path, name):
    with pytest.raises(UsageError, match="inside the exported folder"):
        check_plan(plan_export(output, ExportOptions(tmp_path / name)))


def test_a_target_that_holds_something_is_refused_and_an_empty_folder_is_taken(output, tmp_path):
    target = tmp_path / "set"
    target.mkdir()
    export_to(output, target)
    for options in (ExportOptions(target), ExportOptions(tmp_path / "b", zip=True)):
        options.archive.write_bytes(b"theirs")
        with pytest.raises(OutputError, match="nothing is overwritten"):
            check_plan(plan_export(output, options))
        assert options.archive.read_bytes() == b"theirs"


def test_a_full_drive_is_told_before_anything_is_written(output, tmp_path, monkeypatch):
    plan = plan_export(output, ExportOptions(tmp_path / "set"))
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(DiskFullError, match="0 MB left"):
        check_plan(plan)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputRefusedError, match="There is no folder"):
        plan_export(tmp_path / "nowhere", ExportOptions(tmp_path / "set"))


def test_a_folder_that_is_being_written_to_is_told(output, tmp_path):
    from dataset.synthetic_dataset import SyntheticDataset

    assert not any("writing into" in words for words in plan_export(output, ExportOptions(tmp_path / "a")).warnings)
    with SyntheticDataset.open(output):
        plan = plan_export(output, ExportOptions(tmp_path / "a"))
    assert any("writing into this folder" in words for words in plan.warnings)


def test_copies_mixed_sizes_and_missing_recipes_are_told(output, tmp_path):
    from PIL import Image

    copy = output / "NV/ISIC_0000900.png"
    copy.write_bytes((output / "NV/ISIC_0000001.png").read_bytes())
    Image.new("RGB", (20, 10)).save(output / "VASC/ISIC_0000901.png")
    words = "\n".join(plan_export(output, ExportOptions(tmp_path / "a")).warnings)
    for part in ("Exact copies of another image: 1", "8×8 (17), 20×10 (1)", "Without a recipe inside: 1 image."):
        assert part in words


def test_a_hostile_recipe_is_no_recipe(output, tmp_path):
    put(output, "DF", 1, 1, noise_hash=[1])
    plan = plan_export(output, ExportOptions(tmp_path / "a", classes=("DF",)))
    assert plan.rows == 1
    assert plan.images[0].entry.picture.recipe is None


@pytest.mark.parametrize(("text", "ratios"), [("80/10/10", (80, 10, 10)), (" 70 / 0/30", (70, 0, 30)), ("None", None)])
def test_splits_that_are_understood(text, ratios):
    assert parse_split(text) == ratios


@pytest.mark.parametrize(
    "text", ["", "80/20", "80/10/11", "0/50/50", "a/b/c", "80/10/-10+20", "110/-5/-5", "８０/10/10"]
)
def test_splits_that_are_none(text):
    with pytest.raises(UsageError, match="no split"):
        parse_split(text)


def test_classes_and_options_are_checked(tmp_path):
    assert parse_classes("nv, MEL") == ("NV", "MEL")
    assert parse_classes("all") == parse_classes("") == ()
    with pytest.raises(UsageError, match="MELL"):
        parse_classes("MELL")
    options = ExportOptions(Path("relative"))
    assert options.target.is_absolute()
    for changes in ({"format": "tar"}, {"rating": 6}, {"split": (1, 2, 3)}):
        with pytest.raises(UsageError):
            replace(options, **changes)
