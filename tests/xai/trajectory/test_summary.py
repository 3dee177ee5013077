"""The summary: n counts images, one family of tests, controls beside the maps, words that say what the numbers do."""

import re
from dataclasses import replace

import numpy as np
import pytest

from reports.html import render_html
from xai.statistics import holm, joint_null_p
from xai.trajectory.controls import NULLS, RIVALS
from xai.trajectory.folders import Drawn
from xai.trajectory.shift import INTERVENTIONS
from xai.trajectory.summary import EXCEEDED, OWN, NullResult, summarise
from xai.trajectory.summary_page import report_on_images
from xai.trajectory.words import verdict_of_summary

pytestmark = pytest.mark.slow


def shift(top, bottom=1.0, rival=1.0):
    return {
        "abs_dF_top": top, "abs_dF_bottom": bottom, "abs_dF_random": rival,
        "csi": top - bottom, "top_minus_random": top - rival,
    }  # fmt: skip


def image(code, rng, *, own=1.0, rival=1.0, null=0.0, predicted=None, level="green"):
    """Return what the summary reads of an image whose top region moves the logit by about `own`.

    `rival` is the same for the rivals, `null` what the null rows differ from 0 by.
    """

    def shifts(mean):
        return {name: shift(rng.normal(mean, 0.2), rng.normal(1, 0.2), rng.normal(1, 0.2)) for name in INTERVENTIONS}

    def differences():
        firsts, seconds = shifts(1.5 + null), shifts(1.5)
        return {
            name: {
                "csi": first["csi"] - seconds[name]["csi"],
                "top_minus_random": first["top_minus_random"] - seconds[name]["top_minus_random"],
                "first": first,
                "second": seconds[name],
            }
            for name, first in firsts.items()
        }

    rows = {
        "random_attribution": shifts(1 + null),
        "random_head": differences(),
        "permuted_labels": differences(),
        **{name: shifts(rival) for name in RIVALS},
    }

    return {
        "image": {"class": code},
        "gate": {"level": level},
        "classification": {"predicted": predicted or code},
        "csi": {
            "interventions": shifts(own),
            "controls": {name: {"interventions": found} for name, found in rows.items()},
        },
        "time_shap": {
            "groups": [
                {"first_step": 1, "last_step": 5, "phi": rng.normal(2, 0.1)},
                {"first_step": 6, "last_step": 10, "phi": rng.normal(0, 0.1)},
            ]
        },
    }


@pytest.fixture
def rng():
    return np.random.default_rng(6)


def test_a_real_effect_is_found_in_every_comparison_and_the_controls_collapse(rng):
    summary = summarise([image(code, rng, own=2.0) for code in ("MEL", "NV") for _ in range(12)])
    family = summary.family()
    assert len(family) == 3 * len(INTERVENTIONS) * 2  # MEL, NV and all together, two contrasts
    assert all(row.result.holm_p < 0.05 and row.result.low > 0 for row in family)
    assert all(row.result.holm_p is None for row in summary.rows if row.map_row != OWN)
    assert all(row.result.low > 0 for row in summary.beyond)
    words = " ".join(verdict_of_summary(summary))
    assert "in 24 of 24 comparisons" in words
    assert "and less in" not in words
    assert words.count("is consistent with zero") == len(NULLS)
    assert words.count("has no such CSI") == len(RIVALS)


def test_an_effect_the_other_way_round_is_said_as_such(rng):
    words = " ".join(verdict_of_summary(summarise([image("MEL", rng, own=0.2) for _ in range(12)])))
    assert "elsewhere in 0 of 8 comparisons" in words
    assert "p < 0.05), and less in 8." in words


def test_without_an_effect_nothing_is_claimed(rng):
    summary = summarise([image("MEL", rng) for _ in range(15)])
    assert not [row for row in summary.family() if row.result.holm_p < 0.05]
    assert "elsewhere in 0 of 8 comparisons" in " ".join(verdict_of_summary(summary))


@pytest.mark.parametrize("null", [1.0, -1.0])
def test_a_control_that_does_not_collapse_is_said_aloud_on_either_side(rng, null):
    summary = summarise([image("MEL", rng, own=2.0, null=null) for _ in range(12)])
    words = " ".join(verdict_of_summary(summary))
    assert words.count("differs from zero, although its true value is 0") == len(NULLS)
    assert words.count("and in 0 of 8 the CI includes 0") == len(NULLS)
    assert "is consistent with zero" not in words


def test_a_rival_with_an_index_of_its_own_is_said_aloud_and_does_not_blame_the_measurement(rng):
    summary = summarise([image("MEL", rng, own=2.0, rival=1.5) for _ in range(12)])
    words = " ".join(verdict_of_summary(summary))
    assert words.count("also has a CSI above 0: in 8 of 8 comparisons") == len(RIVALS)
    assert words.count("the map exceeds it in 8 of 8 comparisons") == len(RIVALS)
    assert words.count("is consistent with zero") == len(NULLS)
    assert "biased" not in words


def test_a_difference_is_compared_part_with_part(rng):
    images = [image("MEL", rng, null=0.3) for _ in range(7)]
    for row in summarise(images).rows:
        if row.map_row == "random_head":
            found = [one["csi"]["controls"]["random_head"]["interventions"][row.intervention] for one in images]
            assert row.values == pytest.approx([one[row.contrast] for one in found])
            assert row.result.mean == pytest.approx(np.mean([one[row.contrast] for one in found]))


