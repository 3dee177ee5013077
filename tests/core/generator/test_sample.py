"""Images in memory, for notebooks: those that `generate` writes, with recipes that make them again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.errors import ModelMissingError, UsageError
from core.events import ImageDone
from core.generation import GenerationRequest, order_counts
from core.generator.image_generator import ImageGenerator
from core.generator.reproduce import reproduce
from core.images import read_image
from tests.support.tiny_models import write_tiny_pack

COUNTS = {"NV": 3, "MEL": 2}


@pytest.fixture
def generator(tmp_path: Path) -> ImageGenerator:
    return ImageGenerator(models=write_tiny_pack(tmp_path / "models" / "tiny"), device="cpu")


def test_they_are_those_that_generate_writes(generator: ImageGenerator, tmp_path: Path) -> None:
    options = {"seed": 7, "steps": 3, "batch_size": 2}
    samples = generator.sample(COUNTS, **options)
    request = GenerationRequest(
        order_counts(COUNTS), tmp_path / "models" / "tiny", tmp_path / "out", device="cpu", **options
    )
    files = [event.file for event in generator.generate(request) if isinstance(event, ImageDone)]
    assert [sample.recipe.class_code for sample in samples] == ["MEL", "MEL", "NV", "NV", "NV"]
    for sample, file in zip(samples, files, strict=True):
        assert np.array_equal(sample.pixels, read_image(file))


def test_nothing_is_written_until_it_is_saved(
    generator: ImageGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (sample,) = generator.sample({"MEL": 1}, steps=2)
    assert not list(Path().iterdir())
    assert sample.image.size == (16, 16)
    sample.save(Path("a.png"))
    assert reproduce(Path("a.png"), models=tmp_path / "models" / "tiny").identical
    with pytest.raises(FileExistsError):
        sample.save(Path("a.png"))


def test_what_is_impossible_is_refused(generator: ImageGenerator, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no sampler"):
        generator.sample({"MEL": 1}, sampler="lms")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelMissingError):
        ImageGenerator(models=tmp_path / "empty").sample({"MEL": 1})
