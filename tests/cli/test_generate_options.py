"""Flags of `generate` and `resume` that say how to compute, not what."""

import pytest
import torch

from core.cancel import CancelToken, StopMode
from core.events import ImageDone
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from dataset.png import read_recipe
from tests.support.tiny_models import write_tiny_pack


@pytest.fixture(autouse=True)
def _threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2])
def test_images_are_made_with_the_threads_asked_for(call, tmp_path, threads):
    code, _, _ = call(
        "generate", "--classes", "MEL=1", "--models", write_tiny_pack(tmp_path / "tiny"), "--steps", 2,
        "--output", tmp_path / "out", "--device", "cpu", "--threads", threads,
    )  # fmt: skip
    assert code == 0
    assert read_recipe(tmp_path / "out" / "MEL" / "ISIC_0000001.png").threads == threads


@pytest.mark.parametrize("threads", ["-1", "many", "5000"])
def test_an_impossible_number_of_threads_is_refused(call, tmp_path, threads):
    code, _, err = call("generate", "--classes", "MEL=1", "--output", tmp_path / "out", "--threads", threads)
    assert code == 2
    assert "--threads" in err
    assert not (tmp_path / "out").exists()


def test_a_resume_may_have_another_batch_size_and_device(call, tmp_path):
    pack, output, cancel = write_tiny_pack(tmp_path / "tiny"), tmp_path / "out", CancelToken()
    request = GenerationRequest((("MEL", 3),), pack, output, steps=2, device="cpu", precision="fp32", batch_size=1)
    for event in ImageGenerator().generate(request, cancel):
        if isinstance(event, ImageDone):
            cancel.request(StopMode.NOW)
    code, _, _ = call("resume", output, "--batch-size", 2, "--device", "cpu")
    assert code == 0
    recipes = [read_recipe(output / "MEL" / f"ISIC_000000{n}.png") for n in (1, 2, 3)]
    assert [recipe.batch_size for recipe in recipes] == [1, 2, 2]
