"""The window opens what the window of version 0.1.0 has kept: settings, its queue, its analyses, its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from gui.explain.analysis_store import AnalysisState
from gui.run.queue_store import QueueState
from tests.support import version_0_1


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """The home that version 0.1.0 has left."""
    version_0_1.unpack(tmp_path)
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_settings_are_as_they_were(home, window, tmp_path):
    settings = window.session.settings
    assert settings.chosen() == {
        "paths.models": str(tmp_path / "models/pack"), "paths.output": str(tmp_path / "output"),
        "generation.sampler": "ddim", "generation.steps": 4, "generation.guidance": 2.5, "generation.seed": 7,
        "generation.count": 3, "ui.theme": "light",
    }  # fmt: skip
    assert settings.recall("export/split", "", str) == "70/15/15"
    assert window.session.model_download.target == tmp_path / "models"


def test_the_queue_is_as_it_was_and_what_had_not_made_anything_waits(home, window, tmp_path):
    done, interrupted, waiting, ran = window.session.queue.runs
    assert [run.state for run in (done, interrupted, waiting, ran)] == [
        QueueState.DONE, QueueState.INTERRUPTED, QueueState.WAITING, QueueState.WAITING,
    ]  # fmt: skip
    assert not window.session.queue.notice
    assert interrupted.run_id
    assert interrupted.request.counts == (("DF", 5),)
    assert (waiting.request.seed, waiting.request.shard) == (None, (1, 2))
    assert ran.request.xai_every == 2
    assert all(run.request.models == tmp_path / "models/pack" for run in window.session.queue.runs)


def test_analyses_are_listed_and_can_go_on(home, window, tmp_path):
    (analysis,) = window.session.analyses.analyses
    assert not window.session.analyses.notice
    assert analysis.state is AnalysisState.INTERRUPTED
    request = analysis.request
    assert (request.classes, request.count, request.steps, request.methods) == (("MEL",), 2, 4, ("gradcam",))
    assert request.output == tmp_path / "analyses"


def test_the_folders_images_are_shown_with_their_ratings(home, window, qtbot):
    gallery = window.session.gallery
    qtbot.waitUntil(lambda: gallery.rowCount() == 6 and not gallery.scanning)
    stars = {gallery.item(row).path: gallery.rating(gallery.item(row)) for row in range(6)}
    assert sorted(rating.stars for rating in stars.values()) == [0, 0, 0, 0, 0, 4]
    assert [rating.rejected for rating in stars.values()].count(True) == 1
