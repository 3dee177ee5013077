"""The edge to Hugging Face accelerate: one process, several GPUs or several machines, and what they must agree on."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import NamedTuple

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs

from core.cancel import CancelToken, StopMode
from core.errors import DeviceError, UsageError
from core.message import Message
from core.precision import resolve_device
from diffusion.config import DiffusionConfig

_PATIENCE = timedelta(hours=4)
"""How long processes wait for the first one, which alone draws samples."""


class Agreement(NamedTuple):
    """What all processes go by after a step.

    Attributes
    ----------
    loss
        Mean over all processes; not finite as soon as that of one is not.
    progress
        Used share of the budget; clocks differ, so the most impatient one counts.
    stop
        Whether any process was asked to stop.
    """

    loss: float
    progress: float
    stop: bool


def start_processes(config: DiffusionConfig) -> tuple[Accelerator, torch.device]:
    """Return accelerate's view of this process and the device it computes on.

    Raises
    ------
    UsageError
        If the batch cannot be shared out, or several processes are to use one named GPU.
    """
    accelerator = Accelerator(
        cpu=config.device.strip().lower() == "cpu",
        mixed_precision="no",  # the loss enters autocast itself; nothing wraps the network
        gradient_accumulation_steps=config.gradient_accumulation,
        device_placement=False,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=_PATIENCE)],
    )
    processes = accelerator.num_processes
    if config.batch_size % (processes * config.gradient_accumulation):
        raise UsageError(
            Message(
                "batch_size = {batch_size} cannot be divided among {processes} processes with "
                "gradient_accumulation = {gradient_accumulation}.",
                batch_size=config.batch_size,
                processes=processes,
                gradient_accumulation=config.gradient_accumulation,
            ),
            remedy=Message("Make batch_size a multiple of {detail}.", detail=processes * config.gradient_accumulation),
        )
    return accelerator, resolve_device(config.device) if processes == 1 else _own_device(accelerator, config)


def _own_device(accelerator: Accelerator, config: DiffusionConfig) -> torch.device:
    if ":" in config.device:
        raise DeviceError(
            Message(
                "{num_processes} processes cannot all use device = {device}.",
                num_processes=accelerator.num_processes,
                device=config.device,
            ),
            remedy=Message("Leave the device to the launcher: device = auto."),
        )
    return accelerator.device


def leave_signals_to_the_first_process(_worker: int) -> None:
    """Let a process that prepares images outlive Ctrl-C, which goes to all of them: the step under way needs it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def agree(
    accelerator: Accelerator, device: torch.device, loss: torch.Tensor, progress: float, cancel: CancelToken
) -> Agreement:
    """Let all processes know the same loss and progress, and stop when one of them is asked to."""
    opinion = _opinion(device, loss, progress, cancel.mode is not None)
    every = accelerator.gather(opinion).view(-1, 3).cpu()
    state = Agreement(float(every[:, 0].mean()), float(every[:, 1].max()), bool(every[:, 2].any()))
    if state.stop:
        cancel.request(StopMode.NOW)
    return state


def agree_to_stop(accelerator: Accelerator, device: torch.device, cancel: CancelToken) -> bool:
    """Return, between two steps, whether any process was asked to stop; the same in all of them."""
    return agree(accelerator, device, torch.zeros((), device=device), 0.0, cancel).stop


def _opinion(device: torch.device, loss: torch.Tensor, progress: float, stop: bool) -> torch.Tensor:
    """Return what one process has to say, (3,) float64; all of it on one device, or CUDA refuses to join it."""
    rest = torch.tensor([progress, float(stop)], dtype=torch.float64, device=device)
    return torch.cat([loss.detach().double().reshape(1), rest])
