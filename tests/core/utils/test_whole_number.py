import pytest

from core.utils.field_types import read_whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), (" 42 ", 42), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_digits_are_read(text, number):
    assert read_whole_number(text) == number


@pytest.mark.parametrize(
    "text", ["", " ", "-1", "+1", "1.5", "1e3", "1_000", "x", "²", "٣", "1 2", "9" * 19, "9" * 5000]
)
def test_everything_else_is_no_whole_number(text):
    assert read_whole_number(text) is None
