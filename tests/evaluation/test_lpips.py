"""LPIPS of pairs: measured where the weights are given, and refused with other weights."""

import numpy as np
import pytest
import torch

from core.errors import ModelRefusedError, UsageError
from evaluation.pairs import compare_pairs
from evaluation.request import EvaluationRequest
from evaluation.sets import read_set
from measures import lpips
from measures.lpips import Lpips, alexnet_trunk, load_lpips, read_heads
from tests.evaluation.pictures import photographs, write_set


@pytest.fixture(scope="module")
def trunk():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return alexnet_trunk()


@pytest.fixture(scope="module")
def measure(trunk):
    return Lpips(trunk, read_heads())


def test_the_more_an_image_is_changed_the_farther_it_is(measure):
    first = photographs(1, seed=1, side=96)[0]
    noise = np.random.default_rng(0).normal(0, 1, first.shape)
    near, far = ((first + amount * noise).clip(0, 255).astype(np.uint8) for amount in (5, 60))
    assert measure(first, first) == 0
    assert 0 < measure(first, near) < measure(first, far)
    assert measure(first, far) == pytest.approx(measure(far, first))
    assert np.isnan(measure(first[:63], first[:63])), "too small for the trunk"


def test_pairs_have_it_with_its_interval_and_without_a_band(measure, tmp_path):
    pictures = photographs(6, seed=2, side=64)
    images = read_set(write_set(tmp_path / "a", pictures))
    others = read_set(write_set(tmp_path / "b", pictures[:, ::-1]))
    found = compare_pairs(images, others, lpips=measure)
    assert 0 < found.data["lpips"]["low"] <= found.data["lpips"]["mean"] <= found.data["lpips"]["high"]
    assert found.data["lpips"]["n"] == 6
    assert found.data["lpips"]["band"] is None
    (table,) = [part for part in found.parts if hasattr(part, "rows")]
    assert [row[0] for row in table.rows][-1] == "LPIPS"
    assert "lpips" not in compare_pairs(images, others).data


def test_the_published_file_is_told_by_its_checksum(trunk, tmp_path, monkeypatch):
    file = tmp_path / "alexnet.pth"
    torch.save({f"features.{name}": value for name, value in trunk.state_dict().items()}, file)
    with pytest.raises(ModelRefusedError, match="is not the AlexNet of LPIPS"):
        load_lpips(file)
    with pytest.raises(ModelRefusedError, match="There is no file"):
        load_lpips(tmp_path / "nowhere.pth")
    monkeypatch.setattr(lpips, "ALEXNET_SHA", lpips.sha256_of(file)[:8])
    a, b = photographs(2, seed=3, side=64)
    assert load_lpips(file)(a, b) == Lpips(trunk, read_heads())(a, b)


def test_it_is_asked_for_with_references_only(tmp_path):
    with pytest.raises(UsageError, match="LPIPS compares pairs"):
        EvaluationRequest((tmp_path,), tmp_path, tmp_path, lpips=tmp_path / "alexnet.pth")


@pytest.mark.parametrize(("height", "width", "is_seen"), [(64, 64, True), (64, 63, False), (63, 64, False)])
def test_both_sides_must_be_large_enough(measure, height, width, is_seen):
    a, b = (picture[:height, :width] for picture in photographs(2, seed=3, side=64))
    assert np.isfinite(measure(a, b)) == is_seen


def test_the_weights_are_those_of_five_layers():
    heads = read_heads()
    assert [head.numel() for head in heads] == [64, 192, 384, 256, 256]
    assert all((head >= 0).all() for head in heads)


def test_another_file_is_told_by_the_first_digits_of_its_own_checksum(tmp_path):
    file = tmp_path / "other.pth"
    file.write_bytes(b"no network")
    with pytest.raises(ModelRefusedError) as refused:
        load_lpips(file)
    assert f"(its SHA-256 begins {lpips.sha256_of(file)[:8]})" in refused.value.message
    assert refused.value.path == file
