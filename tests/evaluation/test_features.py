"""The cache: the same numbers as without it, nothing computed twice, a stop loses little, damage is harmless."""

import numpy as np
import pytest
import torch

from core.jobs.stream import JobStopped
from evaluation import features
from evaluation.features import FeatureCache
from evaluation.sets import read_set
from measures.features import PIXELS, Extractor
from measures.neighbours import all_views
from tests.support.picture_sets import write_folders
from tests.support.watched_job import WatchedJob


class Counting:
    def __init__(self):
        self.images = 0

    def __call__(self, pixels):
        self.images += len(pixels)
        return pixels.mean(dim=(2, 3))


@pytest.fixture
def counted():
    return Counting()


@pytest.fixture
def extractor(counted):
    return Extractor("mean colour/of: images", counted)


@pytest.fixture
def images(tmp_path):
    return read_set(write_folders(tmp_path / "set", {"MEL": 5, "NV": 4}))


def test_cached_features_are_the_computed_ones_and_nothing_is_computed_twice(images, extractor, counted, tmp_path):
    plain = FeatureCache(None).features(images, extractor, 32)
    first = FeatureCache(tmp_path / "cache").features(images, extractor, 32)
    assert counted.images == 18
    again = FeatureCache(tmp_path / "cache").features(images, extractor, 32)
    assert counted.images == 18
    assert np.array_equal(plain, first)
    assert np.array_equal(first, again)


def test_features_belong_to_the_content_not_to_the_name(images, extractor, counted, tmp_path):
    cache = tmp_path / "cache"
    first = FeatureCache(cache).features(images, extractor, 32)
    images.folder.rename(tmp_path / "moved")
    moved = read_set(tmp_path / "moved")
    assert np.array_equal(FeatureCache(cache).features(moved, extractor, 32), first)
    assert counted.images == 9
    changed = moved.images[2].path
    changed.write_bytes(moved.images[0].path.read_bytes())
    assert np.array_equal(FeatureCache(cache).features(moved, extractor, 32)[2], first[0])
    assert counted.images == 9


def test_another_size_or_space_is_another_table(images, extractor, counted, tmp_path):
    cache = FeatureCache(tmp_path / "cache")
    cache.features(images, extractor, 32)
    cache.features(images, extractor, 24)
    assert counted.images == 18
    assert cache.features(images, PIXELS, 32).shape == (9, 3072)
    assert len(list((tmp_path / "cache").iterdir())) == 3


def test_a_stop_keeps_what_is_computed(images, extractor, counted, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "BLOCK", 2)

    job = WatchedJob(stop_when=lambda job: len(job.told) == 1)
    with pytest.raises(JobStopped):
        FeatureCache(tmp_path / "cache").features(images, extractor, 32, job)
    assert counted.images == 4
    FeatureCache(tmp_path / "cache").features(images, extractor, 32)
    assert counted.images == 9


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 torn", b"no archive"])
def test_a_damaged_cache_is_computed_again(images, extractor, tmp_path, damage):
    cache = tmp_path / "cache"
    first = FeatureCache(cache).features(images, extractor, 32)
    (table,) = cache.rglob("*.npz")
    table.write_bytes(damage or table.read_bytes()[:100])
    assert np.array_equal(FeatureCache(cache).features(images, extractor, 32), first)


def test_blocks_do_not_matter(images, monkeypatch):
    whole = FeatureCache(None).features(images, PIXELS, 32)
    monkeypatch.setattr(features, "BLOCK", 2)
    assert np.allclose(FeatureCache(None).features(images, PIXELS, 32), whole, atol=1e-6)
    assert torch.get_default_dtype() == torch.float32


def test_a_cache_that_cannot_be_written_spoils_nothing(images, extractor, tmp_path):
    (tmp_path / "cache").write_text("a file")
    found = FeatureCache(tmp_path / "cache").features(images, extractor, 32)
    assert np.array_equal(found, FeatureCache(None).features(images, extractor, 32))


def test_turned_views_are_remembered_by_their_pixels(images, extractor, counted, tmp_path):
    pixels = images.pixels(32)
    for _ in range(2):
        with FeatureCache(tmp_path / "cache").remembering(extractor) as known:
            found = all_views(pixels, known)
    assert np.array_equal(found, all_views(pixels, extractor))
    assert counted.images == 2 * 8 * 9, "one half for the comparison above"
    assert known.name == extractor.name


def test_a_stop_among_the_views_loses_nothing_that_was_computed(images, extractor, counted, tmp_path):
    pixels = images.pixels(32)

    def look_at_some_and_stop():
        with FeatureCache(tmp_path / "cache").remembering(extractor) as known:
            known(pixels[:5])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look_at_some_and_stop()
    with FeatureCache(tmp_path / "cache").remembering(extractor) as known:
        known(pixels)
    assert counted.images == 9


def test_what_is_written_grows_with_what_is_new(images, extractor, tmp_path, monkeypatch):
    monkeypatch.setattr(features, "SAVED_EVERY", 2)
    monkeypatch.setattr(features, "BLOCK", 2)
    FeatureCache(tmp_path / "cache").features(images, extractor, 32)
    sizes = [file.stat().st_size for file in (tmp_path / "cache").rglob("*.npz")]
    assert len(sizes) == 5
    assert max(sizes) < 2 * min(sizes)
    assert FeatureCache(tmp_path / "cache").features(images, extractor, 32).shape == (9, 3)
