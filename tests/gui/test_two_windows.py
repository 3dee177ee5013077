"""Two programs on one output folder, with the real engine: told before the start, refused after it, nothing lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication

from core.utils.logger import RingHandler
from dataset.synthetic_dataset import read_records
from gui.run.queue_store import QueueState
from gui.shell.main_window import MainWindow
from tests.gui.real_window import open_real_window
from tests.gui.test_run import ask_for
from tests.support.tiny_models import write_tiny_pack

ROOT = Path(__file__).resolve().parents[2]

OTHER = """
import sys
from pathlib import Path
from dataset.synthetic_dataset import SyntheticDataset
with SyntheticDataset.open(Path(sys.argv[1])):
    print("writing", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(output: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", OTHER, str(output)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "writing\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def real_window(qapp: QApplication, tmp_path: Path, ring: RingHandler, qtbot) -> Iterator[MainWindow]:
    with open_real_window(qapp, ring, qtbot, write_tiny_pack(tmp_path / "models")) as window:
        yield window


def test_a_folder_that_another_program_writes_to(
    real_window: MainWindow, other: subprocess.Popen[str], output: Path, qtbot
) -> None:
    window, session = real_window, real_window.session
    ask_for(window, MEL=2)
    qtbot.waitUntil(lambda: f"Process {other.pid}" in window.setup.controls.warnings.text)
    window.setup.start.click()
    qtbot.waitUntil(lambda: bool(window._problems))
    assert window._problems[0].problem.kind == "locked"
    assert str(other.pid) in window._problems[0].problem.message
    words = [button.text() for button in window._problems[0].remedies]
    assert words == ["Try again", "Choose another output folder…"]
    window._problems[0].remedies[0].click()  # the other one is still there
    qtbot.waitUntil(lambda: bool(window._problems) and not session.run.busy)
    assert window._problems[0].problem.kind == "locked"
    window._problems[0].close()
    session.queue_up()
    session.queue.start()
    qtbot.waitUntil(lambda: not session.queue.active and not session.run.busy)
    assert session.queue.runs[0].state is QueueState.FAILED
    other.communicate("")
    session.queue.try_again(0)
    session.queue.start()
    qtbot.waitUntil(lambda: not session.queue.active and not session.run.busy)
    assert session.queue.runs[0].state is QueueState.DONE
    assert len(read_records(output)) == 2


def test_pausing_and_repeating_with_the_real_engine(real_window: MainWindow, output: Path, qtbot) -> None:
    """Regenerated with the same seeds the sequence goes on: numbers continue, no image is made a second time."""
    window, session = real_window, real_window.session
    ask_for(window, MEL=2)
    session.run.began.connect(lambda _: session.run.toggle_pause())
    window.setup.start.click()
    qtbot.waitUntil(lambda: session.run.state.value == "paused")
    window.setup.controls.pause.click()
    qtbot.waitUntil(lambda: not session.run.busy)
    session.run.began.disconnect()
    first = {record.path.name: record.seed for record in read_records(output)}
    window.setup.controls.regenerate.click()
    qtbot.waitUntil(lambda: session.run.done == 2 and not session.run.busy)
    records = read_records(output)
    assert [record.isic_number for record in records] == [1, 2, 3, 4]
    assert len({record.seed for record in records}) == 4
    assert first.items() <= {record.path.name: record.seed for record in records}.items()
