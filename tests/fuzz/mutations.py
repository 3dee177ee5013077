"""Changes to JSON trees, texts and bytes; every one is a function of a `Random`, so that a case can be repeated."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.fuzz.values import Hostile, Members, encode

LONGEST = 1 << 20
"""Of mutated bytes; larger ones are cut."""


def mutate_json(tree: Any, hostile: Hostile) -> Any:
    """Return a copy of a JSON tree with one to three changes."""
    tree = copy.deepcopy(tree)
    for _ in range(hostile.random.choice((1, 1, 1, 2, 3))):
        tree = _change_one(tree, hostile)
    return tree


def json_bytes(tree: Any, hostile: Hostile) -> bytes:
    """Return the text of a tree in one of the encodings that files come in."""
    text = encode(tree, ascii_only=hostile.random.random() < 0.5)
    data = text.encode("utf-8", "surrogatepass")
    if hostile.random.random() < 0.04:
        return b"\xef\xbb\xbf" + data
    if hostile.random.random() < 0.03:
        return text.encode("utf-16", "surrogatepass")
    return data


def mutate_bytes(data: bytes, hostile: Hostile) -> bytes:
    """Return bytes with one to three changes."""
    for _ in range(hostile.random.choice((1, 1, 2, 3))):
        data = hostile.random.choice(_BYTE_CHANGES)(data, hostile)
    return data[:LONGEST]


def mutate_text(text: str, hostile: Hostile, separators: str) -> str:
    """Return a table or settings text in which a cell, value or line is another one."""
    lines = text.split("\n")
    place = hostile.random.randrange(len(lines))
    separator = hostile.random.choice(separators)
    if hostile.random.random() < 0.2:
        change = hostile.random.choice((lambda: lines.insert(place, lines[place]), lambda: lines.pop(place)))
        change()
    else:
        cells = lines[place].split(separator)
        cells[hostile.random.randrange(len(cells))] = _cell(hostile)
        lines[place] = separator.join(cells)
    return "\n".join(lines)


def _cell(hostile: Hostile) -> str:
    value = hostile.value()
    return value if isinstance(value, str) and hostile.random.random() < 0.7 else encode(value)


def _change_one(tree: Any, hostile: Hostile) -> Any:
    places = list(_places(tree))
    if not places or hostile.random.random() < 0.04:
        return hostile.value()
    holder, key = hostile.random.choice(places)
    hostile.random.choice(_TREE_CHANGES)(holder, key, hostile, places)
    return tree


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) of a tree."""
    found, todo = [], [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        for key in keys:
            found.append((node, key))
            todo.append(node[key])
    return found


def _replace(holder: Any, key: Any, hostile: Hostile, places: list) -> None:
    holder[key] = hostile.value()


def _nudge(holder: Any, key: Any, hostile: Hostile, places: list) -> None:
    holder[key] = hostile.near(holder[key])


def _remove(holder: Any, key: Any, hostile: Hostile, places: list) -> None:
    del holder[key]


def _rename(holder: Any, key: Any, hostile: Hostile, places: list) -> None:
    if isinstance(holder, dict):
        holder[hostile.text()] = holder.pop(key)
    else:
        holder.insert(key, holder[key])


def _wrap(holder: Any, key: Any, hostile: Hostile, places: list) -> None:
    holder[key] = hostile.random.choice(([holder[key]], {"value": holder[key]}))


def _take_from_elsewhere(holder: Any, key: Any, hostile: Hostile, places: list) -> None:
    other, name = hostile.random.choice(places)
    if name in other if isinstance(other, dict) else name < len(other):
        holder[key] = copy.deepcopy(other[name])


def _repeat(holder: Any, key: Any, hostile: Hostile, places: list) -> None:
    if isinstance(holder[key], list):
        holder[key] = holder[key] * hostile.random.choice((2, 50))
    elif isinstance(holder[key], dict):
        items = tuple(holder[key].items())
        holder[key] = Members(items + tuple((name, hostile.value()) for name, _ in items[:1]))
    else:
        _nudge(holder, key, hostile, places)


def _add(holder: Any, key: Any, hostile: Hostile, places: list) -> None:
    target = holder[key] if isinstance(holder[key], dict | list) else holder
    if isinstance(target, dict):
        target[hostile.text()] = hostile.value()
    else:
        target.append(hostile.value())


_TREE_CHANGES: tuple[Callable[..., None], ...] = (
    _replace, _replace, _replace, _nudge, _nudge, _remove, _rename, _wrap, _take_from_elsewhere, _repeat, _add,
)  # fmt: skip


def _flip(data: bytes, hostile: Hostile) -> bytes:
    if not data:
        return b"\x00"
    place = hostile.random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << hostile.random.randrange(8))]) + data[place + 1 :]


def _cut(data: bytes, hostile: Hostile) -> bytes:
    return data[: hostile.random.randrange(len(data) + 1)]


def _splice(data: bytes, hostile: Hostile) -> bytes:
    first, second = sorted(hostile.random.randrange(len(data) + 1) for _ in range(2))
    place = hostile.random.randrange(len(data) + 1)
    return data[:place] + data[first : min(second, first + 4096)] + data[place:]


def _drop(data: bytes, hostile: Hostile) -> bytes:
    place = hostile.random.randrange(len(data) + 1)
    return data[:place] + data[place + hostile.random.choice((1, 4, 100)) :]


def _insert(data: bytes, hostile: Hostile) -> bytes:
    place = hostile.random.randrange(len(data) + 1)
    return data[:place] + hostile.random.choice(_PIECES) + data[place:]


def _overwrite(data: bytes, hostile: Hostile) -> bytes:
    place = hostile.random.randrange(len(data) + 1)
    piece = hostile.random.choice(_PIECES)[:64]
    return data[:place] + piece + data[place + len(piece) :]


def _whole(data: bytes, hostile: Hostile) -> bytes:
    return hostile.random.choice((b"", b"\x00" * len(data), data[::-1], data * 2, b"\xff\xfe", b"\n", *_PIECES))


_PIECES = (
    b"\x00", b"\xff" * 8, b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xed\xa0\x80", b"\xc3\x28", b"\xf5", b"\n", b"\r",
    b'"', b"\\", b"{", b"[" * 5000, b"]", b",", b"NaN", b"1e999", b"\x1b]0;x\x07", b"\xef\xbb\xbf", b"PK\x03\x04",
    b"..", b"/", b"=cmd|'x'!A0", b"\x89PNG\r\n\x1a\n", b"\x80\x02c__builtin__\neval\n", b"0" * 5000,
)  # fmt: skip

_BYTE_CHANGES = (_flip, _flip, _flip, _cut, _splice, _drop, _insert, _insert, _overwrite, _whole)
