"""How many at once, how fast, and how much longer."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest
import torch

from core.generator import run_estimate
from core.generator.finishing import PreviewGate, ProgressRate
from core.generator.model_manager import ModelSource
from core.generator.run_estimate import MAX_AUTOMATIC, bytes_per_image, choose_batch_size
from core.models.networks import PREDECESSOR_NET

CPU, CARD = torch.device("cpu"), torch.device("cuda", 0)
SOURCE = ModelSource(Path("x"), PREDECESSOR_NET, {})
GUIDED = ModelSource(Path("x"), PREDECESSOR_NET, {}, class_label=0, null_label=7)


@pytest.fixture
def free(monkeypatch):
    def set_free(size: int) -> None:
        monkeypatch.setattr(run_estimate, "_free_bytes", lambda device: size)

    return set_free


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_processor_makes_one_at_a_time_unless_asked(free):
    free(10**12)
    assert choose_batch_size(None, CPU, [SOURCE], 1000) == 1
    assert choose_batch_size(16, CPU, [SOURCE], 1000) == 16


def test_a_card_gets_what_fits_and_never_more_than_is_needed(free):
    free(bytes_per_image(SOURCE) * 40)
    assert choose_batch_size(None, CARD, [SOURCE], 1000) == 40
    assert choose_batch_size(None, CARD, [SOURCE], 7) == 7
    assert choose_batch_size(None, CARD, [GUIDED], 1000) == 20
    assert choose_batch_size(None, CARD, [SOURCE, GUIDED], 1000) == 20
    free(10**15)
    assert choose_batch_size(None, CARD, [SOURCE], 10**6) == MAX_AUTOMATIC
    free(0)
    assert choose_batch_size(None, CARD, [SOURCE], 1000) == 1


def test_what_is_asked_of_a_card_is_tried(free):
    free(bytes_per_image(SOURCE) * 4)
    assert choose_batch_size(64, CARD, [SOURCE], 1000) == 64


def test_a_processor_is_never_asked_for_more_than_its_memory(free):
    free(bytes_per_image(SOURCE) * 4)
    assert choose_batch_size(4096, CPU, [SOURCE], 5000) == 4


def test_recorded_trajectories_bound_the_batch(free):
    free(10**15)
    assert choose_batch_size(None, CARD, [SOURCE], 1000, trajectory_steps=1000) == 10
    assert choose_batch_size(256, CARD, [SOURCE], 1000, trajectory_steps=20) == 256


def test_the_estimate_is_more_than_a_forward_pass_takes():
    """Peak memory of the predecessor's network on one 128 x 128 image, by the size of what it allocates."""
    from tests.support.tiny_models import predecessor_net

    net, process = predecessor_net(), psutil.Process()
    before = process.memory_info().rss
    with torch.inference_mode():
        net(torch.randn(1, 3, 128, 128), 10)
    assert process.memory_info().rss - before < bytes_per_image(SOURCE)


def test_the_pace_counts_finished_images_and_waits_for_two():
    clock = Clock()
    pace = ProgressRate(10, clock)
    clock.now = 100.0
    pace.start()  # what came before was loading
    clock.now += 2
    pace.finish_one()
    assert (pace.rate, pace.remaining) == (None, None)
    clock.now += 2
    pace.finish_one()
    assert (pace.rate, pace.remaining) == (0.5, 16.0)
    pace.start()  # the next model: nothing begins anew
    clock.now += 4
    pace.finish_one()
    assert pace.rate == pytest.approx(3 / 8)
    assert pace.remaining == pytest.approx(7 * 8 / 3)


def test_previews_pass_fifteen_times_a_second_at_most():
    clock = Clock()
    gate = PreviewGate(clock)
    passed = 0
    for tick in range(1000):
        clock.now = tick / 1000
        passed += gate.is_due()
    assert passed == 15