def test_null_rows_without_effect_are_seldom_said_to_stand():
    """Comparisons share their images, here as if all interventions gave the same: no count of misses would do."""
    rng = np.random.default_rng(12)
    said = []
    for _ in range(20):
        images = [image("MEL", rng) for _ in range(12)]
        for one in images:
            for control in one["csi"]["controls"].values():
                control["interventions"] = dict.fromkeys(INTERVENTIONS, control["interventions"]["noise"])
        words = verdict_of_summary(summarise(images))
        said += ["differs from zero" in sentence for sentence in words if sentence.startswith("The negative control")]
    assert len(said) == 20 * len(NULLS)
    assert sum(said) <= 4  # of 60 at 1 % each; more has a probability of about 0.0005


def test_holm_is_over_the_whole_family(rng):
    summary = summarise([image(code, rng, own=1.15) for code in ("MEL", "DF") for _ in range(9)])
    family = summary.family()
    expected = holm([row.result.wilcoxon_p for row in family])
    assert [row.result.holm_p for row in family] == pytest.approx(expected)


def test_a_p_of_exactly_five_per_cent_is_not_below_it(rng):
    summary = summarise([image("MEL", rng, own=2.0) for _ in range(6)])
    rows = tuple(
        replace(row, result=replace(row.result, holm_p=0.05)) if row.map_row == OWN else row for row in summary.rows
    )
    assert "elsewhere in 0 of 8 comparisons" in " ".join(verdict_of_summary(replace(summary, rows=rows)))


def test_one_image_of_a_class_is_not_tested(rng):
    summary = summarise([image("MEL", rng)])
    assert all(row.result.n == 1 and row.result.wilcoxon_p is None for row in summary.rows)
    words = " ".join(verdict_of_summary(summary))
    assert "no test is possible" in words
    assert "With 1 image per class, no test of that class can be significant" in words


def test_values_are_differences_by_image_in_order(rng):
    images = [image("MEL", rng) for _ in range(4)]
    row = next(
        r for r in summarise(images).rows if r.map_row == OWN and r.contrast == "csi" and r.intervention == "blur"
    )
    assert row.values == pytest.approx([one["csi"]["interventions"]["blur"]["csi"] for one in images])
    assert row.result.mean == pytest.approx(np.mean(row.values))


def test_controls_are_not_judged_from_a_handful_of_images(rng):
    words = " ".join(verdict_of_summary(summarise([image("MEL", rng, null=1.0) for _ in range(5)])))
    assert "cannot be tested with fewer than 6 images per class" in words
    assert "is consistent with zero" not in words


def test_what_is_said_of_the_number_of_images_changes_at_six_and_at_thirty(rng):
    def said(count):
        return verdict_of_summary(summarise([image("MEL", rng) for _ in range(count)]))[-2]

    assert "no test of that class can be significant" in said(5)
    assert "Bootstrap CIs of so few images are somewhat too narrow" in said(6)
    assert "(--count 30)" in said(29)
    assert said(30) == "n counts images, never steps of one trajectory; there are at least 30 per class."


def page_of(images):
    return render_html(report_on_images(summarise(images), Drawn({}, {}), ()))


def test_an_interval_of_a_handful_of_images_is_not_shown(rng):
    """The interval of two values is these two values: it would look like a result."""
    few, enough = (page_of([image("MEL", rng, own=2.0) for _ in range(n)]) for n in (5, 6))
    assert not re.search(r"[+\u2212][0-9.]+ to [+\u2212]", few)
    maps = 1 + len(NULLS) + len(RIVALS) + len(EXCEEDED)
    assert len(re.findall(r"[+\u2212][0-9.]+ to [+\u2212]", enough)) == 2 * 4 * maps


def test_a_refused_classifier_is_said_first(rng):
    summary = summarise([image("MEL", rng, own=3.0, level="red") for _ in range(8)])
    assert verdict_of_summary(summary)[0].startswith("Reliability check: failed")


def test_time_and_gates_and_recognition_are_counted(rng):
    images = [image("MEL", rng), image("MEL", rng, predicted="NV", level="amber"), image("BKL", rng, level="red")]
    summary = summarise(images)
    assert summary.images == {"MEL": 2, "BKL": 1}
    assert summary.gates == {"green": 1, "amber": 1, "red": 1}
    assert summary.recognised == {"MEL": 0.5, "BKL": 1.0}
    assert "the predicted class is the target class for 2" in verdict_of_summary(summary)[0]
    early, late = [group for group in summary.times if group.class_code == "MEL"]
    assert (early.first_step, late.last_step, early.n) == (1, 10, 2)
    assert early.low <= early.mean <= early.high


def test_a_null_row_stands_below_one_per_cent_and_is_not_judged_without_images(rng):
    judged = {p: NullResult("random_head", 8, 0, p).collapsed for p in (0.5, 0.01, 0.0099, None)}
    assert judged == {0.5: True, 0.01: True, 0.0099: False, None: None}
    five = summarise([image("MEL", rng) for _ in range(5)] + [image("NV", rng) for _ in range(6)])
    assert all(null.joint_p is not None and null.comparisons == 2 * 8 for null in five.nulls)  # NV, and all together
    few = summarise([image("MEL", rng) for _ in range(5)])
    assert [(null.joint_p, null.comparisons, null.misses) for null in few.nulls] == [(None, 0, 0)] * len(NULLS)


def test_the_joint_p_of_a_null_row_is_that_of_its_own_values_by_class(rng):
    images = [image(code, rng) for code in ("MEL", "NV") for _ in range(8)]
    summary = summarise(images, seed=3)
    for null in summary.nulls:
        groups = []
        for code in ("MEL", "NV"):
            own = [row.values for row in summary.rows if (row.map_row, row.class_code) == (null.control, code)]
            groups.append(np.array(own).T)
        assert [group.shape for group in groups] == [(8, 8), (8, 8)]
        assert null.joint_p == joint_null_p(groups, 3)
        missed = [row for row in summary.rows if row.map_row == null.control and not row.result.covers_zero]
        assert null.misses == len(missed)
