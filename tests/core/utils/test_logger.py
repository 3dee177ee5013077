from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from core.utils import logger
from core.utils.logger import RingHandler, setup_logging, shutdown_logging

log = logging.getLogger("core.example")


@pytest.fixture(autouse=True)
def _clean_up() -> Iterator[None]:
    yield
    shutdown_logging()


def test_records_reach_file_ring_and_listener(tmp_path: Path) -> None:
    setup = setup_logging(console=False, log_dir=tmp_path / "журнал")
    heard: list[logging.LogRecord] = []
    setup.ring.add_listener(heard.append)
    log.info("Сохранено %d", 3)
    assert setup.file is not None
    line = setup.file.read_text(encoding="utf-8").strip()
    assert line.endswith("INFO     core.example: Сохранено 3")
    assert [record.getMessage() for record in setup.ring.records()] == ["Сохранено 3"]
    assert heard == list(setup.ring.records())


def test_time_stamps_are_iso_with_offset(tmp_path: Path) -> None:
    setup = setup_logging(console=False, log_dir=tmp_path)
    log.info("x")
    assert setup.file is not None
    stamp = setup.file.read_text(encoding="utf-8").split(" ")[0]
    moment = datetime.fromisoformat(stamp)
    assert re.search(r"\.\d{3}[+-]\d\d:\d\d$", stamp)
    assert abs(moment.timestamp() - setup.ring.records()[0].created) < 0.001


def test_levels_own_records_from_info_others_from_warning(tmp_path: Path) -> None:
    setup = setup_logging(console=False, log_dir=tmp_path)
    log.debug("own detail")
    log.info("own")
    logging.getLogger("somelibrary").info("chatter")
    logging.getLogger("somelibrary").warning("trouble")
    assert [record.getMessage() for record in setup.ring.records()] == ["own", "trouble"]


def test_setting_up_again_replaces(tmp_path: Path) -> None:
    first = setup_logging(console=False, log_dir=tmp_path / "a")
    second = setup_logging(console=False, log_dir=tmp_path / "b")
    log.info("once")
    assert first.ring.records() == ()
    assert len(second.ring.records()) == 1


def test_console_is_standard_error(tmp_path: Path, capsys) -> None:
    setup_logging(console=True, log_dir=tmp_path)
    log.warning("careful")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "WARNING  core.example: careful" in captured.err


def test_a_log_folder_that_cannot_be_made_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    setup = setup_logging(console=False, log_dir=tmp_path / "file" / "logs")
    assert setup.file is None
    assert "No log file is kept" in setup.ring.records()[0].getMessage()


def test_the_file_rotates_and_keeps_three(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(logger, "FILE_BYTES", 400)
    setup_logging(console=False, log_dir=tmp_path)
    for number in range(60):
        log.info("record %d", number)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["isicgui.log", "isicgui.log.1", "isicgui.log.2", "isicgui.log.3"]
    assert "record 59" in (tmp_path / "isicgui.log").read_text(encoding="utf-8")


def test_the_ring_forgets_the_oldest() -> None:
    ring = RingHandler(capacity=3)
    for number in range(5):
        ring.emit(logging.makeLogRecord({"msg": str(number)}))
    assert [record.getMessage() for record in ring.records()] == ["2", "3", "4"]


def test_a_broken_listener_harms_nobody(monkeypatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    ring = RingHandler()
    heard: list[logging.LogRecord] = []
    ring.add_listener(lambda record: 1 / 0)
    ring.add_listener(heard.append)
    ring.emit(logging.makeLogRecord({"msg": "x"}))
    assert len(heard) == len(ring.records()) == 1


def test_a_removed_listener_hears_nothing() -> None:
    ring = RingHandler()
    heard: list[logging.LogRecord] = []
    ring.add_listener(heard.append)
    ring.remove_listener(heard.append)
    ring.remove_listener(heard.append)
    ring.emit(logging.makeLogRecord({"msg": "x"}))
    assert heard == []


def test_many_threads_lose_nothing() -> None:
    ring = RingHandler(capacity=10_000)
    source = logging.Logger("threads")
    source.addHandler(ring)
    threads = [threading.Thread(target=lambda: [source.info("x") for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ring.records()) == 4000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of file size")
def test_a_log_that_cannot_grow_is_no_trouble_to_what_is_logged(tmp_path: Path) -> None:
    code = (
        "import logging, resource, sys; from pathlib import Path; from core.utils.logger import setup_logging\n"
        "from training.run_folder import training_log\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "setup_logging(console=False, log_dir=Path(sys.argv[1]))\n"
        "with training_log(Path(sys.argv[1])):\n"
        "    for _ in range(3): logging.getLogger('core.x').warning('x' * 100)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
