"""Keeps what is costly to load, by content, within a bound on memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

T = TypeVar("T")

DEFAULT_BYTES: Final = 1024**3


class CacheManager:
    """A least-recently-used store with a limit in bytes; safe to share between threads.

    Keys name content (a hash, a device, a number format), never a path or a class: another file under an old name is
    another key.

    Parameters
    ----------
    max_bytes
        Most that is kept. A single value larger than that is handed out but not kept.
    """

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.RLock()
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    @property
    def used_bytes(self) -> int:
        """Memory held at the moment."""
        with self._lock:
            return sum(size for _, size in self._entries.values())

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def get_or_load(self, key: Hashable, load: Callable[[], tuple[T, int]]) -> T:
        """Return what is kept under `key`, or load it.

        Parameters
        ----------
        load
            Returns the value and its size in bytes; what it raises passes through and nothing is kept.
        """
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                value: T = self._entries[key][0]
                return value
            value, size = load()
            self._keep(key, value, size)
            return value

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def _keep(self, key: Hashable, value: Any, size: int) -> None:
        if size > self._max_bytes:
            return
        self._entries[key] = (value, size)
        while self.used_bytes > self._max_bytes:
            self._entries.popitem(last=False)
