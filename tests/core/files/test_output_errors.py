"""The operating system's refusals, read aloud; where they can be had for real, they are real."""

import errno
import shutil
import signal

import pytest

from core.errors import DiskFullError, OutputError
from core.files.atomic import explain_os_error
from dataset.synthetic_dataset import SyntheticDataset
from tests.support.datasets import assert_consistent, fill, make_request, plan, resume

resource = pytest.importorskip("resource", reason="limits on file sizes are a POSIX matter")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_full_disks_and_quotas(tmp_path, code):
    error = explain_os_error(OSError(code, "x", "/a/temporary/file.tmp"), tmp_path)
    assert isinstance(error, DiskFullError)
    assert "no space left" in error.message
    assert str(tmp_path) in error.message


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.EACCES, "protected"),
        (errno.EROFS, "read-only"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.ENOENT, "vanished"),
    ],
)
def test_other_refusals_say_why_and_what_to_do(tmp_path, code, words):
    error = explain_os_error(OSError(code, "x", "/some/file"), tmp_path)
    assert type(error) is OutputError
    assert words in error.message
    assert "/some/file" in error.message
    assert error.remedy


def test_unknown_errors_keep_the_systems_own_words(tmp_path):
    assert "Input/output error" in str(explain_os_error(OSError(errno.EIO, "Input/output error"), tmp_path))


def test_a_path_that_is_too_long(tmp_path):
    with pytest.raises(OutputError, match="too long"):
        SyntheticDataset.open(tmp_path / ("x" * 300))


def test_a_path_through_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        SyntheticDataset.open(tmp_path / "file" / "output")


def test_a_file_where_the_folder_should_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        SyntheticDataset.open(tmp_path / "file")


def test_a_folder_that_vanishes_during_a_run(tmp_path):
    output = tmp_path / "usb-stick"
    request = make_request(output)
    with SyntheticDataset.open(output) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        shutil.rmtree(output)
        with pytest.raises(OutputError, match="vanished"):
            fill(dataset, run)
    assert not output.exists()


def test_a_real_file_size_limit_in_the_middle_of_a_run(tmp_path):
    """The kernel refuses to let the journal grow: the image is kept and the folder continues."""
    request = make_request(tmp_path, "MEL=9")
    with SyntheticDataset.open(tmp_path) as dataset:
        run = dataset.begin_run(request, plan(dataset, request))
        limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
        try:
            with pytest.raises(OutputError, match="larger than allowed"):
                fill(dataset, run)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, handler)
        assert 0 < len(run.done) < 9
    resume(tmp_path)
    assert_consistent(tmp_path)
