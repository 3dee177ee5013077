"""Rules as text: what is read is what is written, and nonsense is refused by name."""

from __future__ import annotations

import pytest

from core.errors import UsageError
from evaluation.curation.rules import CurationRules, parse_rules


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("none", CurationRules()),
        ("", CurationRules()),
        ("standard", CurationRules(fidelity=0.1, copies=True, duplicates=True)),
        ("fidelity>=0.5", CurationRules(fidelity=0.5)),
        ("Fidelity >= 50%", CurationRules(fidelity=0.5)),
        ("best=25%, duplicates", CurationRules(duplicates=True, best_share=0.25)),
        ("best=7,copies", CurationRules(copies=True, best_count=7)),
        ("standard,best=3,best=50%", CurationRules(fidelity=0.1, copies=True, duplicates=True, best_share=0.5)),
    ],
)
def test_text_becomes_rules_and_text_again(text, rules):
    assert parse_rules(text) == rules
    assert parse_rules(str(rules)) == rules


@pytest.mark.parametrize("text", ["fidelty>=0.5", "fidelity>=0", "fidelity>=1.2", "best=0%", "best=1.5", "best=101%"])
def test_nonsense_is_refused_by_name(text):
    with pytest.raises(UsageError, match=text):
        parse_rules(f"copies,{text}")


def test_at_least_one_place_is_left_of_any_class():
    assert [parse_rules("best=10%").places(n) for n in (1, 10, 11)] == [1, 1, 2]
    assert parse_rules("best=4").places(100) == 4
    assert parse_rules("none").places(9) == 9


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("fidelity>=1", CurationRules(fidelity=1.0)),
        ("fidelity>.25", CurationRules(fidelity=0.25)),
        ("fidelity>=100%", CurationRules(fidelity=1.0)),
        ("best=100%", CurationRules(best_share=1.0)),
        ("best=1", CurationRules(best_count=1)),
        ("best=2.0", CurationRules(best_count=2)),
        ("best=50%,best=3", CurationRules(best_count=3)),
        ("duplicates,none", CurationRules(duplicates=True)),
    ],
)
def test_the_ends_of_what_may_be_asked_for(text, rules):
    assert parse_rules(text) == rules


@pytest.mark.parametrize("text", ["best=0", "best=0.5", "fidelity>=0%", "fidelity>=101%", "copies=1", "best=-1"])
def test_what_lies_beyond_them_is_refused(text):
    with pytest.raises(UsageError, match=text) as refused:
        parse_rules(text)
    assert "fidelity>=0.5,copies,duplicates,best=50%" in refused.value.remedy


def test_rules_are_written_in_one_order():
    rules = CurationRules(0.125, True, True, 0.25)
    assert str(rules) == "fidelity>=0.125,copies,duplicates,best=25%"
    assert str(CurationRules(best_count=7)) == "best=7"
    assert str(CurationRules()) == "none"
    assert [CurationRules(best_share=0.5).places(count) for count in (0, 1, 2, 3)] == [0, 1, 1, 2]
