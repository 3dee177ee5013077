"""The experiment after a curation: what is left out is not learnt from, and every decision is in the output folder."""

from __future__ import annotations

import shutil

import pytest

from core.errors import InputRefusedError, UsageError
from dataset.curation import read_curation
from evaluation.utility.data import read_material
from tests.evaluation.utility.conftest import draw

pytestmark = pytest.mark.slow


def test_what_the_rules_leave_out_is_not_learnt_from(world, tmp_path, ask):
    shutil.copytree(world / "synthetic", tmp_path / "set")
    twin = next((tmp_path / "set/NV").iterdir())
    shutil.copy(twin, twin.with_name("twin.png"))
    (tmp_path / "set/NV/torn.png").write_bytes(b"cut off")
    request = ask(synthetic=(tmp_path / "set",), curate="duplicates")
    material = read_material(request)
    choices = read_curation(request.output / "curation.csv").choices
    assert len(choices) == 7 * 3 + 2
    assert len(material.synthetic) == sum(choice.kept for choice in choices.values()) == 7 * 3
    assert not choices["NV/torn.png"].kept
    assert any("excluded: " in note for note in material.notes)


def test_two_folders_with_the_same_names_are_told_apart(world, tmp_path, ask):
    draw(tmp_path / "one/synthetic", 1, 7000)
    draw(tmp_path / "two/synthetic", 1, 8000)
    request = ask(synthetic=(tmp_path / "one/synthetic", tmp_path / "two/synthetic"), curate="none")
    assert len(read_material(request).synthetic) == 14
    assert len(read_curation(request.output / "curation.csv").choices) == 14


def test_rules_that_leave_nothing_and_nonsense_are_refused(ask):
    with pytest.raises(InputRefusedError, match="0 of 21 images are kept"):
        read_material(ask(curate="fidelity>=1"))
    with pytest.raises(UsageError, match="nonsense"):
        read_material(ask(curate="nonsense"))
