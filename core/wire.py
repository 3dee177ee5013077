"""Sentences that a command tells its window line by line as JSON, and that the window still translates.

JSON knows text alone. For a window (`VARIABLE` is set by whoever starts the command for one) an event carries, beside
its sentences, what they were made of; nobody else is troubled with that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from core.message import Message

VARIABLE: Final = "ISICGUI_TEMPLATES"
"""Environment variable by which a window asks for what sentences were made of."""

_KEY: Final = "templates"
_DEEPEST: Final = 8


def for_a_window() -> bool:
    """Whether the one who listens is a window."""
    return bool(os.environ.get(VARIABLE))


def with_templates(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event together with what its sentences were made of, under the key ``templates``."""
    parts = {key: _taken_apart(value) for key, value in event.items() if isinstance(value, Message)}
    return {**event, _KEY: parts} if parts else dict(event)


def with_messages(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event whose sentences are messages again, as far as it says what they were made of."""
    parts = event.get(_KEY)
    if not isinstance(parts, dict):
        return dict(event)
    plain = {key: value for key, value in event.items() if key != _KEY}
    return {**plain, **{key: _put_together(part, str(plain.get(key, ""))) for key, part in parts.items()}}


def _taken_apart(value: Any) -> Any:
    if not isinstance(value, Message):
        return value
    return {"template": value.template, "values": {key: _taken_apart(part) for key, part in value.values.items()}}


def _put_together(part: Any, words: str, depth: int = 0) -> Any:
    """Return the message that was taken apart; what is none is taken as it is, and a broken one as plain words."""
    if not isinstance(part, dict):
        return part
    template, values = part.get("template"), part.get("values")
    if not isinstance(template, str) or not isinstance(values, dict) or depth > _DEEPEST:
        return words
    try:
        return Message(template, **{str(key): _put_together(v, words, depth + 1) for key, v in values.items()})
    except (LookupError, ValueError, TypeError, AttributeError):
        return words
