"""Every reader of a file goes through `core.files`; what reads on its own is listed here, each with the reason.

A pipe, a link, nested JSON, bytes that are no UTF-8 or a file without end must be thought of once, not by everybody.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.test_layout import ROOT, trees

FUNCTIONS = {
    "json.loads", "json.load", "tomli.loads", "tomli.load", "csv.reader", "csv.DictReader", "np.load", "np.genfromtxt",
    "np.loadtxt", "np.fromfile", "np.memmap", "torch.load", "load_file", "safe_open", "pickle.load", "pickle.loads",
    "zipfile.ZipFile", "zipfile.is_zipfile", "tarfile.open", "h5py.File", "Image.open", "os.open", "io.open", "open",
    "mmap.mmap", "QImageReader", "QSettings",
}  # fmt: skip
"""Calls that parse or open, as they are written."""

METHODS = {"read_text", "read_bytes"}
"""Calls of any path."""

OWN = "written by the program itself just before"
PARSES = "parses text that core.files has read"
REGULAR = "of a file that open_regular has taken before, with limits of its own"
STARTS = "runs before any package is installed, and reads what lies beside the program"
SYSTEM = "a file of the operating system"

ALLOWED: dict[tuple[str, str], str] = {
    ("core/files/loose_json.py", "json.loads"): "the one place for JSON of no fixed form",
    ("core/files/reading.py", "json.loads"): "the one place for JSON by a schema",
    ("core/files/opening.py", "os.open"): "the one place where a given file is opened",
    ("core/files/own.py", "os.open"): "the one place where an own file is opened",
    ("core/files/atomic.py", "os.open"): "new files, and folders to make names durable",
    ("core/files/arrays.py", "zipfile.ZipFile"): "the one place for arrays, of bytes that read_input gave",
    ("core/images.py", "Image.open"): "the one place for pictures, of a stream that open_regular gave",
    ("core/models/safe_weights.py", "torch.load"): "the one place for weights; weights_only, after every check",
    ("core/models/safe_weights.py", "load_file"): "the one place for weights, after the header was checked",
    ("core/models/safe_weights.py", ".open"): REGULAR,
    ("core/models/safe_weights.py", "zipfile.ZipFile"): REGULAR,
    ("core/models/safe_weights.py", "zipfile.is_zipfile"): REGULAR,
    ("core/models/pickle_limits.py", ".open"): REGULAR,
    ("core/models/pickle_limits.py", "zipfile.ZipFile"): REGULAR,
    ("core/models/pickle_limits.py", "zipfile.is_zipfile"): REGULAR,
    ("download/members.py", ".open"): REGULAR,
    ("download/members.py", "zipfile.ZipFile"): REGULAR,
    ("legacy/keras_file.py", "h5py.File"): "the one place for HDF5, of a file; links and code in it are refused",
    ("dataset/recovery.py", "zipfile.ZipFile"): "names alone, of a stream that open_regular gave",
    ("dataset/table.py", "csv.reader"): PARSES,
    ("classifier/plots.py", "csv.DictReader"): PARSES,
    ("classifier/predictions.py", "csv.DictReader"): PARSES,
    ("photographs/label_table.py", "csv.reader"): PARSES,
    ("photographs/table_text.py", "csv.reader"): PARSES,
    ("training/settings.py", "tomli.loads"): PARSES,
    ("gui/workers/picture_file.py", "QImageReader"): "the window's pictures, with limits of its own",
    ("gui/common/settings.py", "QSettings"): "the window's state, which is looked through before",
    ("gui/theme/desktop_scheme.py", "QSettings"): SYSTEM,
    ("dataset/export/archive.py", ".read_bytes"): OWN,
    ("diffusion/autoencoder/pack.py", ".read_bytes"): OWN,
    ("diffusion/pack.py", ".read_bytes"): OWN,
    ("diffusion/trainer.py", "Image.open"): OWN,
    ("evaluation/memorisation.py", ".read_bytes"): OWN,
    ("reports/pdf.py", "Image.open"): OWN,
    ("xai/xai_integration.py", "Image.open"): OWN,
    ("xai/trajectory/folders.py", "json.loads"): OWN,
    ("core/jobs/worker.py", ".read_text"): "a crash of an own process, in the user's own folder",
    ("gui/help/diagnostics.py", ".read_text"): "a crash of an own process, in the user's own folder",
    ("core/doctor.py", ".read_text"): "requirements.txt, which lies beside the program",
    ("core/environment/locked_versions.py", ".read_text"): STARTS,
    ("core/environment/virtual_environment.py", ".read_bytes"): STARTS,
    ("core/environment/virtual_environment.py", ".read_text"): STARTS,
    ("core/environment/virtual_environment.py", "json.loads"): STARTS,
    ("core/environment/lock.py", "os.open"): STARTS,
    ("cli/streams.py", "open"): "standard output and its like",
    ("cli/streams.py", "os.open"): "the null device",
    ("training/hardware.py", ".read_text"): SYSTEM,
}


def calls(tree: ast.AST) -> Iterator[str]:
    """Yield the calls that read, by the name that they are allowed by."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        written = ast.unparse(node.func)
        name = written.rpartition(".")[2]
        if written in FUNCTIONS and not _writes(node, 1):
            yield written
        elif isinstance(node.func, ast.Attribute) and (
            (name in METHODS and not node.args) or (name == "open" and _reads(node))
        ):
            yield f".{name}"


def _mode(node: ast.Call, place: int) -> str:
    given = [*node.args[place : place + 1], *(word.value for word in node.keywords if word.arg == "mode")]
    return next((str(one.value) for one in given if isinstance(one, ast.Constant)), "")


def _writes(node: ast.Call, place: int) -> bool:
    return bool(set(_mode(node, place)) & set("wax")) and ast.unparse(node.func) != "os.open"


def _reads(node: ast.Call) -> bool:
    """Whether a method called `open` opens a file for reading."""
    mode = _mode(node, 0)
    is_text = any(word.arg == "encoding" for word in node.keywords)
    return mode.startswith("r") or (is_text and not set(mode) & set("wax"))


def found() -> set[tuple[str, str]]:
    return {(path.relative_to(ROOT).as_posix(), call) for path, tree in trees().items() for call in calls(tree)}


def test_no_file_is_read_past_the_readers_of_all() -> None:
    assert found() - set(ALLOWED) == set(), "read it through core.files, or say here why it is safe"


def test_no_exception_is_out_of_date() -> None:
    assert set(ALLOWED) - found() == set()
    assert all(reason.strip() for reason in ALLOWED.values())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("json.loads(x)", ["json.loads"]),
        ("path.read_text(encoding='utf-8')", [".read_text"]),
        ("path.open('rb')", [".open"]),
        ("path.open(encoding='utf-8')", [".open"]),
        ("path.open('wb')", []),
        ("dialog.open()", []),
        ("open(path)", ["open"]),
        ("open(path, 'xb')", []),
        ("zipfile.ZipFile(path, 'w')", []),
        ("zipfile.ZipFile(path)", ["zipfile.ZipFile"]),
        ("Image.open(path)", ["Image.open"]),
        ("loose_json.parse(text)", []),
    ],
)
def test_the_search_finds_what_reads(code: str, expected: list[str]) -> None:
    assert list(calls(ast.parse(code))) == expected
