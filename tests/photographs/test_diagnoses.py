"""Names of diagnoses: the seven classes in the words of the known data sets, and nothing else as one of them."""

from __future__ import annotations

import pytest

from photographs.diagnoses import Named, class_of, is_other_diagnosis

KAGGLE_NINE = {
    "actinic keratosis": "AKIEC", "basal cell carcinoma": "BCC", "dermatofibroma": "DF", "melanoma": "MEL",
    "nevus": "NV", "pigmented benign keratosis": "BKL", "seborrheic keratosis": "BKL",
    "squamous cell carcinoma": None, "vascular lesion": "VASC",
}  # fmt: skip
ARCHIVE = {
    "Malignant melanocytic proliferations (Melanoma)": "MEL", "Melanoma in situ, lentigo maligna type": "MEL",
    "Melanoma, NOS": "MEL", "Nevus, Atypical, Dysplastic, or Clark": "NV", "Squamous cell carcinoma in situ": "AKIEC",
    "Squamous cell carcinoma, NOS": None, "Solar or actinic keratosis": "AKIEC", "Solar lentigo": "BKL",
    "Lichen planus like keratosis": "BKL", "Hemangioma": "VASC", "Benign": None,
    "Atypical melanocytic neoplasm": None,
}  # fmt: skip
DERM7PT = {
    "melanoma (less than 0.76 mm)": "MEL", "melanoma (in situ)": "MEL", "melanoma metastasis": "MEL",
    "clark nevus": "NV", "reed or spitz nevus": "NV", "lentigo": None, "miscellaneous": None,
    "vascular lesion": "VASC",
}  # fmt: skip
SPELLINGS = {
    "NV": "NV", "akiec": "AKIEC", "AK": "AKIEC", "Melanocytic_Nevi": "NV", "Basal-Cell Carcinoma": "BCC",
    "Actinic keratosis / Bowen's disease": "AKIEC", "benign keratosis-like lesions": "BKL",
    "Bowen\u2019s disease": "AKIEC",
    "SCC": None, "UNK": None, "": None, "0": None, "melanom": None,
}  # fmt: skip


@pytest.mark.parametrize(("name", "code"), [*(KAGGLE_NINE | ARCHIVE | DERM7PT | SPELLINGS).items()])
def test_every_name_is_its_class(name, code):
    assert class_of(name) == code


@pytest.mark.parametrize("name", ["SCC", "squamous cell carcinoma", "UNK", "lentigo", "Squamous cell carcinoma, NOS"])
def test_diagnoses_that_are_known_to_be_none_of_the_seven(name):
    assert is_other_diagnosis(name)


@pytest.mark.parametrize("name", ["NV", "melanoma", "sunny", "", "melanom"])
def test_neither_a_class_nor_a_slip_of_the_pen_is_another_diagnosis(name):
    assert not is_other_diagnosis(name)


def test_what_was_read_as_what_and_what_was_left_out_is_told():
    named = Named()
    assert [named.code(name) for name in ("MEL", "nevus", "nevus", "SCC", "SCC", "")] == [
        "MEL",
        "NV",
        "NV",
        None,
        None,
        None,
    ]
    read, left = named.notes
    assert read == "Names are read as classes: nevus = NV."
    assert "3 photographs (SCC: 2, no diagnosis: 1)" in left


@pytest.mark.parametrize(("count", "end"), [(7, "g: 1)."), (8, "g: 1, …).")])
def test_the_eight_commonest_diagnoses_that_are_left_out_are_named(count, end):
    named = Named()
    for letter in "abcdefgh"[:count]:
        named.code(letter)
    for text in ("zz", " zz "):
        named.code(text)
    (note,) = named.notes
    assert "(zz: 2, a: 1, b: 1," in note
    assert note.endswith(end)
    assert f"{count + 2} photographs" in note


@pytest.mark.parametrize(
    ("name", "code"),
    [("Nevus; dermal", "NV"), ("Caf\u00e9 au lait macule", None), ("(melanoma)", "MEL"), ("x (nevus) y", "NV"),
     ("scc (melanoma)", "MEL"), ("lentigo (melanoma)", "MEL"), ("nevus spilus", None), ("Nevus (spilus)", None),
     ("Nevus, spilus", None), ("  spitz__nevus--", "NV"), ("melanoma, nevus", "MEL"), ("sunny (cloudy)", None)],
)  # fmt: skip
def test_the_whole_comes_before_its_beginning_and_that_before_its_brackets(name, code):
    assert class_of(name) == code


def test_a_code_in_another_case_is_no_reading_that_is_told():
    named = Named()
    assert [named.code(name) for name in ("mel", " MEL", "ak", "AK", "melanoma")] == ["MEL"] * 2 + ["AKIEC"] * 2 + [
        "MEL"
    ]
    assert list(named.notes) == ["Names are read as classes: AK = AKIEC, ak = AKIEC, melanoma = MEL."]
    assert not named.others
