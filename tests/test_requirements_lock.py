"""requirements.lock: complete, with a checksum for every file, and from nowhere but PyPI."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core.doctor import read_requirements

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "requirements.lock").read_text(encoding="utf-8")
ENTRIES = re.split(r"\n(?=[a-z0-9])", TEXT.partition("\n#    python scripts/lock.py\n")[2])
AGAIN = "run: python scripts/lock.py"


def pins() -> dict[str, str]:
    """Return the version of every package that is locked for this machine and Python."""
    found = [Requirement(entry.partition(" \\\n")[0]) for entry in ENTRIES]
    here = [pin for pin in found if pin.marker is None or pin.marker.evaluate()]
    assert len({pin.name for pin in here}) == len(here), "two versions of one package"
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in here}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_everything_required_is_locked_to_a_version_that_is_allowed(name: str) -> None:
    locked = pins()
    for requirement in read_requirements(ROOT / name):
        version = locked.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not locked; {AGAIN}"
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} is not {version}; {AGAIN}"


def test_every_entry_has_checksums() -> None:
    assert len(ENTRIES) > 100
    lacking = [entry.split()[0] for entry in ENTRIES if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry)]
    assert lacking == []


def test_no_address_and_no_path_stands_in_the_lock() -> None:
    """The lock may be made on a machine with an index of its own; everybody else has PyPI."""
    code = [line for line in TEXT.splitlines() if not line.startswith(("    # ", "#"))]
    shape = re.compile(r"[a-z0-9-]+==[0-9a-z.]+( ; [^/\\@]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in code if not shape.fullmatch(line)] == []
    assert not re.search(r"://|file:|--(?:extra-)?index-url|--find-links", TEXT)
