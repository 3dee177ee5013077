"""Each format is read by whom it is for: torchvision, this program's own trainers, a JSON reader, a table reader."""

import numpy as np
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from core.taxonomy import CLASS_CODES, CLASS_INDEX
from dataset.export.request import format_names
from dataset.png import read_recipe
from photographs.sources import read_dataset
from tests.support.datasets import generate, image_files
from tests.support.exports import digest, export_to, files_of, json_lines, manifest


def labels_by_pixels(paths_and_codes):
    """Return {pixel bytes: class}: what was learnt, whatever the files are called."""
    found = {}
    for path, code in paths_and_codes:
        with Image.open(path) as image:
            found[image.convert("RGB").tobytes()] = code
    return found


def truth(output):
    return labels_by_pixels((path, path.parent.name) for path in image_files(output))


@pytest.mark.parametrize("name", format_names())
@pytest.mark.parametrize("split", [(60, 20, 20), None])
def test_every_format_holds_every_image_byte_by_byte_and_a_row_for_it(output, tmp_path, name, split):
    target = tmp_path / "set"
    export_to(output, target, format=name, split=split)
    files, rows = files_of(target), manifest(target)
    images = {path: data for path, data in files.items() if path.endswith(".png")}
    assert sorted(digest(data) for data in images.values()) == sorted(
        digest(path.read_bytes()) for path in image_files(output)
    )
    assert sorted(row["image_path"] for row in rows) == sorted(images)
    for row in rows:
        original = output / row["source_file"]
        assert images[row["image_path"]] == original.read_bytes()
        assert (row["class"], row["label"]) == (original.parent.name, str(CLASS_INDEX[original.parent.name]))
        assert row["seed"] == str(read_recipe(original).seed)
        assert row["sha256"] == digest(original.read_bytes())
        assert row["image_path"].rpartition("/")[2] == f"{row['class']}_{original.name}"


@pytest.mark.parametrize("name", format_names())
def test_the_checksums_are_those_of_all_other_files(output, tmp_path, name):
    export_to(output, tmp_path / "set", format=name)
    files = files_of(tmp_path / "set")
    listed = dict(reversed(line.split("  ", 1)) for line in files.pop("SHA256SUMS").decode().splitlines())
    assert listed == {path: digest(data) for path, data in files.items()}


def test_torchvision_opens_the_class_folders_of_each_part(output, tmp_path):
    export_to(output, tmp_path / "set", format="imagefolder", split=(60, 20, 20))
    found = {}
    for part in ("train", "val", "test"):
        folder = ImageFolder(tmp_path / "set" / part)
        found |= labels_by_pixels((path, folder.classes[label]) for path, label in folder.samples)
    assert found == truth(output)


def test_torchvision_opens_the_class_folders_without_a_split(output, tmp_path):
    export_to(output, tmp_path / "set", format="imagefolder", split=None)
    folder = ImageFolder(tmp_path / "set")
    assert folder.classes == ["MEL", "NV", "VASC"]
    assert labels_by_pixels((path, folder.classes[label]) for path, label in folder.samples) == truth(output)


@pytest.mark.parametrize("split", [(60, 20, 20), None])
@pytest.mark.parametrize("name", ["imagefolder", "csv", "hf", "isic"])
def test_the_products_own_trainers_read_the_same_labels_and_parts_back(output, tmp_path, name, split):
    target = tmp_path / "set"
    export_to(output, target, format=name, split=split)
    photographs = read_dataset(target / "manifest.csv" if name == "csv" else target)
    assert photographs.missing == ()
    assert labels_by_pixels((image.path, image.code) for image in photographs.images) == truth(output)
    part = {row["sha256"]: row["split"] for row in manifest(target)}
    said = {image.split for image in photographs.images}
    if split is not None:
        assert all(image.split == part[digest(image.path.read_bytes())] for image in photographs.images)
    else:
        assert said <= {"", "train"}


@pytest.mark.parametrize("name", ["csv", "isic"])
def test_the_products_own_trainers_see_the_seed_groups_as_lesions(output, tmp_path, name):
    generate(output, "NV=4", seed=7)
    export_to(output, tmp_path / "set", format=name, split=None)
    photographs = read_dataset(tmp_path / "set/manifest.csv" if name == "csv" else tmp_path / "set")
    assert photographs.grouped
    group = {row["sha256"]: row["group"] for row in manifest(tmp_path / "set")}
    assert all(image.lesion_id == group[digest(image.path.read_bytes())] for image in photographs.images)


def test_the_rows_of_hugging_faces_metadata_are_the_files_of_their_part(output, tmp_path):
    target = tmp_path / "set"
    export_to(output, target, format="hf", split=(60, 20, 20))
    for part in ("train", "val", "test"):
        rows = json_lines(target / part / "metadata.jsonl")
        there = {path.relative_to(target / part).as_posix() for path in (target / part).rglob("*.png")}
        assert {row["file_name"] for row in rows} == there
        assert len(rows) == len(there) > 0
        assert all(row["class"] == row["file_name"].split("/")[0] and row["split"] == part for row in rows)
        assert len({tuple(row) for row in rows}) == 1, "one set of columns, or the library refuses the file"


def test_the_json_lines_are_the_manifest_that_the_text_and_mask_predecessor_reads(output, tmp_path):
    export_to(output, tmp_path / "set", format="jsonl")
    rows = json_lines(tmp_path / "set/manifest.jsonl")
    assert len(rows) == len(image_files(output))
    for row in rows:
        assert (tmp_path / "set" / row["image_path"]).is_file()
        assert isinstance(row["label"], int)
        assert CLASS_CODES[row["label"]] == row["class"]
        assert row["mask_path"] is None
        assert not row["caption"].isdigit()
        assert "synthetic" in row["caption"]


def test_the_isic_tables_mark_one_class_and_name_pictures_without_suffix(output, tmp_path):
    export_to(output, tmp_path / "set", format="isic", split=(60, 20, 20))
    names = {path.name for path in (tmp_path / "set").iterdir()}
    assert {f"ISIC2018_Task3_{part}_GroundTruth.csv" for part in ("Training", "Validation", "Test")} <= names
    head, *lines = (tmp_path / "set/ISIC2018_Task3_Training_GroundTruth.csv").read_text().splitlines()
    assert head == "image,MEL,NV,BCC,AKIEC,BKL,DF,VASC"
    for line in lines:
        name, *hot = line.split(",")
        assert (tmp_path / "set/ISIC2018_Task3_Training_Input" / f"{name}.png").is_file()
        assert sorted(hot) == ["0.0"] * 6 + ["1.0"]
        assert CLASS_CODES[hot.index("1.0")] == name.split("_")[0]


def test_files_of_old_versions_and_of_another_case_keep_names_of_their_own(tmp_path):
    folder = tmp_path / "out/MEL"
    folder.mkdir(parents=True)
    for seed, name in enumerate(["ISIC_0000001.png", "ISIC_0000001.jpg.png", "isic_0000001.PNG"]):
        noise = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / name, "PNG")
    export_to(tmp_path / "out", tmp_path / "set", format="csv")
    names = [row["image_path"] for row in manifest(tmp_path / "set")]
    assert len({name.lower() for name in names}) == 3
    assert len(list((tmp_path / "set/images").iterdir())) == 3
    assert len(read_dataset(tmp_path / "set/manifest.csv").images) == 3
