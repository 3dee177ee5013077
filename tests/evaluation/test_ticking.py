"""Progress and cancelling inside long measurements."""

from __future__ import annotations

import numpy as np
import pytest

from core.measures.features import Extractor, small_pixels
from evaluation.context import Stopped
from evaluation.diversity import diversity
from evaluation.memorisation import memorisation
from evaluation.sets import read_set
from evaluation.ticking import counted, in_all_views
from tests.evaluation.pictures import photographs, write_set

SMALL = Extractor("small", small_pixels)


def test_counts_what_it_has_seen_and_changes_nothing():
    images = np.random.default_rng(0).integers(0, 256, (150, 3, 32, 32)).astype(np.uint8)
    told = []
    found = counted(SMALL, 150, lambda done, total: told.append((done, total)))
    assert np.array_equal(found(images), SMALL(images))
    assert told == [(0, 150), (64, 150), (128, 150)]
    assert found.name == "small"
    assert counted(SMALL, 150, None) is SMALL
    assert in_all_views(3, 4) == 56


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    return [read_set(write_set(root / name, photographs(20, seed=i))) for i, name in enumerate("abc")]


@pytest.mark.parametrize("measure", ["memorisation", "diversity"])
@pytest.mark.parametrize("after", [0, 3])
def test_long_measurements_say_how_far_they_are_and_can_be_stopped(sets, tmp_path, measure, after):
    told = []

    def run(tick):
        if measure == "diversity":
            return diversity(sets[0], sets[1], SMALL, tick=tick)
        return memorisation(*sets, SMALL, tmp_path / "out", tick)

    run(lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[0][0] == 0
    assert 0.8 < told[-1][0] / told[-1][1] <= 1

    def stop(done, total):
        if len(seen) >= after:
            raise Stopped
        seen.append(done)

    seen = []
    with pytest.raises(Stopped):
        run(stop)
    assert len(seen) == after
