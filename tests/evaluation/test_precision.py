"""docs/precision.md says how exact every number is; here that is measured, and the page is held to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evaluation.precision_checks import CHECKS, Check, row_of

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "precision.md"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_number_is_as_exact_as_the_page_says(check: Check):
    assert check.error() <= check.allowed


def test_the_page_has_a_line_for_every_check_and_no_other():
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    shown = [line.rsplit("|", 2)[0] for line in lines if not line.startswith("| ---")]
    assert [line.rstrip() for line in shown] == [row_of(check).rstrip("| ").rstrip() for check in CHECKS]


def test_what_was_measured_last_lies_within_what_is_allowed():
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[2][:1].isdigit():
            assert float(cells[3]) <= float(cells[2])
