"""A long run holds its memory: 2,000 images cost no more than 500."""

import gc
import os

import psutil
import pytest

from core.events import Finished, ImageDone
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from tests.support.tiny_models import write_tiny_pack

pytestmark = pytest.mark.slow

IMAGES = 2000
WARM_UP = 500


def resident():
    gc.collect()
    return psutil.Process().memory_info().rss


def test_memory_and_open_files_stay_flat_over_2000_images(tmp_path):
    pack = write_tiny_pack(tmp_path / "models")
    request = GenerationRequest((("NV", IMAGES),), pack, tmp_path / "out", steps=1, batch_size=20, precision="fp32")
    early = late = early_files = late_files = 0
    for event in ImageGenerator().generate(request):
        if isinstance(event, ImageDone) and event.done == WARM_UP:
            early, early_files = resident(), psutil.Process().num_fds() if os.name == "posix" else 0
        elif isinstance(event, ImageDone) and event.done == IMAGES:
            late, late_files = resident(), psutil.Process().num_fds() if os.name == "posix" else 0
        elif isinstance(event, Finished):
            assert event.written == IMAGES
    assert late < early * 1.05
    assert late_files == early_files
