"""What processes tell each other, on any device."""

from __future__ import annotations

import pytest
import torch

from core.cancel import CancelToken, StopMode
from diffusion.config import DiffusionConfig
from diffusion.processes import Agreement, _opinion, agree, start_processes

pytestmark = pytest.mark.slow


def test_one_process_agrees_with_itself(config: DiffusionConfig):
    accelerator, device = start_processes(config)
    cancel = CancelToken()
    assert agree(accelerator, device, torch.tensor(0.5), 0.25, cancel) == Agreement(0.5, 0.25, False)
    cancel.request(StopMode.AFTER_IMAGE)
    assert agree(accelerator, device, torch.tensor(0.5), 0.25, cancel) == Agreement(0.5, 0.25, True)
    assert cancel.mode is StopMode.NOW


def test_nothing_of_a_message_stays_on_the_processor():
    """The meta device joins tensors of one device only, as CUDA does."""
    device = torch.device("meta")
    assert _opinion(device, torch.zeros((), device=device), 0.25, False).device == device
