"""Which files of a folder are photographs: links once, helpers and hidden files never, and what is left out is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import InputRefusedError
from photographs.files import PICTURE_SUFFIXES, base_of, find_photographs
from photographs.sources import read_dataset


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def found(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_photographs(folder).files]


def test_every_kind_that_is_read_is_a_photograph_in_any_case(tmp_path):
    names = sorted(f"{number}{suffix}" for number, suffix in enumerate(sorted(PICTURE_SUFFIXES)))
    touch(tmp_path, *names, "X.JPG", "notes.txt", "table.csv", "Thumbs.db")
    assert found(tmp_path) == [*names, "X.JPG"]
    assert find_photographs(tmp_path).notes == ()


def test_a_link_to_its_own_folder_or_to_another_way_counts_nothing_twice(tmp_path):
    touch(tmp_path, "b/1.jpg", "b/2.jpg", "b/c/3.jpg")
    (tmp_path / "b" / "latest").symlink_to(".")
    (tmp_path / "a").symlink_to("b")  # comes first by name, and is only another way to b
    (tmp_path / "4.jpg").symlink_to("b/1.jpg")
    assert found(tmp_path) == ["b/1.jpg", "b/2.jpg", "b/c/3.jpg"]


def test_a_linked_batch_from_elsewhere_is_followed(tmp_path):
    touch(tmp_path / "elsewhere", "1.jpg", "2.jpg")
    touch(tmp_path / "set", "NV/3.jpg", "MEL/0.jpg")
    (tmp_path / "set" / "MEL" / "batch").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert found(tmp_path / "set") == ["MEL/0.jpg", "MEL/batch/1.jpg", "MEL/batch/2.jpg", "NV/3.jpg"]
    codes = [image.code for image in read_dataset(tmp_path / "set").images]
    assert codes == ["MEL", "MEL", "MEL", "NV"]


def test_one_class_by_two_ways_is_read_once(tmp_path):
    touch(tmp_path, "melanoma/1.jpg", "melanoma/2.jpg", "NV/3.jpg")
    (tmp_path / "MEL").symlink_to("melanoma")
    assert [image.image_id for image in read_dataset(tmp_path).images] == [
        "NV/3.jpg",
        "melanoma/1.jpg",
        "melanoma/2.jpg",
    ]


@pytest.mark.parametrize(
    "helper",
    ["X_superpixels.png", "X_segmentation.png", "x_Segmentation.PNG", "X_mask.png", "X_expert.png", "X_lesion.bmp",
     "X_attribute_streaks.png", "X_lesion_mask.tif", "X-mask.png"],
)  # fmt: skip
def test_helper_pictures_beside_their_photograph_are_left_out_and_told(tmp_path, helper):
    touch(tmp_path, "MEL/X.jpg", f"MEL/{helper}", "NV/Y.jpg")
    assert found(tmp_path) == ["MEL/X.jpg", "NV/Y.jpg"]
    assert any("1 left out" in note and helper in note for note in find_photographs(tmp_path).notes)
    read = read_dataset(tmp_path)
    assert [image.image_id for image in read.images] == ["MEL/X.jpg", "NV/Y.jpg"]
    assert any(helper in note for note in read.notes)


def test_a_name_that_only_looks_like_a_helper_is_a_photograph(tmp_path):
    touch(tmp_path, "face_mask.jpg", "left_lesion.jpg", "right_lesion.jpg")
    assert len(found(tmp_path)) == 3


def test_pictures_whose_ending_leaves_no_doubt_are_none_even_alone(tmp_path):
    touch(tmp_path, "X_superpixels.png", "Y_segmentation.png", "Z.jpg")
    assert found(tmp_path) == ["Z.jpg"]


@pytest.mark.parametrize("folder", ["masks", "Masks", "xai_results", "trajectories", ".isicgui", "__MACOSX"])
def test_folders_of_other_pictures_are_not_looked_into(tmp_path, folder):
    touch(tmp_path, "1.jpg", f"{folder}/2.jpg")
    assert found(tmp_path) == ["1.jpg"]
    assert found(tmp_path / folder) == ["2.jpg"]  # unless it is the one that is named


def test_companions_of_macos_and_placeholders_of_icloud(tmp_path):
    touch(
        tmp_path,
        "MEL/1.jpg",
        "MEL/._1.jpg",
        "MEL/.2.jpg.icloud",
        "MEL/.3.JPG.icloud",
        "MEL/.notes.txt.icloud",
        "NV/4.jpg",
    )
    assert found(tmp_path) == ["MEL/1.jpg", "NV/4.jpg"]
    told = find_photographs(tmp_path).notes
    assert len(told) == 1
    assert "cloud" in told[0]
    assert "2 photographs" in told[0]
    assert told[0] in read_dataset(tmp_path).notes


def test_dicom_is_named_and_how_to_convert_it(tmp_path):
    touch(tmp_path, "MEL/0.dcm", "MEL/1.DCM", "NV/2.dcm")
    with pytest.raises(InputRefusedError) as refused:
        read_dataset(tmp_path)
    assert "DICOM: 3" in refused.value.remedy
    assert "PNG" in refused.value.remedy


def test_kinds_that_are_not_read_are_counted(tmp_path):
    touch(tmp_path, "1.jpg", "2.heic", "3.HEIF", "4.gif")
    (note,) = find_photographs(tmp_path).notes
    assert "GIF: 1, HEIC: 2" in note


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
def test_a_pipe_named_like_a_picture_is_told(tmp_path):
    touch(tmp_path, "1.jpg")
    os.mkfifo(tmp_path / "2.jpg")
    assert found(tmp_path) == ["1.jpg"]
    assert "2.jpg" in find_photographs(tmp_path).notes[0]


@pytest.mark.parametrize(
    ("stem", "base"),
    [("ISIC_0000001", "isic_0000001"), ("ISIC_1_Segmentation", "isic_1"), ("A_lesion_mask", "a"), ("mask", "mask"),
     ("A_expert", "a"), ("IMD002_lesion", "imd002"), ("ISIC_1_attribute_streaks", "isic_1")],
)  # fmt: skip
def test_the_photograph_that_a_helper_belongs_to(stem, base):
    assert base_of(stem) == base


@pytest.mark.skipif(os.name != "posix", reason="Windows asks who may make links")
@pytest.mark.parametrize("count", [1, 3, 4])
def test_three_names_are_given_and_more_are_hinted_at(tmp_path, count):
    touch(tmp_path, *(f"X{n}.jpg" for n in range(count)), *(f"X{n}_mask.png" for n in range(count)))
    touch(tmp_path, *(f".{n}.gif.icloud" for n in range(count)), *(f".{n}.png.icloud" for n in range(count)))
    for n in range(count):
        (tmp_path / f"{n}.png").symlink_to("nowhere")
    passed, helpers, cloud = find_photographs(tmp_path).notes
    for note, name in (
        (passed, "{}.png: a link that leads nowhere"), (helpers, "X{}_mask.png"), (cloud, ".{}.png.icloud"),
    ):  # fmt: skip
        shown = ", ".join(name.format(n) for n in range(min(count, 3)))
        assert f"({shown}{', …' if count > 3 else ''})" in note
        assert f"{count} " in note


def test_what_to_do_where_no_photograph_was_found(tmp_path):
    assert find_photographs(tmp_path).remedy == "Name a folder of PNG, JPEG, BMP, TIFF or WebP files."
    touch(tmp_path, "a.NEF", "b.cr2", ".c.dng", "d.psd")
    note = "Pictures of kinds that are not read are left out (PSD: 1, raw: 2). Save them as PNG first."
    assert find_photographs(tmp_path).notes == (note,)
    assert find_photographs(tmp_path).remedy == f"{note} Name a folder of PNG, JPEG, BMP, TIFF or WebP files."


@pytest.mark.parametrize("suffix", ["dcm", "dicom", "heic", "heif", "avif", "gif", "jp2", "j2k", "jxl", "psd", "svs"])
def test_every_kind_that_is_not_read_is_told(tmp_path, suffix):
    touch(tmp_path, f"a.{suffix}", f"b.{suffix.upper()}", "c.jpg")
    (note,) = find_photographs(tmp_path).notes
    assert ": 2)" in note
    assert ("dcm2img" in note) is suffix.startswith("d")


def test_of_two_links_to_one_folder_the_first_by_name_is_taken(tmp_path):
    touch(tmp_path / "elsewhere", "1.jpg")
    touch(tmp_path / "set", "b/2.jpg")
    for name in ("c", "a"):
        (tmp_path / "set" / name).symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "set" / "z.jpg").symlink_to(tmp_path / "elsewhere" / "1.jpg")
    (tmp_path / "set" / "y.jpg").symlink_to(tmp_path / "elsewhere" / "1.jpg")
    assert found(tmp_path / "set") == ["a/1.jpg", "b/2.jpg"]
    (tmp_path / "set" / "a").unlink()
    (tmp_path / "set" / "c").unlink()
    assert found(tmp_path / "set") == ["b/2.jpg", "y.jpg"]
