"""The cache: the same numbers as without it, nothing computed twice, a stop loses little, damage is harmless."""

import hashlib

import numpy as np
import pytest
import torch

from core.files.reading import DamagedFileError
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


@pytest.mark.parametrize(("count", "files"), [(511, 0), (512, 1), (513, 1)])
def test_what_is_computed_is_written_every_512_rows(extractor, tmp_path, count, files):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, 4, 4), dtype=np.uint8)
    with FeatureCache(tmp_path / "cache").remembering(extractor) as known:
        found = known(pixels)
        assert len(list((tmp_path / "cache").rglob("*.npz"))) == files
    assert len(list((tmp_path / "cache").rglob("*.npz"))) == 1 + (count == 513)
    assert found == pytest.approx(extractor(pixels), abs=1e-6)


def test_kept_features_of_another_length_are_left_out_or_refused(images, extractor, counted, tmp_path):
    cache = tmp_path / "cache"
    FeatureCache(cache).features(images.only(range(6)), extractor, 32)
    (file,) = cache.rglob("*.npz")
    keys = [hashlib.sha256(image.path.read_bytes()).hexdigest() for image in images.images]
    alien = {"keys": np.array(keys[6:8]), "features": np.ones((2, 5), np.float32)}
    np.savez(file.with_name("alien.npz"), **alien)
    np.savez(file.with_name("torn.npz"), keys=np.array(keys), features=np.full((8, 3), 9.0))
    found = FeatureCache(cache).features(images, extractor, 32)
    assert counted.images == 9, "six before, three now"
    assert np.array_equal(found, FeatureCache(None).features(images, extractor, 32))
    wide = Extractor(extractor.name, lambda pixels: pixels.flatten(1)[:, :4])
    changed = images.images[0].path
    changed.write_bytes(changed.read_bytes() + b" ")
    with pytest.raises(DamagedFileError, match="3 numbers a picture"):
        FeatureCache(cache).features(images, wide, 32)


def test_the_name_on_disk_has_no_sign_that_a_system_forbids(images, extractor, tmp_path):
    FeatureCache(tmp_path).features(images, extractor, 32)
    assert [place.name for place in tmp_path.iterdir() if place.name != "set"] == ["mean_colour_of_images-32"]
    with FeatureCache(tmp_path).remembering(Extractor("HAM(net@12.3)", extractor.features)) as known:
        known(images.pixels(8))
    assert (tmp_path / "HAM_net@12.3_-pixels").is_dir()


def test_pictures_of_other_shapes_and_the_same_bytes_are_other_pictures(extractor, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 4, 9), dtype=np.uint8)
    with FeatureCache(tmp_path).remembering(extractor) as known:
        first, second = known(pixels), known(pixels.reshape(1, 3, 9, 4))
    assert first == pytest.approx(second), "means do not see the shape, the cache does"
    assert len(np.load(next(tmp_path.rglob("*.npz")))["keys"]) == 2


def test_every_block_is_told_and_an_empty_set_has_no_features(images, extractor, monkeypatch):
    monkeypatch.setattr(features, "BLOCK", 4)
    job = WatchedJob()
    FeatureCache(None).features(images, extractor, 32, job)
    assert job.told == [(4, 9), (8, 9), (9, 9)]
    assert FeatureCache(None).features(images.only([]), extractor, 32).shape == (0, 0)
