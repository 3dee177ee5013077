"""`--xai-every`: which images the command line explains, in a run and when it is resumed."""

import json

import pytest

from core.cancel import CancelToken, StopMode
from core.events import ImageDone
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from tests.support.tiny_models import write_tiny_pack

pytestmark = pytest.mark.slow


@pytest.fixture
def asked(monkeypatch):
    """The files whose explanation was asked for."""
    files = []
    monkeypatch.setattr("xai.xai_integration.run_xai_analysis", lambda file: (files.append(file.name), (None, file))[1])
    return files


def test_a_run_explains_the_first_and_every_nth_after_it(call, tmp_path, asked):
    code, out, _ = call(
        "generate", "--classes", "MEL=3,NV=1", "--models", write_tiny_pack(tmp_path / "tiny"), "--steps", 2,
        "--output", tmp_path / "out", "--device", "cpu", "--precision", "fp32", "--xai-every", 2, "--json",
    )  # fmt: skip
    assert code == 0
    assert asked == ["ISIC_0000001.png", "ISIC_0000003.png", "ISIC_0000001.png"]
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["explain"] for event in events if event["event"] == "image"] == [True, False, True, True]
    assert len([event for event in events if event["event"] == "explained"]) == 3


def test_a_resume_goes_on_with_it(call, tmp_path, asked):
    pack, output, cancel = write_tiny_pack(tmp_path / "tiny"), tmp_path / "out", CancelToken()
    request = GenerationRequest(
        (("MEL", 3),), pack, output, steps=2, device="cpu", precision="fp32", batch_size=1, xai_every=2
    )
    for event in ImageGenerator().generate(request, cancel):
        if isinstance(event, ImageDone):
            cancel.request(StopMode.NOW)
    code, _, _ = call("resume", output)
    assert code == 0
    assert asked == ["ISIC_0000003.png"]
