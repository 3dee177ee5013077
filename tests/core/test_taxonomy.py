"""Class codes, seed offsets and orders, against the values that the predecessor's users hold."""

import pytest

from core.errors import UnknownClassError
from core.taxonomy import ALPHABETICAL_TO_CANONICAL, CLASS_CODES, image_seed, parse_class, seed_offset

PREDECESSOR_OFFSETS = {
    "MEL": 2133561680,
    "NV": 1396962837,
    "BCC": 533065696,
    "AKIEC": 189026585,
    "BKL": 438814178,
    "DF": 965706499,
    "VASC": 1149163796,
}


def test_canonical_order_is_that_of_the_isic_2018_ground_truth():
    assert CLASS_CODES == ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")


@pytest.mark.parametrize(("code", "offset"), PREDECESSOR_OFFSETS.items())
def test_seed_offsets_are_the_predecessors(code, offset):
    assert seed_offset(code) == offset


def test_first_melanoma_of_base_42():
    assert image_seed("MEL", 0, 42) == 2133561722


def test_seeds_wrap_at_31_bits():
    assert image_seed("MEL", 2**31 - 2133561680, 0) == 0


def test_alphabetical_labels_map_to_canonical_ones():
    alphabetical = sorted(CLASS_CODES)
    assert [CLASS_CODES[i] for i in ALPHABETICAL_TO_CANONICAL] == alphabetical
    assert ALPHABETICAL_TO_CANONICAL == (3, 2, 4, 5, 0, 1, 6)


def test_class_names_are_read_in_any_case():
    assert parse_class(" mel ") == "MEL"


def test_unknown_class_is_answered_with_the_right_ones():
    with pytest.raises(UnknownClassError) as caught:
        parse_class("MELL")
    assert caught.value.exit_code == 2
    assert "Did you mean MEL?" in str(caught.value)
    assert all(code in str(caught.value) for code in CLASS_CODES)
    assert "--" not in str(caught.value)  # the words are the same for every command, and for the window
