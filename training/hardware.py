"""What a model was trained on, for its card: measured, not remembered."""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import torch

_MODEL_NAME: Final = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)
_CPU_TABLE: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Hardware:
    """One machine as a program on it sees it.

    Attributes
    ----------
    cpu
        Name of the processor.
    cores
        Logical cores that this process may use.
    threads
        Threads that torch computes with.
    gpus
        Names of the CUDA devices in use; empty on a CPU.
    memory_gb
        Main memory in GiB.
    """

    cpu: str
    cores: int
    threads: int
    gpus: tuple[str, ...]
    memory_gb: int

    @property
    def sentence(self) -> str:
        """The machine in words, as in ``2 cores of AMD EPYC 9B14 (2 threads), no GPU``."""
        cards = f"{len(self.gpus)} x {self.gpus[0]}" if self.gpus else "no GPU"
        return (
            f"{self.cores} core{'' if self.cores == 1 else 's'} of {self.cpu} "
            f"({self.threads} thread{'' if self.threads == 1 else 's'}), {self.memory_gb} GiB of memory, {cards}"
        )


def describe_hardware(device: torch.device | None = None, devices: int = 1) -> Hardware:
    """Look at this machine.

    Parameters
    ----------
    device
        What is computed on; the CPU if None.
    devices
        Number of GPUs that are used together, if `device` is one.
    """
    gpu = (torch.cuda.get_device_name(device),) * devices if device is not None and device.type == "cuda" else ()
    memory = round(psutil.virtual_memory().total / 2**30)
    return Hardware(_cpu_name(), _usable_cores(), torch.get_num_threads(), gpu, memory)


def _cpu_name() -> str:
    text = _CPU_TABLE.read_text(encoding="utf-8", errors="replace") if _CPU_TABLE.is_file() else ""
    match = _MODEL_NAME.search(text)
    return match[1].strip() if match else platform.processor() or platform.machine()


def _usable_cores() -> int:
    process = psutil.Process()
    # macOS cannot pin processes to cores
    return len(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else psutil.cpu_count() or 1
