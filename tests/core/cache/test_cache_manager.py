"""The store of loaded networks: by content, bounded, least recently used goes first."""

from __future__ import annotations

import pytest

from core.cache.cache_manager import CacheManager


class Loads:
    """Counts how often something is loaded."""

    def __init__(self) -> None:
        self.count = 0

    def of(self, size: int):
        def load() -> tuple[object, int]:
            self.count += 1
            return object(), size

        return load


def test_a_value_is_loaded_once():
    cache, loads = CacheManager(100), Loads()
    assert cache.get_or_load("a", loads.of(10)) is cache.get_or_load("a", loads.of(10))
    assert (loads.count, len(cache), cache.used_bytes) == (1, 1, 10)


def test_the_least_recently_used_goes_when_memory_is_full():
    cache, loads = CacheManager(100), Loads()
    a = cache.get_or_load("a", loads.of(40))
    cache.get_or_load("b", loads.of(40))
    assert cache.get_or_load("a", loads.of(40)) is a
    cache.get_or_load("c", loads.of(40))
    assert cache.used_bytes == 80
    assert cache.get_or_load("a", loads.of(40)) is a
    before = loads.count
    cache.get_or_load("b", loads.of(40))
    assert loads.count == before + 1


def test_memory_stays_bounded_over_many_values():
    cache, loads = CacheManager(100), Loads()
    for key in range(1000):
        cache.get_or_load(key, loads.of(7))
        assert cache.used_bytes <= 100


def test_a_value_larger_than_the_store_is_handed_out_and_not_kept():
    cache, loads = CacheManager(100), Loads()
    kept = cache.get_or_load("small", loads.of(10))
    assert cache.get_or_load("big", loads.of(101)) is not None
    assert (len(cache), cache.get_or_load("small", loads.of(10))) == (1, kept)


def test_what_fails_to_load_is_not_kept():
    cache = CacheManager(100)

    def fail() -> tuple[object, int]:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.get_or_load("a", fail)
    assert len(cache) == 0
    assert cache.get_or_load("a", lambda: ("value", 1)) == "value"


def test_clear_forgets_everything():
    cache = CacheManager(100)
    cache.get_or_load("a", lambda: ("value", 1))
    cache.clear()
    assert (len(cache), cache.used_bytes) == (0, 0)
