"""Exhaustive faults: the k-th file operation fails, or the process dies at it, for every k until none is left."""

import errno
import os
from contextlib import suppress
from functools import partial

import pytest

from core.errors import DiskFullError, OutputError
from dataset.synthetic_dataset import SyntheticDataset
from tests.support.broken_os import BrokenOS, Killed
from tests.support.datasets import (
    assert_consistent,
    fill,
    generate,
    make_request,
    pixels_by_seed,
    pixels_of,
    plan,
    resume,
)

pytestmark = pytest.mark.slow

BEFORE = "MEL=1,NV=1"
RUN = "MEL=2,NV=1"


class Disk(BrokenOS):
    """A disk that refuses with an errno."""

    def __init__(self, at, number, **options):
        super().__init__(at, lambda: OSError(number, os.strerror(number)), **options)


def faults(make):
    """Yield one broken system per call, until the scenario gets through without meeting the fault."""
    at = 1
    while True:
        system = make(at)
        yield system
        if not system.fired:
            assert at > 30  # it did count what the scenario does
            return
        at += 1


def refusal(work):
    """Return the `OutputError` that `work` ends with, or None; any other exception fails the test."""
    try:
        work()
    except OutputError as error:
        return error
    return None


def finish(output, whole):
    """What a person does next: resume, or start the run again if it never began."""
    resume(output)
    if not whole <= pixels_by_seed(output).keys():
        generate(output, RUN)
    resume(output)


def expected_keys(folder):
    generate(folder, BEFORE)
    generate(folder, RUN)
    return set(pixels_by_seed(folder))


def check_afterwards(output, acknowledged, whole):
    with SyntheticDataset.open(output):
        pass
    assert_consistent(output)
    assert acknowledged <= pixels_by_seed(output).keys() <= whole
    finish(output, whole)
    assert_consistent(output)
    found = pixels_by_seed(output)
    assert found.keys() == whole
    assert all(data == pixels_of(seed).tobytes() for (_, seed), data in found.items())


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=errno.errorcode.get)
def test_an_os_error_at_every_single_operation_loses_nothing_finished(tmp_path, monkeypatch, number, lasting):
    whole = expected_keys(tmp_path / "whole")
    for system in faults(lambda at: Disk(at, number, lasting=lasting, torn=True)):
        output = tmp_path / str(system.at)
        generate(output, BEFORE)
        acknowledged = set(pixels_by_seed(output))
        with system.installed(monkeypatch):
            error = refusal(partial(generate, output, RUN, acknowledged))
        if error is not None:
            assert error.message
            assert error.remedy
            assert error.exit_code == 4
            assert isinstance(error, DiskFullError) is (number == errno.ENOSPC)
        check_afterwards(output, acknowledged, whole)


@pytest.mark.parametrize("torn", [False, True], ids=["before", "torn"])
def test_a_death_at_every_single_operation_loses_nothing_finished(tmp_path, monkeypatch, torn):
    whole = expected_keys(tmp_path / "whole")
    for system in faults(lambda at: BrokenOS(at, Killed, lasting=True, torn=torn)):
        output = tmp_path / str(system.at)
        generate(output, BEFORE)
        acknowledged = set(pixels_by_seed(output))
        with system.installed(monkeypatch), suppress(Killed):
            generate(output, RUN, acknowledged)
        check_afterwards(output, acknowledged, whole)


def test_a_run_can_go_on_after_a_passing_error(tmp_path, monkeypatch):
    """The engine stores the same image again after space was made: no reopening needed."""
    for system in faults(lambda at: Disk(at, errno.ENOSPC, torn=True)):
        output = tmp_path / str(system.at)
        request = make_request(output, RUN)
        with SyntheticDataset.open(output) as dataset:
            run = dataset.begin_run(request, plan(dataset, request))
            with system.installed(monkeypatch):
                try:
                    fill(dataset, run)
                except DiskFullError:
                    fill(dataset, run)
            dataset.end_run(run, "completed")
        assert_consistent(output)
        assert len(pixels_by_seed(output)) == 3


def half_discarded(output, system, monkeypatch):
    """Discard a run on a broken system; return whether the decision was acknowledged or at least noted."""
    request = make_request(output, RUN)
    with SyntheticDataset.open(output) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        fill(dataset, run)
        with system.installed(monkeypatch):
            try:
                dataset.discard_run(run)
            except (Killed, OutputError):
                return False
    return True


@pytest.mark.parametrize(
    "make",
    [lambda at: BrokenOS(at, Killed, lasting=True, torn=True), lambda at: Disk(at, errno.EIO, torn=True)],
    ids=["killed", "EIO"],
)
def test_a_discard_broken_off_anywhere_is_completed_or_never_happened(tmp_path, monkeypatch, make):
    generate(tmp_path / "before", BEFORE)
    kept = pixels_by_seed(tmp_path / "before")
    outcomes, at = set(), 0
    while True:
        at += 1
        output = tmp_path / str(at)
        generate(output, BEFORE)
        system = make(at)
        acknowledged = half_discarded(output, system, monkeypatch)
        with SyntheticDataset.open(output) as dataset:
            assert dataset.unfinished() == ()
        assert_consistent(output)
        found = pixels_by_seed(output)
        outcomes.add(len(found))
        assert len(found) in ({2} if acknowledged else {2, 5})
        assert kept.items() <= found.items()
        if not system.fired:
            break
    assert outcomes == {2, 5}
    assert at > 10
