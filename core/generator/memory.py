"""Errors that say that the memory of a device was not enough."""

from __future__ import annotations


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether an error says that an allocation failed, on a graphics card or on the CPU."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
