"""The engine in a process of its own: events, stops, errors, sudden death, goodbye."""

from __future__ import annotations

import ctypes
import dataclasses
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PyQt5.QtWidgets import QApplication

from core.cancel import CancelToken, StopMode
from core.errors import ISICGUIError, UnknownClassError
from core.events import Continued, Finished, ImageDone, Paused, Step
from core.generation import GenerationRequest
from core.jobs.client import WorkerDiedError, WorkerFaultError
from core.jobs.stream import JobStopped
from core.taxonomy import CLASS_CODES
from dataset.png import encode_png
from gui.run.run import RunModel, summary
from gui.workers.engine import EngineInfo
from gui.workers.process_engine import ProcessEngine
from tests.gui.fake_engine import FakeEngine, make_pixels, make_recipe
from tests.support.patience import wait_until
from xai.explanation import ExplainOptions


class Remote(FakeEngine):
    """What runs in the other process; class counts tell it how to behave."""

    def warm_up(self) -> EngineInfo:
        return dataclasses.replace(super().warm_up(), versions={"threads": str(self.threads)})

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[object]:
        wish = dict(request.counts)
        if wish == {"VASC": 1}:
            raise UnknownClassError("MLE", CLASS_CODES, "MEL")
        if wish == {"VASC": 2}:
            raise RuntimeError("CUDA out of memory")
        if wish == {"VASC": 4}:
            ctypes.string_at(0)
        if wish == {"VASC": 3}:
            os.kill(os.getpid(), signal.SIGKILL)
        self.step_seconds = 0.1 if wish == {"BKL": 50} else 0.0
        yield from super().generate(request, cancel)


LOADED = "ISICGUI_TEST_LOADED"
"""Names the file that a `SlowToLoad` waits for."""


class SlowToLoad(FakeEngine):
    """Its libraries are loaded when a file is there; a call that needs them waits for that, as one lock makes it."""

    def warm_up(self) -> EngineInfo:
        self._load()
        return super().warm_up()

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[object]:
        self._load()
        if cancel.mode is not None:
            yield Finished("", "stopped", 0, 0, 1, 0.0, request.output)
        else:
            yield from super().generate(request, cancel)

    def _load(self) -> None:
        while not Path(os.environ[LOADED]).exists():
            time.sleep(0.01)


@pytest.fixture
def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: QApplication) -> Iterator[ProcessEngine]:
    monkeypatch.setenv(LOADED, str(tmp_path / "loaded"))
    engine = ProcessEngine(SlowToLoad)
    yield engine
    (tmp_path / "loaded").touch()
    engine.close()


@pytest.mark.parametrize("mode", list(StopMode))
def test_a_stop_while_the_libraries_are_loaded_is_obeyed_at_once_and_leaves_nothing(
    loading: ProcessEngine, tmp_path: Path, qtbot, mode: StopMode
) -> None:
    warmed: list[EngineInfo] = []
    threading.Thread(target=lambda: warmed.append(loading.warm_up())).start()
    wait_until(lambda: loading.pid is not None)
    run, output = RunModel(loading), tmp_path / "output"
    run.start(request_of(output, MEL=1))
    run.stop(mode)
    qtbot.waitUntil(lambda: not run.busy)
    assert not warmed  # it ended before they were loaded
    assert run.error is None
    assert run.last is not None
    assert (run.last.status, run.last.run_id) == ("stopped", "")
    assert summary(run.last) == "Stopped before the run began."
    run.start(request_of(output, NV=1))
    (tmp_path / "loaded").touch()
    qtbot.waitUntil(lambda: not run.busy)
    assert run.done == 1
    assert [path.parent.name for path in output.glob("*/*.png")] == ["NV"]
    wait_until(lambda: bool(warmed))


