"""Data sets in every form: the right photographs with the right labels, or a refusal that says what to do."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from core.errors import InputRefusedError
from core.message import Message
from core.taxonomy import CLASS_CODES
from photographs.licence import Licence, licence_of
from photographs.sources import read_dataset
from tests.support.labelled_data import (
    write_csv_dataset,
    write_ham10000,
    write_image_folder,
    write_isic2018,
    write_labelled_folder,
    write_table,
)

COLOURS = {code: tuple(bool(label >> bit & 1) for bit in range(3)) for label, code in enumerate(CLASS_CODES)}


def class_that_the_colour_tells(path: Path) -> str:
    """Return the class that the fixture painted into a picture, without looking at its name or place."""
    red, green, blue = Image.open(path).convert("RGB").resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return {colour: code for code, colour in COLOURS.items()}[red > 110, green > 110, blue > 110]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def with_row(path: Path, changes: dict[str, str], *, row: int = 0, add: bool = False) -> None:
    """Change a row of a table, or add a changed copy of it."""
    rows = rows_of(path)
    changed = {**rows[row], **changes}
    write_table(path, [*rows, changed] if add else [*rows[:row], changed, *rows[row + 1 :]])


FORMS = {
    "labels.csv": (lambda folder: write_labelled_folder(folder, lesions=2), 21, True),
    "ham10000": (write_ham10000, 14, True),
    "ham10000 as on Kaggle": (lambda folder: write_ham10000(folder, parts=True), 14, True),
    "isic2018": (write_isic2018, 28, False),
    "isic2018 with suffixes": (lambda folder: write_isic2018(folder, suffix=".jpg"), 28, False),
    "isic2018 with lesions": (lambda folder: write_isic2018(folder, groups=True), 28, True),
    "imagefolder": (write_image_folder, 14, False),
    "imagefolder in parts": (lambda folder: write_image_folder(folder, parts=("train", "Validation")), 28, False),
    "csv": (write_csv_dataset, 28, True),
    "csv without groups": (lambda folder: write_csv_dataset(folder, group=False), 28, False),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_every_photograph_its_class(tmp_path, form):
    write, count, grouped = FORMS[form]
    photographs = read_dataset(write(tmp_path))
    assert photographs.kind == form.split()[0]
    assert len(photographs.images) == len({image.path for image in photographs.images}) == count
    assert [image.code for image in photographs.images] == [
        class_that_the_colour_tells(image.path) for image in photographs.images
    ]
    assert photographs.grouped is grouped
    assert bool(photographs.notes) is not grouped
    assert [image.image_id for image in photographs.images] == sorted(image.image_id for image in photographs.images)


@pytest.mark.parametrize("form", [form for form, (_, _, grouped) in FORMS.items() if grouped])
def test_lesions_are_those_of_the_table(tmp_path, form):
    for image in read_dataset(FORMS[form][0](tmp_path)).images:
        _, lesion, _ = image.path.stem.removeprefix("Training_").split("_")
        assert image.lesion_id == f"L_{image.code}_{lesion}"


def test_a_table_may_be_named_itself(tmp_path):
    folder = write_ham10000(tmp_path)
    by_file = read_dataset(folder / "metadata" / "HAM10000_metadata.csv")
    assert by_file.images == read_dataset(folder).images


def test_a_relative_folder_is_read_like_an_absolute_one(tmp_path, monkeypatch):
    write_image_folder(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert read_dataset(Path(".")).images == read_dataset(tmp_path).images


@pytest.mark.parametrize("table", ["HAM10000_metadata", "HAM10000_metadata.tab"])
def test_the_table_of_the_dataverse_is_read(tmp_path, table):
    write_ham10000(tmp_path, parts=True)
    old = tmp_path / "HAM10000_metadata.csv"
    write_table(tmp_path / table, rows_of(old), delimiter="\t")
    old.unlink()
    assert len(read_dataset(tmp_path).images) == 14


def test_the_challenge_with_several_parts_keeps_them_apart(tmp_path):
    for part in ("Training", "Validation", "Test"):
        write_isic2018(tmp_path, part=part)
    photographs = read_dataset(tmp_path)
    assert Counter(image.split for image in photographs.images) == {"train": 28, "val": 28, "test": 28}
    assert all(image.image_id.lower().startswith(image.split) for image in photographs.images)


def test_a_ground_truth_in_a_folder_of_its_own_is_found(tmp_path):
    write_isic2018(tmp_path)
    name = "ISIC2018_Task3_Training_GroundTruth"
    (tmp_path / name).mkdir()
    (tmp_path / f"{name}.csv").rename(tmp_path / name / f"{name}.csv")
    assert len(read_dataset(tmp_path).images) == 28


@pytest.mark.parametrize("code", ["mel", "Mel", " MEL "])
def test_class_names_in_any_case(tmp_path, code):
    table = write_csv_dataset(tmp_path)
    row = next(i for i, row in enumerate(rows_of(table)) if row["class"] == "MEL")
    with_row(table, {"class": code}, row=row)
    assert sum(image.code == "MEL" for image in read_dataset(table).images) == 4


def test_lower_case_class_folders_and_upper_case_suffixes(tmp_path):
    write_image_folder(tmp_path)
    (tmp_path / "MEL" / "0.png").rename(tmp_path / "MEL" / "0.PNG")
    (tmp_path / "MEL").rename(tmp_path / "aside")
    (tmp_path / "aside").rename(tmp_path / "mel")
    images = [image for image in read_dataset(tmp_path).images if image.code == "MEL"]
    assert [image.image_id for image in images] == ["mel/0.PNG", "mel/1.png"]


def test_own_table_decides_whatever_else_the_folder_holds(tmp_path):
    write_labelled_folder(tmp_path, lesions=1)  # its photographs lie in class folders
    write_isic2018(tmp_path)
    assert read_dataset(tmp_path).kind == "labels.csv"


def test_a_spreadsheet_with_mark_semicolons_and_backslashes_is_read(tmp_path):
    table = write_csv_dataset(tmp_path)
    expected = read_dataset(table).images
    rows = [{**row, "path": row["path"].replace("/", "\\")} for row in rows_of(table)]
    write_table(table, rows, delimiter=";", encoding="utf-8-sig")
    assert read_dataset(table).images == expected


def test_other_files_and_folders_are_named_not_lost_in_silence(tmp_path):
    write_image_folder(tmp_path)
    (tmp_path / "MEL" / "x.pdf").touch()
    (tmp_path / "MEL" / "x.json").touch()
    (tmp_path / "SCC").mkdir()
    (tmp_path / "SCC" / "1.jpg").touch()
    (tmp_path / "notes").mkdir()
    notes = " ".join(read_dataset(tmp_path).notes)
    assert "1 of .json, 1 of .pdf" in notes
    assert "1 photograph (SCC: 1)" in notes
    assert "notes" not in notes


def test_what_this_program_writes_beside_its_images_is_no_strange_file(tmp_path):
    write_image_folder(tmp_path)
    picture = next(tmp_path.glob("MEL/*"))
    picture.with_suffix(".json").write_text("{}")
    (tmp_path / "xai_results" / "a").mkdir(parents=True)
    (tmp_path / "xai_results" / "a" / "map.png").touch()
    assert not any("ignored" in note for note in read_dataset(tmp_path).notes)


# Refusals


def refused(path: Path) -> InputRefusedError:
    with pytest.raises(InputRefusedError) as caught:
        read_dataset(path)
    assert caught.value.remedy
    return caught.value


def test_nothing_there(tmp_path):
    assert refused(tmp_path / "none").message == f"There is no {tmp_path / 'none'}."


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    def forbidden(folder: Path):
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", forbidden)  # root may read everything
    error = refused(tmp_path)
    assert "cannot be read" in error.message
    assert "Permission denied" in error.message


def test_an_empty_folder_and_one_without_labels_say_what_is_expected(tmp_path):
    error = refused(tmp_path)
    assert "holds nothing" in error.message
    for form in ("labels.csv", "HAM10000_metadata.csv", "_GroundTruth.csv", "one folder for each class", "group"):
        assert form in error.remedy
    (tmp_path / "photo.jpg").touch()
    assert "photo.jpg" in refused(tmp_path).message


def test_a_folder_of_two_forms_names_both(tmp_path):
    write_isic2018(tmp_path)
    write_image_folder(tmp_path)
    error = refused(tmp_path)
    assert "isic2018" in error.message
    assert "imagefolder" in error.message


def test_class_folders_beside_and_inside_train_are_refused(tmp_path):
    write_image_folder(tmp_path)
    write_image_folder(tmp_path, parts=("train",))
    assert "both next to and inside" in refused(tmp_path).message


def test_a_table_that_must_be_named_is_pointed_out(tmp_path):
    table = write_csv_dataset(tmp_path / "inner")
    for child in (tmp_path / "inner").iterdir():
        if child.is_dir():
            child.rename(child.with_name(f"{child.name}_photographs"))
    assert str(table) in refused(tmp_path / "inner").remedy


def test_a_table_of_other_columns_names_them(tmp_path):
    (tmp_path / "t.csv").write_text("file,label\na.jpg,MEL\n", encoding="utf-8")
    assert "file, label" in refused(tmp_path / "t.csv").message


@pytest.mark.parametrize("write", [write_ham10000, write_isic2018])
def test_tables_without_their_photographs_name_the_folder(tmp_path, write):
    write(tmp_path)
    for name in ("images", "ISIC2018_Task3_Training_Input"):
        if (tmp_path / name).exists():
            (tmp_path / name).rename(tmp_path / "elsewhere")
    error = refused(tmp_path)
    assert "images/" in error.remedy or "ISIC2018_Task3_Training_Input" in error.remedy


def test_an_unknown_class_is_refused_with_its_line(tmp_path):
    table = write_csv_dataset(tmp_path)
    with_row(table, {"class": "XYZ"}, row=3)
    error = refused(table)
    assert "Line 5" in error.message
    assert "'XYZ'" in error.message
    assert "AKIEC" in error.remedy


@pytest.mark.parametrize(
    ("cells", "problem"), [({"MEL": "1.0", "NV": "1.0"}, "MEL and NV"), ({"MEL": "0"}, "no class"), ({"MEL": "x"}, "x")]
)
def test_a_row_that_is_not_one_hot_is_refused(tmp_path, cells, problem):
    write_isic2018(tmp_path)
    with_row(tmp_path / "ISIC2018_Task3_Training_GroundTruth.csv", cells)
    error = refused(tmp_path)
    assert "Line 2" in error.message
    assert problem in error.message


@pytest.mark.parametrize("column", ["path", "class"])
def test_an_empty_cell_is_refused(tmp_path, column):
    table = write_csv_dataset(tmp_path)
    with_row(table, {column: " "})
    assert "Line 2" in refused(table).message


OUTSIDE = [
    "../outside.png",
    "../data2/x.png",
    "MEL/../../outside.png",
    "..\\outside.png",
    "/etc/outside.png",
    "C:\\photos\\x.png",
    ".",
]


@pytest.mark.parametrize("path", OUTSIDE)
def test_paths_that_lead_outside_are_refused(tmp_path, path):
    folder = write_labelled_folder(tmp_path / "data", lesions=1)
    Image.new("RGB", (8, 8)).save(tmp_path / "outside.png")
    with_row(folder / "labels.csv", {"path": path})
    error = refused(folder)
    assert "does not lie in the table's folder" in error.message
    assert path in error.message


def test_an_absolute_path_inside_the_folder_is_fine(tmp_path):
    folder = write_labelled_folder(tmp_path, lesions=1)
    expected = read_dataset(folder).images
    with_row(folder / "labels.csv", {"path": str(tmp_path / "MEL" / "MEL_0_0.png")})
    assert read_dataset(folder).images == expected


@pytest.mark.parametrize("name", ["../outside", "..\\outside", "/etc/outside.jpg"])
def test_picture_names_are_no_paths(tmp_path, name):
    folder = write_ham10000(tmp_path / "data")
    Image.new("RGB", (8, 8)).save(tmp_path / "data" / "outside.jpg")
    with_row(folder / "metadata" / "HAM10000_metadata.csv", {"image_id": name})
    assert "is a path" in refused(folder).message


def test_a_few_missing_files_are_counted_and_named(tmp_path):
    folder = write_labelled_folder(tmp_path, lesions=6)  # 63 images
    gone = [image.path for image in read_dataset(folder).images[:3]]
    for path in gone:
        path.unlink()
    photographs = read_dataset(folder)
    assert photographs.missing == tuple(gone)
    assert len(photographs.images) == 60
    assert not {image.path for image in photographs.images} & set(gone)
    assert photographs.notes[0].startswith(f"3 of 63 labelled photographs are missing: {gone[0]}, ")


def test_many_missing_files_are_refused(tmp_path):
    folder = write_labelled_folder(tmp_path, lesions=6)
    gone = [image.path for image in read_dataset(folder).images[10:14]]
    for path in gone:
        path.unlink()
    error = refused(folder)
    assert "4 of 63" in error.message
    assert str(gone[0]) in error.message
    assert "and 1 more" in error.message


def test_a_missing_part_of_ham10000_is_refused(tmp_path):
    write_ham10000(tmp_path, parts=True)
    (tmp_path / "HAM10000_images_part_2").rename(tmp_path / "elsewhere")
    assert "7 of 14" in refused(tmp_path).message


def test_repeated_rows_are_passed_over_and_counted(tmp_path):
    table = write_csv_dataset(tmp_path)
    expected = read_dataset(table).images
    with_row(table, {}, add=True)
    with_row(table, {}, row=5, add=True)
    photographs = read_dataset(table)
    assert photographs.images == expected
    assert photographs.notes == ("Ignored: 2 duplicate rows.",)
    assert all(isinstance(note, Message) for note in photographs.notes)  # so that the window says it in its language


CONTRADICTIONS = [
    ({"class": "VASC"}, "classes MEL and VASC"),
    ({"lesion_id": "other"}, "lesions L_MEL_0 and other"),
    ({"path": "NV/NV_0_0.png"}, "two files"),
    ({"split": "test"}, "parts 'train' and 'test'"),
    ({"id": "other name", "class": "NV", "lesion_id": "other"}, "classes MEL and NV"),
]


@pytest.mark.parametrize(("changes", "problem"), CONTRADICTIONS)
def test_rows_that_contradict_each_other_are_refused(tmp_path, changes, problem):
    folder = write_labelled_folder(tmp_path, lesions=1)
    with_row(folder / "labels.csv", changes, add=True)
    assert problem in refused(folder).message


def test_a_lesion_in_two_classes_is_refused(tmp_path):
    folder = write_labelled_folder(tmp_path, lesions=2)
    with_row(folder / "labels.csv", {"lesion_id": "L_NV_0"})
    error = refused(folder)
    assert "L_NV_0" in error.message
    assert "both" in error.message


def test_a_photograph_in_two_class_folders_is_refused_but_an_equal_number_is_not(tmp_path):
    write_image_folder(tmp_path)
    assert len(read_dataset(tmp_path).images) == 14  # 0.png lies in every class
    (tmp_path / "VASC" / "0.png").write_bytes((tmp_path / "MEL" / "0.png").read_bytes())
    error = refused(tmp_path)
    assert str(tmp_path / "MEL" / "0.png") in error.message
    assert str(tmp_path / "VASC" / "0.png") in error.message


@pytest.mark.parametrize(
    ("written", "part"), [("Validation", "val"), ("TRAIN", "train"), ("testing", "test"), ("", "")]
)
def test_parts_under_other_names(tmp_path, written, part):
    folder = write_labelled_folder(tmp_path, lesions=1)
    with_row(folder / "labels.csv", {"split": written})
    (image,) = (image for image in read_dataset(folder).images if image.image_id == "MEL_0_0")
    assert image.split == part


def test_an_unknown_part_is_refused(tmp_path):
    folder = write_labelled_folder(tmp_path, lesions=1)
    with_row(folder / "labels.csv", {"split": "holdout"})
    assert "'holdout'" in refused(folder).message


def test_a_table_without_rows_is_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("id,class,lesion_id,path\n", encoding="utf-8")
    assert "lists no image" in refused(tmp_path).message


def test_some_images_without_lesion_are_lesions_of_their_own_and_counted(tmp_path):
    folder = write_labelled_folder(tmp_path, lesions=2)
    with_row(folder / "labels.csv", {"lesion_id": ""})
    photographs = read_dataset(folder)
    assert photographs.grouped
    assert photographs.notes == ("1 of 21 images have no lesion identifier; each counts as a separate lesion.",)


@pytest.mark.skipif("ISICGUI_HAM10000" not in os.environ, reason="ISICGUI_HAM10000 does not name the photographs")
def test_the_real_photographs_are_read_completely():
    photographs = read_dataset(Path(os.environ["ISICGUI_HAM10000"]))
    counts = Counter(image.code for image in photographs.images if image.split == "train")
    expected = {"MEL": 1113, "NV": 1500, "BCC": 514, "AKIEC": 327, "BKL": 1099, "DF": 115, "VASC": 142}
    assert (photographs.kind, photographs.grouped, photographs.notes, counts) == ("labels.csv", True, (), expected)


def test_the_terms_that_a_table_names_are_read(tmp_path):
    folder = write_labelled_folder(tmp_path, lesions=2)
    assert read_dataset(folder).terms == Licence()
    rows = [
        {**row, "licence": "CC-BY-NC", "attribution": "A clinic, in a town"} for row in rows_of(folder / "labels.csv")
    ]
    write_table(folder / "labels.csv", rows)
    assert read_dataset(folder).terms == Licence("CC-BY-NC", "A clinic, in a town")
    with_row(folder / "labels.csv", {"licence": "", "attribution": "Another"})
    with_row(folder / "labels.csv", {"licence": "CC-0", "attribution": ""}, row=1)
    terms = read_dataset(folder).terms
    assert terms.name.startswith("CC-BY-NC; ")
    assert set(terms.name.split("; ")) == {"CC-BY-NC", "CC-0", "unknown"}
    assert terms.credit == "A clinic, in a town; Another"


@pytest.mark.parametrize("column", ["licence", "license", "copyright_license"])
def test_a_table_of_another_makers_spelling_names_its_terms_too(tmp_path, column):
    table = write_csv_dataset(tmp_path)
    write_table(table, [{**row, column: "CC-0"} for row in rows_of(table)])
    assert read_dataset(table).terms == Licence("CC-0")


def test_settings_win_over_the_table_and_the_table_over_the_form():
    stated = Licence("CC-0", "A clinic")
    assert licence_of("ham10000", stated=stated) == stated
    assert licence_of("labels.csv", stated=stated) == stated
    assert licence_of("labels.csv", "mine", stated=stated) == Licence("mine", "A clinic")
    assert licence_of("labels.csv", "mine", "me", stated=stated) == Licence("mine", "me")
    assert licence_of("ham10000").name.startswith("CC BY-NC")
    assert licence_of("labels.csv") == Licence()


@pytest.mark.parametrize("kind", ["ham10000", "isic2018"])
def test_the_terms_of_ham10000_are_known_by_its_form(kind):
    assert "CC BY-NC 4.0" in licence_of(kind).name
    assert "Tschandl" in licence_of(kind).credit
    assert licence_of(kind, credit="me").credit == "me"
    assert licence_of(kind, stated=Licence(credit="a clinic")).credit == "a clinic"
    assert licence_of(kind, "mine") == Licence("mine", "")
    assert licence_of("isic2019") == Licence("unknown", "")


def test_the_terms_are_said_or_that_nobody_has_said_them():
    assert Licence("CC-0").sentence == "The weights inherit the licence of the training photographs: **CC-0**."
    assert "unknown, and so is that of these weights: ask before you share them" in Licence().sentence


def test_credit_alone_makes_no_licence_and_of_two_columns_the_first_counts(tmp_path):
    table = write_csv_dataset(tmp_path)
    rows = rows_of(table)
    write_table(table, [{**row, "credit": "B" if number else "A"} for number, row in enumerate(rows)])
    assert read_dataset(table).terms == Licence("unknown", "B; A")
    write_table(table, [{**row, "license": "two", "licence": "one"} for row in rows])
    assert read_dataset(table).terms == Licence("one", "")


@pytest.mark.parametrize(("gone", "is_read"), [(1, True), (2, False)])
def test_exactly_one_of_twenty_may_be_missing(tmp_path, gone, is_read):
    folder = write_labelled_folder(tmp_path, lesions=6)
    images = read_dataset(folder).images[:20]
    rows = {row["id"]: row for row in rows_of(folder / "labels.csv")}
    write_table(folder / "labels.csv", [rows[image.image_id] for image in images])
    for image in images[:gone]:
        image.path.unlink()
    if is_read:
        assert (
            read_dataset(folder).notes[0]
            == f"1 of 20 labelled photographs are missing: {images[0].path}. They are ignored."
        )
    else:
        assert refused(folder).message.startswith("2 of 20 labelled photographs are missing: ")


def test_a_repetition_that_says_less_of_the_lesion_is_none_and_another_name_of_the_file_is_one(tmp_path):
    folder = write_labelled_folder(tmp_path, lesions=1)
    expected = read_dataset(folder).images
    with_row(folder / "labels.csv", {"lesion_id": ""}, add=True)
    with_row(folder / "labels.csv", {"id": "other name"}, add=True)
    with_row(folder / "labels.csv", {"id": "third name", "lesion_id": ""}, add=True)
    found = read_dataset(folder)
    assert found.images == expected
    assert found.notes == ("Ignored: 3 duplicate rows.",)


def test_the_note_on_lesions_is_about_the_images_that_are_there(tmp_path):
    table = write_csv_dataset(tmp_path, group=False)
    (note,) = read_dataset(table).notes
    assert note == "The data set has no lesion identifiers: photographs of the same lesion cannot be recognised."
    next(tmp_path.glob("MEL/*")).unlink()
    assert len(read_dataset(table).notes) == 2


def test_eight_things_of_a_strange_folder_are_named(tmp_path):
    for number in range(9):
        (tmp_path / f"{number}.txt").touch()
    assert refused(tmp_path).message.endswith("it holds 0.txt, 1.txt, 2.txt, 3.txt, 4.txt, 5.txt, 6.txt, 7.txt.")


def test_a_pipe_is_no_data_set(tmp_path):
    os.mkfifo(tmp_path / "p")
    assert "is a named pipe, not a data set" in refused(tmp_path / "p").message


@pytest.mark.parametrize("folder", ["Metadata", "META", "ISIC2018_Task3_Training_GroundTruth"])
def test_tables_are_looked_for_in_the_folders_of_the_archives_alone(tmp_path, folder):
    write_ham10000(tmp_path)
    (tmp_path / "metadata").rename(tmp_path / "aside")
    (tmp_path / "aside").rename(tmp_path / folder)
    assert len(read_dataset(tmp_path).images) == 14
    (tmp_path / folder).rename(tmp_path / "tables")
    assert "no data set" in refused(tmp_path).message


def test_hidden_tables_and_folders_named_like_tables_are_none(tmp_path):
    write_isic2018(tmp_path)
    table = tmp_path / "ISIC2018_Task3_Training_GroundTruth.csv"
    (tmp_path / "._ISIC2018_Task3_Training_GroundTruth.csv").write_bytes(table.read_bytes())
    (tmp_path / "x.csv").mkdir()
    assert len(read_dataset(tmp_path).images) == 28


def test_class_folders_that_are_hidden_or_files_are_none(tmp_path):
    write_image_folder(tmp_path)
    (tmp_path / "MEL").rename(tmp_path / ".MEL")
    (tmp_path / "melanoma").touch()
    assert {image.code for image in read_dataset(tmp_path).images} == set(CLASS_CODES) - {"MEL"}


def test_class_folders_without_a_photograph_say_what_they_hold(tmp_path):
    (tmp_path / "MEL").mkdir()
    (tmp_path / "MEL" / "a.heic").touch()
    error = refused(tmp_path)
    assert "hold no photograph" in error.message
    assert "HEIC: 1" in error.remedy


def test_files_beside_photographs_are_counted_by_kind(tmp_path):
    write_image_folder(tmp_path)
    for name in ("MEL/a.txt", "NV/b.TXT", "NV/README", "NV/.hidden", "DF/0_mask.png", "DF/c.gif"):
        (tmp_path / name).touch()
    notes = read_dataset(tmp_path).notes
    (note,) = (note for note in notes if "ignored" in note)
    assert note.endswith("are ignored: 2 of .txt, 1 of no suffix.")


def test_folders_of_no_class_beside_and_inside_parts_are_counted(tmp_path):
    write_image_folder(tmp_path, parts=("train", "test"))
    for name in ("train/SCC/1.jpg", "test/SCC/2.jpg", "test/SCC/3.jpg", "other/4.jpg", "train/empty/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (note,) = (note for note in read_dataset(tmp_path).notes if "left out" in note)
    assert "3 photographs (test/SCC: 2, train/SCC: 1)" in note


def test_two_files_of_one_lower_case_name_are_told_by_their_own_case(tmp_path):
    for name in ("A/x.jpg", "a/x.jpg", "b/Y.jpg", "b/y.jpg", "b/Z.JPG", "C/w.jpeg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    if len(list(tmp_path.iterdir())) < 4:
        pytest.skip("names here have no case")

    def path_of(text: str) -> Path | None:
        (tmp_path / "t.csv").write_text(f"path,class\n{text},MEL\n")
        try:
            return read_dataset(tmp_path / "t.csv").images[0].path
        except InputRefusedError:
            return None

    assert path_of("A/x.jpg") == tmp_path / "A" / "x.jpg"
    assert path_of("a/X.jpg") is path_of("B/Y.JPG") is None, "two of one name"
    assert path_of("B/z.png") == tmp_path / "b" / "Z.JPG"
    assert path_of("c/W.JPG") == tmp_path / "C" / "w.jpeg"
    assert path_of("c/W") == tmp_path / "C" / "w.jpeg"
    assert path_of("d/w.jpg") is None


def test_the_same_photograph_in_two_of_seven_classes_is_enough(tmp_path):
    write_image_folder(tmp_path)
    (tmp_path / "VASC" / "same.PNG").write_bytes((tmp_path / "MEL" / "0.png").read_bytes())
    assert len(read_dataset(tmp_path).images) == 15, "under another name it is not looked for"
    (tmp_path / "MEL" / "Same.png").write_bytes((tmp_path / "MEL" / "0.png").read_bytes())
    assert "in MEL and in VASC" in refused(tmp_path).message
