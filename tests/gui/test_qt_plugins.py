"""Qt finds its plugins wherever PyQt5 is installed, also below a path with Cyrillic letters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import PyQt5
import pytest

from tests.support.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """\
import sys
import PyQt5
assert "Юлия" in PyQt5.__file__
from gui.app import make_application
app = make_application(["test"])
print("platform:", app.platformName())
"""


@pytest.mark.skipif(os.name == "nt", reason="hard links into another user's folder need no special right on POSIX")
def test_the_window_opens_from_a_path_in_other_letters(tmp_path: Path) -> None:
    """PyQt5 itself is there once more, as hard links, so that it takes no space."""
    source, target = Path(PyQt5.__file__).parent, tmp_path / "Юлия 李" / "PyQt5"
    for folder, _, names in os.walk(source):
        place = target / Path(folder).relative_to(source)
        place.mkdir(parents=True)
        for name in names:
            _link_or_copy(Path(folder) / name, place / name)
    variables = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(target.parent), str(ROOT)]),
        "QT_QPA_PLATFORM": "offscreen",
        "PYTHONUTF8": "1",
        "LC_ALL": "C.UTF-8",
    }
    variables.pop("QT_PLUGIN_PATH", None)
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=PATIENCE)
    assert "platform: offscreen" in done.stdout, done.stderr


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        target.write_bytes(source.read_bytes())
        target.chmod(source.stat().st_mode)
