"""What may be asked: each wrong word or number is answered with the right ones."""

from __future__ import annotations

import pickle

import pytest

from core.errors import UsageError
from xai.explanation import ExplainOptions
from xai.methods import METHODS


@pytest.mark.parametrize(
    ("asked", "said", "hint"),
    [
        ({"methods": ()}, "No explanation method is named.", "shapley"),
        ({"methods": ("ig", "gradcma")}, "'gradcma'", "Did you mean gradcam?"),
        ({"methods": ("GradCAM",)}, "'GradCAM'", "Did you mean gradcam?"),
        ({"methods": ("zzzzzz",)}, "'zzzzzz'", "Choose one of ig, shapley"),
        ({"baseline": "blurr"}, "no baseline 'blurr'", "Did you mean blur?"),
        ({"players": 1}, "Invalid number of superpixels: 1", "from 2 to 64"),
        ({"players": 65}, "Invalid number of superpixels: 65", "from 2 to 64"),
        ({"max_steps": 0}, "Invalid number of steps: 0", "from 1 to"),
        ({"seed": -1}, "Invalid seed: -1", "from 0 to"),
    ],
)
def test_a_wrong_request_is_refused_with_the_way_out(asked, said, hint):
    with pytest.raises(UsageError) as caught:
        ExplainOptions(**asked)
    assert said in caught.value.message
    assert hint in caught.value.remedy


def test_options_are_a_key_and_survive_a_pipe():
    first, second = ExplainOptions(("ig", "gradcam", "ig")), ExplainOptions(("ig", "gradcam"))
    assert first == second
    assert hash(first) == hash(second)
    assert pickle.loads(pickle.dumps(first)) == first
    assert len({first, ExplainOptions(("ig", "gradcam"), seed=1), ExplainOptions(("ig", "gradcam"), players=8)}) == 3


def test_each_method_says_how_to_read_it():
    assert list(METHODS) == ["ig", "shapley", "combined", "gradcam", "layercam", "occlusion", "smoothgrad"]
    assert [key for key, facts in METHODS.items() if facts.complete] == ["ig", "shapley"]
    assert all(facts.of_difference and facts.uses_baseline for facts in METHODS.values() if facts.complete)
    assert len({facts.unit for facts in METHODS.values()}) == len(METHODS), (
        "no two methods can be compared value by value"
    )


def test_the_defaults_that_the_guide_names():
    made = ExplainOptions()
    assert (made.methods, made.target, made.baseline) == (("ig",), "label", "skin")
    assert (made.max_steps, made.players, made.seed) == (512, 12, 0)
    assert (made.mask, made.faithfulness) == (None, False)


def test_shares_of_a_difference_are_what_the_complete_methods_and_their_agreement_give():
    assert {method for method, facts in METHODS.items() if facts.of_difference} == {"ig", "shapley", "combined"}


def test_which_methods_add_up_and_which_start_from_a_baseline() -> None:
    """As docs/xai.md says: what adds up does so to the difference from a baseline."""
    assert {key for key, facts in METHODS.items() if facts.complete} == {"ig", "shapley"}
    assert {key for key, facts in METHODS.items() if facts.uses_baseline} == {"ig", "shapley", "combined", "occlusion"}
    assert {key for key, facts in METHODS.items() if facts.of_difference} == {"ig", "shapley", "combined"}