def test_a_stopped_explanation_does_not_wait_for_the_libraries(loading: ProcessEngine, tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.request(StopMode.NOW)
    with pytest.raises(JobStopped):
        list(loading.explain(tmp_path / "a.png", ExplainOptions(), None, cancel))


@pytest.fixture
def remote() -> Iterator[ProcessEngine]:
    engine = ProcessEngine(Remote)
    yield engine
    engine.close()


def request_of(output: Path, **counts: int) -> GenerationRequest:
    return GenerationRequest(tuple(counts.items()), Path("models"), output)


def test_events_pictures_and_files_arrive(remote: ProcessEngine, tmp_path: Path) -> None:
    events = list(remote.generate(request_of(tmp_path, MEL=2), CancelToken()))
    steps = [event for event in events if isinstance(event, Step)]
    images = [event for event in events if isinstance(event, ImageDone)]
    assert [step.step for step in steps] == [1, 2, 3, 4, 1, 2, 3, 4]
    assert steps[0].preview.predicted.shape == (32, 32, 3)
    assert all(image.file.is_file() for image in images)
    assert isinstance(events[-1], Finished)
    assert remote.pid != os.getpid()


def test_it_says_what_it_has(remote: ProcessEngine) -> None:
    assert remote.warm_up().automatic == "cuda:0"


def test_the_number_of_threads_reaches_it_before_the_job_and_outlives_it(remote: ProcessEngine, tmp_path: Path) -> None:
    remote.use_threads(3)  # before there is a process
    assert remote.warm_up().versions == {"threads": "3"}
    remote.use_threads(5)
    assert remote.warm_up().versions == {"threads": "5"}
    with pytest.raises(WorkerDiedError):
        list(remote.generate(request_of(tmp_path, VASC=3), CancelToken()))
    assert remote.warm_up().versions == {"threads": "5"}


@pytest.mark.skipif(os.name == "nt", reason="faults of Windows have other names")
def test_where_it_crashed_is_in_the_log(remote: ProcessEngine, home: Path, caplog, tmp_path: Path) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(WorkerDiedError):
        list(remote.generate(request_of(tmp_path, VASC=4), CancelToken()))
    assert "Segmentation fault" in caplog.text
    assert "in generate" in caplog.text
    remote.warm_up()
    remote.close()
    assert list((home / "logs").glob("*.faults")) == []


def test_a_stop_reaches_it(remote: ProcessEngine, tmp_path: Path) -> None:
    cancel = CancelToken()
    events = []
    for event in remote.generate(request_of(tmp_path, BKL=50), cancel):
        events.append(event)
        if isinstance(event, ImageDone):
            cancel.request(StopMode.NOW)
    assert events[-1].status == "stopped"
    assert 1 <= events[-1].written < 50


def test_a_typed_error_keeps_its_words(remote: ProcessEngine, tmp_path: Path) -> None:
    with pytest.raises(ISICGUIError) as caught:
        list(remote.generate(request_of(tmp_path, VASC=1), CancelToken()))
    assert caught.value.kind == "unknown_class"
    assert caught.value.message == "There is no class 'MLE'."
    assert "Did you mean MEL?" in caught.value.remedy


def test_an_unexpected_error_brings_its_traceback(remote: ProcessEngine, tmp_path: Path) -> None:
    with pytest.raises(WorkerFaultError, match="CUDA out of memory") as caught:
        list(remote.generate(request_of(tmp_path, VASC=2), CancelToken()))
    assert "in generate" in caught.value.details


def test_sudden_death_is_an_error_and_the_next_call_works(remote: ProcessEngine, tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError, match="Finished work is kept"):
        list(remote.generate(request_of(tmp_path, VASC=3), CancelToken()))
    events = list(remote.generate(request_of(tmp_path, MEL=1), CancelToken()))
    assert events[-1].written == 1


def test_a_picture_is_explained(remote: ProcessEngine, tmp_path: Path) -> None:
    image = tmp_path / "a.png"
    image.write_bytes(encode_png(make_pixels(1), make_recipe("NV", 1)))
    found = list(remote.explain(image, ExplainOptions(methods=("ig", "gradcam")), "NV", CancelToken()))
    assert [(one.method, one.target) for one in found] == [("ig", "NV"), ("gradcam", "NV")]
    assert found[0].attribution.shape == (32, 32, 3)


def test_after_goodbye_there_is_no_process(remote: ProcessEngine) -> None:
    remote.warm_up()
    pid = remote.pid
    remote.close()
    assert remote.pid is None or not alive(pid)
    with pytest.raises(WorkerDiedError):
        remote.warm_up()


def test_the_engine_ends_when_the_window_is_killed(tmp_path: Path) -> None:
    """A window that dies without a goodbye must not leave a process behind that computes for nobody."""
    code = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from core.cancel import CancelToken\n"
        "from gui.workers.process_engine import ProcessEngine\n"
        "from tests.gui.test_process_engine import Remote, request_of\n"
        "if __name__ == '__main__':\n"
        "    engine = ProcessEngine(Remote)\n"
        f"    for event in engine.generate(request_of(Path({str(tmp_path)!r}), BKL=50), CancelToken()):\n"
        "        print(engine.pid, flush=True)\n"
    )
    script = tmp_path / "window.py"
    script.write_text(code, encoding="utf-8")
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    window = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment)
    assert window.stdout is not None
    pid = int(window.stdout.readline())
    window.kill()
    window.communicate()
    wait_until(lambda: not alive(pid))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


def test_a_pause_reaches_it_and_so_does_its_end(remote: ProcessEngine, tmp_path: Path) -> None:
    cancel = CancelToken()
    events = []
    for event in remote.generate(request_of(tmp_path, BKL=50), cancel):
        events.append(event)
        if isinstance(event, ImageDone):
            if event.done == 1:
                cancel.pause()
            else:
                cancel.request(StopMode.NOW)
        if isinstance(event, Paused):
            threading.Timer(0.3, cancel.go_on).start()
    (continued,) = [event for event in events if isinstance(event, Continued)]
    assert continued.seconds > 0.2
    assert [event.done for event in events if isinstance(event, ImageDone)][:2] == [1, 2]
    assert events[-1].status == "stopped"
