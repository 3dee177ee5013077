"""What the window keeps in the user's folder of settings: a damaged file never keeps it from opening."""

from __future__ import annotations

import json
from pathlib import Path

from core.config.config_manager import ConfigManager
from core.config.transfer import plan_import
from core.utils.path_manager import PathManager
from gui.common.keys import Key, KeysModel
from gui.common.settings import SettingsModel
from gui.explain.analysis_store import Analysis, AnalysisStore
from gui.run.queue_store import QueuedRun, QueueStore
from gui.run.request import recall_request, remember_request
from tests.fuzz.case import Kind
from tests.fuzz.forms import as_json, as_settings
from tests.support.datasets import make_request
from xai.trajectory.request import TrajectoryRequest


def paths_of(folder: Path) -> PathManager:
    """Return the places of a user whose home is `folder`."""
    return PathManager(environment={"ISICGUI_HOME": str(folder)})


def make(folder: Path) -> None:
    """Write settings, a queue, analyses and what the window remembers."""
    config = ConfigManager(folder / "config/config.json", legacy=())
    config.set("generation.steps", 30)
    config.set("generation.seed_random", True)
    config.save()
    queue = QueueStore(folder / "config")
    queue.save([QueuedRun(make_request(folder / "out", shard=(1, 2))), QueuedRun(make_request(folder / "out"))])
    queue.close()
    analyses = AnalysisStore(folder / "config")
    analyses.save(
        [Analysis(TrajectoryRequest(folder / "out")), Analysis(TrajectoryRequest(folder, image=folder / "a.png"))]
    )
    analyses.close()
    model = SettingsModel(config, paths_of(folder))
    remember_request(model, make_request(folder / "out"))
    model.remember("keys/chosen", json.dumps({"start": ["Ctrl+R"], "stop": []}))
    model.save()
    for name, key in (("request.json", "run/last_request"), ("keys.json", "keys/chosen")):
        (folder / name).write_text(model.recall(key, "", str) or "{}")


def open_settings(folder: Path) -> ConfigManager:
    """Read the settings, write them, and read what another machine exported."""
    config = ConfigManager(folder / "config/config.json", legacy=()).load()
    for notice in config.notices:
        str(notice).encode()
    config.save()
    return ConfigManager(folder / "config/config.json", legacy=()).load()


def open_window(folder: Path) -> None:
    """Read everything that the window reads when it starts."""
    config = open_settings(folder)
    model = SettingsModel(config, paths_of(folder))
    assert model.models
    assert model.output
    model.recent("paths.output")
    recall_request(model)
    keys = KeysModel(model)
    keys.define([Key(("F5",), "Start", print, "start"), Key((), "Stop", print, "stop")])
    keys.hints("start")
    keys.assign("stop", ["F5"])


def open_lists(folder: Path) -> None:
    """Read the queue and the analyses, say what they hold, and write them."""
    for store in (QueueStore(folder / "config"), AnalysisStore(folder / "config")):
        loaded = store.load()
        str(loaded.notice).encode()
        for item in loaded.runs:
            describe(item)
        store.save(loaded.runs)
        assert store.load().runs == loaded.runs
        store.close()


def describe(item: QueuedRun | Analysis) -> None:
    """Do with an entry what the window does to show and start it."""
    from gui.run.request import describe_request

    if isinstance(item, QueuedRun):
        describe_request(item.request)
    else:
        item.request.arguments()


def import_settings(folder: Path) -> None:
    """Read settings that were exported."""
    plan_import(ConfigManager(folder / "other.json", legacy=()), folder / "config/config.json")


def recall(folder: Path) -> None:
    """Put a remembered request and remembered keys into the window's file, and start."""
    model = SettingsModel(ConfigManager(folder / "config/config.json", legacy=()).load(), paths_of(folder))
    for name, key in (("request.json", "run/last_request"), ("keys.json", "keys/chosen")):
        model.remember(key, (folder / name).read_bytes().decode("utf-8", "replace"))
    model.save()
    open_window(folder)


WINDOW_KINDS = {
    "settings": Kind(make, {"config/config.json": as_json}, open_window, refuses=False),
    "imported settings": Kind(make, {"config/config.json": as_json}, import_settings),
    "window file": Kind(make, {"config/window.ini": as_settings}, open_window, refuses=False),
    "last request": Kind(make, {"request.json": as_json}, recall, refuses=False),
    "keys": Kind(make, {"keys.json": as_json}, recall, refuses=False),
    "queue": Kind(make, {"config/queue.json": as_json}, open_lists, refuses=False),
    "analyses": Kind(make, {"config/analyses.json": as_json}, open_lists, refuses=False),
}
