"""Photographs: lesions apart, classes in the order of the settings, nothing unreadable in silence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import InputRefusedError
from diffusion.config import DiffusionConfig
from diffusion.data import read_training_data
from photographs.labelled import hold_out_lesions
from photographs.sources import read_dataset
from tests.support.labelled_data import write_labelled_folder

MakeConfig = Callable[..., DiffusionConfig]


def test_training_never_sees_held_out_or_reserved_lesions(tmp_path: Path, make_config: MakeConfig):
    folder = write_labelled_folder(tmp_path, lesions=8, val=2)
    data = read_training_data(folder, make_config(test_fraction=0.25))
    lesion = {image.image_id: image.lesion_id for image in read_dataset(folder).images}
    images = [image for image in read_dataset(folder).images if image.split != "val"]
    test, rest = hold_out_lesions(images, 0.25, "test")
    validation, train = hold_out_lesions(rest, 0.12, "validation")
    mine = {lesion[name] for name in data.names[0]}
    assert mine == {image.lesion_id for image in train}
    assert {lesion[name] for name in data.names[1]} == {image.lesion_id for image in validation}
    assert not mine & {image.lesion_id for image in test}
    assert data.leakage.leaked == 0
    assert sum(data.counts["test"].values()) == len(test)


def test_labels_follow_the_classes_of_the_settings(tmp_path: Path, make_config: MakeConfig):
    folder = write_labelled_folder(tmp_path, lesions=4)
    config = make_config(classes="VASC,NV")
    data = read_training_data(folder, config)
    assert {name.split("_")[0] for name in data.names[0]} == {"NV", "VASC"}
    for name, label in zip(data.names[0], data.train.labels.tolist(), strict=True):
        assert config.classes[label] == name.split("_")[0]
    one = data.only(config, "VASC")
    assert set(one.train.labels.tolist()) == {0}
    assert len(one.names[0]) == len(one.train) == data.counts["train"]["VASC"]
    assert all(name.startswith("VASC") for part in one.names for name in part)


def test_a_limit_takes_the_first_of_each_class(tmp_path: Path, make_config: MakeConfig):
    data = read_training_data(write_labelled_folder(tmp_path), make_config(class_limit=3))
    assert set(data.counts["train"].values()) == {3}


def test_an_unreadable_file_is_named_and_counted(tmp_path: Path, make_config: MakeConfig):
    folder = write_labelled_folder(tmp_path, lesions=8)
    victim = read_training_data(folder, make_config()).names[0][0]
    (folder / victim.split("_")[0] / f"{victim}.png").write_bytes(b"no picture")
    data = read_training_data(folder, make_config())
    assert victim not in data.names[0]
    assert any(victim in note and "1 of" in note for note in data.notes)


def test_leakage_of_a_given_split_is_refused_unless_allowed(tmp_path: Path, make_config: MakeConfig):
    folder = write_labelled_folder(tmp_path, lesions=6)
    table = folder / "labels.csv"
    rows = table.read_text().splitlines()
    # the second photograph of one lesion goes to the other side
    leaky = [row.replace(",train,", ",val,") if row.startswith("MEL_1_1,") else row for row in rows]
    table.write_text("\n".join(leaky) + "\n")
    config = make_config(split="given", test_fraction=0.2)
    with pytest.raises(InputRefusedError, match="1 of"):
        read_training_data(folder, config)
    assert read_training_data(folder, config, allow_leakage=True).leakage.leaked == 1


def test_a_class_without_photographs_is_named(tmp_path: Path, make_config: MakeConfig):
    folder = write_labelled_folder(tmp_path)
    table = folder / "labels.csv"
    table.write_text("\n".join(row for row in table.read_text().splitlines() if not row.startswith("DF_")) + "\n")
    with pytest.raises(InputRefusedError, match="no training photograph of DF") as refusal:
        read_training_data(folder, make_config())
    assert "--classes MEL,NV,BCC,AKIEC,BKL,VASC" in refusal.value.remedy


def test_a_network_that_could_not_be_chosen_is_refused(tmp_path: Path, make_config: MakeConfig):
    """Of two lesions one is learnt from and one is measured on."""
    folder = write_labelled_folder(tmp_path, lesions=2)
    with pytest.raises(
        InputRefusedError, match=r"no validation photograph of MEL, NV, .* for selecting the best weights"
    ):
        read_training_data(folder, make_config())
    assert len(read_training_data(folder, make_config(test_fraction=0)).validation) >= 7


def test_the_terms_that_a_table_names_go_with_the_weights(tmp_path: Path, make_config: MakeConfig):
    folder = write_labelled_folder(tmp_path, lesions=4)
    rows = (folder / "labels.csv").read_text().splitlines()
    named = [f"{rows[0]},licence,attribution", *(f"{row},CC BY 4.0,The clinic" for row in rows[1:])]
    (folder / "labels.csv").write_text("\n".join(named))
    config = make_config(classes="MEL,NV")
    for data in (whole := read_training_data(folder, config), whole.only(config, "NV")):
        assert data.licence == "CC BY 4.0"
        assert "The clinic" in data.credit
