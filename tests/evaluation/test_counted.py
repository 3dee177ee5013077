"""Progress and stopping inside long measurements."""

from __future__ import annotations

import numpy as np
import pytest

from core.jobs.stream import JobStopped
from evaluation.counted import counted, in_all_views
from evaluation.diversity import diversity
from evaluation.memorisation import memorisation
from evaluation.sets import read_set
from measures.features import Extractor, small_pixels
from tests.evaluation.pictures import photographs, write_set
from tests.support.watched_job import WatchedJob

SMALL = Extractor("small", small_pixels)


def test_counts_what_it_has_seen_and_changes_nothing():
    images = np.random.default_rng(0).integers(0, 256, (150, 3, 32, 32)).astype(np.uint8)
    job = WatchedJob()
    found = counted(SMALL, 150, job)
    assert np.array_equal(found(images), SMALL(images))
    assert job.told == [(0, 150), (64, 150), (128, 150)]
    assert found.name == "small"
    assert in_all_views(3, 4) == 56


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    root = tmp_path_factory.mktemp("sets")
    return [read_set(write_set(root / name, photographs(20, seed=i))) for i, name in enumerate("abc")]


@pytest.mark.parametrize("measure", ["memorisation", "diversity"])
@pytest.mark.parametrize("after", [0, 3])
def test_long_measurements_say_how_far_they_are_and_can_be_stopped(sets, tmp_path, measure, after):

    def run(job):
        if measure == "diversity":
            return diversity(sets[0], sets[1], SMALL, context=job)
        return memorisation(*sets, SMALL, tmp_path / "out", job)

    whole = WatchedJob()
    run(whole)
    assert whole.told == sorted(whole.told)
    assert whole.told[0][0] == 0
    assert 0.8 < whole.told[-1][0] / whole.told[-1][1] <= 1
    stopped = WatchedJob(stop_when=lambda job: len(job.told) == after)
    with pytest.raises(JobStopped):
        run(stopped)
    assert len(stopped.told) == after
