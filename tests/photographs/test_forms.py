"""The well-known forms of labelled photographs, each laid out as its makers give it away."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from core.errors import InputRefusedError
from core.taxonomy import CLASS_CODES
from photographs.label_forms import LABEL_FORMS, UnknownFormError
from photographs.missing import MISSING
from photographs.sources import read_dataset


def pictures(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def codes(folder: Path) -> dict[str, str]:
    return {image.path.stem: image.code for image in read_dataset(folder).images}


def isic2019(folder: Path, *, unknown: bool = True) -> Path:
    heads = ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC"] + ["UNK"] * unknown
    names = [f"ISIC_{number}" + "_downsampled" * (number % 2) for number in range(len(heads))]
    rows = [f"{name},{','.join('1.0' if i == j else '0.0' for j in range(len(heads)))}" for i, name in enumerate(names)]
    pictures(folder, *(f"ISIC_2019_Training_Input/{name}.jpg" for name in names))
    table = "\n".join([f"image,{','.join(heads)}", *rows])
    (folder / "ISIC_2019_Training_GroundTruth.csv").write_text(table + "\n")
    lesions = "\n".join(
        [
            "image,age_approx,lesion_id",
            *(f"{name},55.0,{f'BCN_{i}' if i else 'nan'}" for i, name in enumerate(names)),
        ]
    )
    (folder / "ISIC_2019_Training_Metadata.csv").write_text(lesions + "\n")
    return folder


@pytest.mark.parametrize("unknown", [True, False])
def test_isic_2019_reads_ak_as_akiec_and_counts_what_is_none_of_the_seven(tmp_path, unknown):
    found = read_dataset(isic2019(tmp_path, unknown=unknown))
    assert (found.kind, found.grouped) == ("isic2019", True)
    assert [image.code for image in sorted(found.images, key=lambda image: image.path.name)] == [*CLASS_CODES]
    notes = " ".join(found.notes)
    assert "AK = AKIEC" in notes
    assert ("SCC: 1, UNK: 1" if unknown else "(SCC: 1)") in notes


def test_isic_2019_finds_pictures_whose_names_differ_by_downsampled(tmp_path):
    isic2019(tmp_path)
    home = tmp_path / "ISIC_2019_Training_Input"
    (home / "ISIC_1_downsampled.jpg").rename(home / "ISIC_1.jpg")
    (home / "ISIC_2.jpg").rename(home / "ISIC_2_downsampled.JPG")
    assert len(read_dataset(tmp_path).images) == 7


ARCHIVE = """isic_id,attribution,copyright_license,diagnosis_1,diagnosis_2,diagnosis_3,diagnosis_4,image_type,lesion_id
ISIC_1,A clinic,CC-0,Malignant,Malignant melanocytic proliferations (Melanoma),Melanoma Invasive,,dermoscopic,IL_1
ISIC_2,A clinic,CC-BY,Benign,Benign melanocytic proliferations,Nevus,"Nevus, Dermal",dermoscopic,IL_2
ISIC_3,A clinic,CC-BY,Malignant,Malignant epidermal proliferations,"Squamous cell carcinoma, NOS",,dermoscopic,IL_3
ISIC_4,A clinic,CC-BY,Benign,,,,dermoscopic,IL_4
ISIC_5,A clinic,CC-BY,Benign,,Nevus,,clinical: close-up,IL_5
"""


def test_the_archives_table(tmp_path):
    pictures(tmp_path, *(f"ISIC_{number}.jpg" for number in range(1, 6)))
    (tmp_path / "metadata.csv").write_text(ARCHIVE)
    found = read_dataset(tmp_path)
    assert found.kind == "isic-archive"
    assert [(image.image_id, image.code, image.lesion_id) for image in found.images] == [
        ("ISIC_1", "MEL", "IL_1"),
        ("ISIC_2", "NV", "IL_2"),
    ]
    notes = " ".join(found.notes)
    assert "Squamous cell carcinoma, NOS: 1" in notes
    assert "no diagnosis: 1" in notes
    assert "image_type and left out: 1 row." in notes
    assert (found.terms.name, found.terms.credit) == ("CC-BY; CC-0", "A clinic")


def test_isic_2020_leaves_out_what_has_no_diagnosis(tmp_path):
    rows = ["image_name,patient_id,lesion_id,sex,diagnosis,benign_malignant,target"]
    rows += ["ISIC_1,IP_1,IL_1,male,melanoma,malignant,1", "ISIC_2,IP_1,IL_2,male,nevus,benign,0"]
    rows += ["ISIC_3,IP_1,IL_3,male,unknown,benign,0", "ISIC_4,IP_2,,male,seborrheic keratosis,benign,0"]
    (tmp_path / "ISIC_2020_Training_GroundTruth_v2.csv").write_text("\n".join(rows))
    pictures(tmp_path, *(f"train/ISIC_{number}.jpg" for number in range(1, 5)))
    found = read_dataset(tmp_path)
    assert found.kind == "isic2020"
    assert codes(tmp_path) == {"ISIC_1": "MEL", "ISIC_2": "NV", "ISIC_4": "BKL"}
    assert "no diagnosis: 1" in " ".join(found.notes)


def test_a_name_that_two_pictures_share_is_refused_where_a_table_names_it(tmp_path):
    (tmp_path / "train.csv").write_text("image_name,diagnosis\nISIC_1,melanoma\n")
    pictures(tmp_path, "a/ISIC_1.jpg", "b/ISIC_1.jpg")
    with pytest.raises(InputRefusedError, match="Several photographs"):
        read_dataset(tmp_path)


def test_ham10000_with_its_test_set(tmp_path):
    head = "lesion_id,image_id,dx,dx_type\n"
    pictures(tmp_path, "HAM10000_images_part_1/ISIC_1.jpg", "HAM10000_images_part_2/ISIC_2.jpg")
    pictures(tmp_path, "ISIC2018_Task3_Test_Images/ISIC_3.jpg", "ISIC2018_Task3_Test_Images/._ISIC_3.jpg")
    (tmp_path / "HAM10000_metadata.csv").write_text(f"{head}HAM_1,ISIC_1,mel,histo\nHAM_2,ISIC_2,nv,histo\n")
    (tmp_path / "ISIC2018_Task3_Test_GroundTruth.csv").write_text(f"{head}HAM_3,ISIC_3,bcc,histo\n")
    found = read_dataset(tmp_path)
    assert found.kind == "ham10000"
    assert {image.image_id: (image.code, image.split) for image in found.images} == {
        "ISIC_1": ("MEL", ""), "ISIC_2": ("NV", ""), "ISIC_3": ("BCC", "test"),
    }  # fmt: skip


def test_the_test_set_alone(tmp_path):
    pictures(tmp_path, "ISIC2018_Task3_Test_Images/ISIC_3.jpg")
    (tmp_path / "ISIC2018_Task3_Test_GroundTruth.csv").write_text("lesion_id,image_id,dx\nHAM_3,ISIC_3,bcc\n")
    assert codes(tmp_path) == {"ISIC_3": "BCC"}


@pytest.mark.parametrize("label", ["label", "class", "dx", "diagnosis"])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_hugging_faces_metadata(tmp_path, label, kind):
    rows = [("a.jpg", "MEL"), ("x/b.jpg", "nevus"), ("c.jpg", "SCC")]
    pictures(tmp_path, *(name for name, _ in rows))
    if kind == "jsonl":
        text = "\n".join(json.dumps({"file_name": name, label: code}) for name, code in rows)
    else:
        text = "\n".join([f"file_name,{label}", *map(",".join, rows)])
    (tmp_path / f"metadata.{kind}").write_text(text)
    found = read_dataset(tmp_path)
    assert found.kind == "huggingface"
    assert codes(tmp_path) == {"a": "MEL", "b": "NV"}
    assert "SCC: 1" in " ".join(found.notes)
    assert read_dataset(tmp_path / f"metadata.{kind}").images == found.images


def test_hugging_faces_parts(tmp_path):
    for part in ("train", "test"):
        pictures(tmp_path, f"{part}/1.jpg", f"{part}/2.jpg")
        lines = [json.dumps({"file_name": f"{n}.jpg", "label": code}) for n, code in ((1, "MEL"), (2, "NV"))]
        (tmp_path / part / "metadata.jsonl").write_text("\n".join(lines))
    found = read_dataset(tmp_path)
    assert Counter((image.code, image.split) for image in found.images) == {
        ("MEL", "train"): 1, ("NV", "train"): 1, ("MEL", "test"): 1, ("NV", "test"): 1,
    }  # fmt: skip
    assert not found.grouped


def test_captions_without_labels_leave_it_to_the_class_folders(tmp_path):
    pictures(tmp_path, "MEL/1.jpg", "NV/2.jpg")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "MEL/1.jpg", "text": "a lesion"}\n')
    assert read_dataset(tmp_path).kind == "imagefolder"


@pytest.mark.parametrize("name", ["metadata.jsonl", "manifest.jsonl"])
def test_numbers_of_any_task_are_no_classes(tmp_path, name):
    key = "file_name" if name.startswith("meta") else "image_path"
    pictures(tmp_path, *(f"{number}.jpg" for number in range(5)))
    lines = [json.dumps({key: f"{number}.jpg", "label": number}) for number in range(5)]
    (tmp_path / name).write_text("\n".join(lines))
    with pytest.raises(InputRefusedError, match="is a number") as refused:
        read_dataset(tmp_path)
    assert "MEL, NV" in refused.value.remedy


def test_a_name_beside_a_number_decides(tmp_path):
    pictures(tmp_path, "1.jpg")
    (tmp_path / "m.jsonl").write_text('{"image_path": "1.jpg", "class": "MEL", "label": 4}\n')
    assert codes(tmp_path) == {"1": "MEL"}


def derm7pt(folder: Path) -> Path:
    head = "case_num,diagnosis,seven_point_score,clinic,derm,case_id"
    rows = ["1,basal cell carcinoma,0,NEL/a.jpg,NEL/b.jpg,", "2,clark nevus,1,NEL/c.jpg,Nel/D.jpg,",
            "3,melanoma (in situ),1,NEL/e.jpg,NEL/f.jpg,", "4,lentigo,1,NEL/g.jpg,NEL/h.jpg,"]  # fmt: skip
    (folder / "meta").mkdir(parents=True)
    (folder / "meta" / "meta.csv").write_text("\n".join([head, *rows]))
    for part, indexes in (("train", "0"), ("valid", "1"), ("test", "2\n3")):
        (folder / "meta" / f"{part}_indexes.csv").write_text(f"indexes\n{indexes}\n")
    return pictures(folder, *(f"images/NEL/{name}.jpg" for name in "abcdefgh"))


def test_derm7pt_with_its_parts(tmp_path):
    found = read_dataset(derm7pt(tmp_path))
    assert found.kind == "derm7pt"
    assert {image.path.stem: (image.code, image.split) for image in found.images} == {
        "b": ("BCC", "train"), "d": ("NV", "val"), "f": ("MEL", "test"),
    }  # fmt: skip
    assert "lentigo: 1" in " ".join(found.notes)


PH2 = """|| Name   || Histological Diagnosis | Clinical Diagnosis || Asymmetry | Pigment Network | Colors ||
|| IMD003 ||                        | 0                  || 0         | T               | 4      ||
|| IMD009 || in situ                | 1                  || 0         | T               | 4      ||
|| IMD058 || invasive               | 2                  || 2         | AT              | 1  2   ||
"""


def test_ph2_and_its_masks(tmp_path):
    home = "PH2 Dataset images"
    for name in ("IMD003", "IMD009", "IMD058"):
        pictures(
            tmp_path,
            f"{home}/{name}/{name}_Dermoscopic_Image/{name}.bmp",
            f"{home}/{name}/{name}_lesion/{name}_lesion.bmp",
        )
    with pytest.raises(InputRefusedError, match=r"PH2_dataset\.txt"):
        read_dataset(tmp_path)
    (tmp_path / "PH2_dataset.txt").write_text(PH2)
    assert read_dataset(tmp_path).kind == "ph2"
    assert codes(tmp_path) == {"IMD003": "NV", "IMD009": "NV", "IMD058": "MEL"}


def test_kaggles_nine_folders(tmp_path):
    nine = (
        "actinic keratosis", "basal cell carcinoma", "dermatofibroma", "melanoma", "nevus",
        "pigmented benign keratosis", "seborrheic keratosis", "squamous cell carcinoma", "vascular lesion",
    )  # fmt: skip
    pictures(
        tmp_path,
        *(f"{part}/{name}/{part}{number}.jpg" for part in ("Train", "Test") for number, name in enumerate(nine)),
    )
    found = read_dataset(tmp_path)
    assert Counter(image.code for image in found.images) == {
        "AKIEC": 2, "BCC": 2, "DF": 2, "MEL": 2, "NV": 2, "BKL": 4, "VASC": 2,
    }  # fmt: skip
    assert Counter(image.split for image in found.images) == {"train": 8, "test": 8}
    notes = " ".join(found.notes)
    assert "squamous cell carcinoma: 1" in notes
    assert "seborrheic keratosis = BKL" in notes


@pytest.mark.parametrize("missing", [*sorted(MISSING), "NaN", " N/A ", "None", "NULL"])
def test_missing_lesions_are_none(tmp_path, missing):
    rows = [
        f"images/{number}.jpg,{'MEL' if number < 4 else 'NV'},{missing if number < 4 else number}"
        for number in range(8)
    ]
    (tmp_path / "table.csv").write_text("\n".join(["path,class,group", *rows]))
    pictures(tmp_path, *(f"images/{number}.jpg" for number in range(8)))
    found = read_dataset(tmp_path / "table.csv")
    assert len({image.lesion_id for image in found.images}) == 8
    assert any("4 of 8 images" in note for note in found.notes)


@pytest.mark.parametrize("missing", ["NaN", "Infinity", "-Infinity", "null", '"nan"', '"None"', '""', '" - "'])
def test_missing_values_of_json(tmp_path, missing):
    lines = [
        f'{{"image_path": "{n}.jpg", "class": "MEL", "lesion_id": {missing}, "split": {missing}}}' for n in range(3)
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(lines))
    pictures(tmp_path, "0.jpg", "1.jpg", "2.jpg")
    found = read_dataset(tmp_path)
    assert not found.grouped
    assert {image.split for image in found.images} == {""}


@pytest.mark.parametrize("missing", ["nan", "None", "-"])
@pytest.mark.parametrize("column", ["licence", "attribution", "split"])
def test_missing_values_of_other_columns(tmp_path, missing, column):
    (tmp_path / "t.csv").write_text(f"path,class,{column}\n1.jpg,MEL,{missing}\n")
    found = read_dataset(pictures(tmp_path, "1.jpg") / "t.csv")
    assert found.images[0].split == ""
    assert (found.terms.name, found.terms.credit) == ("unknown", "")


def test_paths_of_windows_in_another_case_and_with_another_suffix(tmp_path):
    rows = [r".\Images\A.JPG,mel", r"images\b.jpeg,nv", r".\images\sub\..\c.png,bcc"]
    (tmp_path / "t.csv").write_text("\n".join(["path,class", *rows]))
    pictures(tmp_path, "images/a.jpg", "images/B.jpg", "images/c.png")
    found = read_dataset(tmp_path / "t.csv")
    assert {image.path.name: image.code for image in found.images} == {"a.jpg": "MEL", "B.jpg": "NV", "c.png": "BCC"}
    assert not found.missing


def test_another_suffix_that_fits_two_files_is_not_guessed(tmp_path):
    (tmp_path / "t.csv").write_text("path,class\na.bmp,MEL\n")
    pictures(tmp_path, "a.jpg", "a.png")
    with pytest.raises(InputRefusedError, match="are missing"):
        read_dataset(tmp_path / "t.csv")


def test_every_form_says_what_belongs_to_it():
    assert len(LABEL_FORMS) >= 11
    for key, form in LABEL_FORMS.items():
        assert form.key == key
        assert form.hint.endswith(".")


def test_a_table_of_one_part_alone_names_no_part(tmp_path):
    pictures(tmp_path, "ISIC2018_Task3_Test_Images/ISIC_3.jpg", "hf/test/1.jpg")
    (tmp_path / "ISIC2018_Task3_Test_GroundTruth.csv").write_text("lesion_id,image_id,dx\n,ISIC_3,bcc\n")
    (image,) = read_dataset(tmp_path).images
    assert (image.image_id, image.lesion_id, image.split) == ("ISIC_3", "ISIC_3", "")
    (tmp_path / "hf" / "test" / "metadata.csv").write_text("file_name,label\n1.jpg,MEL\n")
    (image,) = read_dataset(tmp_path / "hf").images
    assert (image.image_id, image.lesion_id, image.split) == ("1.jpg", "1.jpg", "")


def test_hugging_faces_parts_keep_lesions_and_what_the_rows_say(tmp_path):
    for part in ("train", "Validation"):
        pictures(tmp_path, f"{part}/1.jpg", f"{part}/2.jpg", f"{part}/3.jpg")
        rows = ["1.jpg,MEL,L1,,", "2.jpg,MEL,,G2,test", "3.jpg,nevus,,,"]
        text = "\n".join(["file_name,label,lesion_id,group,split", *rows])
        (tmp_path / part / "metadata.csv").write_text(text)
    found = {image.image_id: (image.lesion_id, image.split) for image in read_dataset(tmp_path).images}
    assert found == {
        "train/1.jpg": ("L1", "train"), "train/2.jpg": ("G2", "test"), "train/3.jpg": ("train/3.jpg", "train"),
        "Validation/1.jpg": ("L1", "val"), "Validation/2.jpg": ("G2", "test"),
        "Validation/3.jpg": ("Validation/3.jpg", "val"),
    }  # fmt: skip


def test_a_lesion_id_comes_before_a_group_in_our_forms_and_after_it_in_a_table_of_paths(tmp_path):
    pictures(tmp_path, "1.jpg")
    (tmp_path / "t.csv").write_text("path,class,lesion_id,group\n1.jpg,MEL,L,G\n")
    assert read_dataset(tmp_path / "t.csv").images[0].lesion_id == "G"
    (tmp_path / "t.csv").write_text("file_name,label,lesion_id,group\n1.jpg,MEL,L,G\n")
    assert read_dataset(tmp_path / "t.csv").images[0].lesion_id == "L"


@pytest.mark.parametrize(("number", "is_read"), [("0.5", False), ("0.51", True), ("0,9", True), ("1", True)])
def test_a_class_is_marked_from_above_one_half_on(tmp_path, number, is_read):
    heads = CLASS_CODES
    cells = ";".join(number if code == "DF" else "0,0" for code in heads)
    (tmp_path / "ISIC2018_Task3_Training_GroundTruth.csv").write_text(f"image;{';'.join(heads)}\nISIC_1;{cells}\n")
    pictures(tmp_path, "ISIC2018_Task3_Training_Input/ISIC2018_Task3_Training_Input/ISIC_1.jpg")
    if is_read:
        assert codes(tmp_path) == {"ISIC_1": "DF"}
    else:
        with pytest.raises(InputRefusedError, match="marks no class"):
            read_dataset(tmp_path)


def test_two_input_folders_are_not_guessed_from_and_the_one_of_the_tables_name_is_taken(tmp_path):
    (tmp_path / "My_GroundTruth.csv").write_text(f"image,{','.join(CLASS_CODES)}\nISIC_1,1,0,0,0,0,0,0\n")
    pictures(tmp_path, "a_Input/ISIC_1.jpg")
    assert codes(tmp_path) == {"ISIC_1": "MEL"}
    pictures(tmp_path, "b_Input/ISIC_1.jpg")
    with pytest.raises(InputRefusedError, match="a_Input, b_Input") as refused:
        read_dataset(tmp_path)
    assert "My_Input" in refused.value.remedy
    pictures(tmp_path, "my_input/ISIC_1.jpg")
    assert read_dataset(tmp_path).images[0].path == tmp_path / "my_input" / "ISIC_1.jpg"


def test_a_lesion_table_above_the_ground_truths_own_folder(tmp_path):
    inner = tmp_path / "ISIC2018_Task3_Training_GroundTruth"
    pictures(tmp_path, *(f"ISIC2018_Task3_Training_Input/ISIC_{number}.jpg" for number in (1, 2, 3)))
    inner.mkdir()
    rows = "".join(f"ISIC_{number},1,0,0,0,0,0,0\n" for number in (1, 2, 3))
    (inner / "ISIC2018_Task3_Training_GroundTruth.csv").write_text(f"image,{','.join(CLASS_CODES)}\n{rows}")
    lesions = "image,lesion_id\nISIC_1.jpg,HAM_1\nISIC_2,HAM_1\nISIC_3,\n"
    (tmp_path / "ISIC2018_Task3_Training_LesionGroupings.csv").write_text(lesions)
    found = {image.image_id: image.lesion_id for image in read_dataset(tmp_path).images}
    assert found == {"ISIC_1": "HAM_1", "ISIC_2": "HAM_1", "ISIC_3": "ISIC_3"}


def test_the_archives_table_without_dermoscopic_photographs_or_with_the_oldest_columns(tmp_path):
    pictures(tmp_path, "a/ISIC_1.jpg", "a/ISIC_2.jpg", "ISIC_3_downsampled.jpg")
    (tmp_path / "metadata.csv").write_text(
        "isic_id,diagnosis,diagnosis_5,image_type\nISIC_1,nevus,melanoma,\nISIC_2,nevus,sunny,Dermoscopy\n"
        "ISIC_3,BCC,,dermoscopic\nISIC_4,BCC,,overview\nISIC_5,BCC,,TBP tile\n"
    )
    found = read_dataset(tmp_path)
    assert {image.image_id: (image.code, image.lesion_id) for image in found.images} == {
        "ISIC_1": ("MEL", "ISIC_1"), "ISIC_2": ("NV", "ISIC_2"), "ISIC_3": ("BCC", "ISIC_3"),
    }  # fmt: skip
    assert "left out: 2 rows." in " ".join(found.notes)
    (tmp_path / "metadata.csv").write_text("isic_id,sex\nISIC_1,male\n")
    with pytest.raises(UnknownFormError):
        read_dataset(tmp_path)


def test_derm7pt_without_its_photographs_or_its_parts(tmp_path):
    derm7pt(tmp_path)
    for name in ("train", "valid", "test"):
        (tmp_path / "meta" / f"{name}_indexes.csv").unlink()
    (tmp_path / "meta" / "train_indexes.csv").write_text("indexes,x\n0.0,1\n,2\n")
    assert {image.path.stem: image.split for image in read_dataset(tmp_path).images} == {"b": "train", "d": "", "f": ""}
    (tmp_path / "images").rename(tmp_path / "meta" / "images")
    assert len(read_dataset(tmp_path).images) == 3
    (tmp_path / "meta" / "images").rename(tmp_path / "pictures")
    with pytest.raises(InputRefusedError, match="no folder images/"):
        read_dataset(tmp_path)


def test_ph2_counts_what_is_no_case_and_names_what_is_missing(tmp_path):
    home = "PH2 Dataset images"
    names = [f"IMD{number:03}" for number in range(40)]
    pictures(tmp_path, *(f"{home}/{name}/{name}_Dermoscopic_Image/{name}.bmp" for name in names[1:]))
    pictures(tmp_path, f"{home}/IMD001/IMD001_Dermoscopic_Image/notes.txt")
    rows = [f"|| {name.lower()} || | {number % 3} || 0 ||" for number, name in enumerate(names)]
    (tmp_path / "PH2_dataset.txt").write_text(
        "\n".join(["|| Name || x | y ||", *rows, "|| IMD9 ||", "Legend: | 1 | 2 |"])
    )
    found = read_dataset(tmp_path)
    assert Counter(image.code for image in found.images) == {"NV": 26, "MEL": 13}
    assert found.missing == (tmp_path / "IMD000.bmp",)
    assert "common nevus = NV" in " ".join(found.notes)
