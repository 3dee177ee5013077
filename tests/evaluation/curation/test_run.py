"""A whole curation in a worker's process: what comes back are its events, as they were made."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from core.errors import ISICGUIError
from core.events import Event, Notice, Progress
from core.jobs.client import JobClient
from core.message import Message
from evaluation.curation.request import CurationFinished, CurationRequest, CurationStarted
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier


def test_events_cross_the_pipe_as_they_are_and_an_error_keeps_its_kind(tmp_path: Path) -> None:
    (tmp_path / "set/NV").mkdir(parents=True)
    for number in range(3):
        Image.fromarray(draw_lesion("NV", number)).save(tmp_path / f"set/NV/{number}.png")
    judge = write_tiny_classifier(tmp_path / "judge")
    request = CurationRequest(tmp_path / "set", tmp_path / "out", "fidelity>=0.01", classifier=judge)
    client = JobClient()
    try:
        events: list[Event] = list(client.run(request))
        with pytest.raises(ISICGUIError) as refusal:
            list(client.run(CurationRequest(tmp_path / "gone", tmp_path / "out")))
    finally:
        client.close()
    assert events[0] == CurationStarted(request.synthetic, request.output, "fidelity>=0.01")
    end = events[-1]
    assert isinstance(end, CurationFinished)
    assert isinstance(end.verdict, Message)
    assert end.curation == tmp_path / "out/curation.csv"
    assert [event.message for event in events if isinstance(event, Notice)] == list(end.notes)
    assert {type(event.words) for event in events if isinstance(event, Progress)} == {Message}
    assert (refusal.value.kind, refusal.value.exit_code) == ("input", 3)
