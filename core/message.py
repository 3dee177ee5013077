"""Sentences that are English where they are made and can still be translated where they are shown.

The rooms below the window speak English: to the command line, the log and the files. The window shows their sentences
in its own language, which needs the sentence before its gaps were filled.
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Number
from typing import Any


class Message(str):
    """An English sentence that remembers its template and what was put into it.

    Parameters
    ----------
    template
        The sentence with ``{name}`` or ``{name:format}`` for each gap. A literal at the call, so that it is found when
        the strings to be translated are gathered. Where ``values`` has an ``n``, ``%n`` becomes that number and ``(s)``
        the plural that fits it.
    values
        What fills the gaps. A value may be a `Message` itself and is then translated as well. What is neither text nor
        number is made text at once, so that the message survives a pipe whatever it was made of.

    Notes
    -----
    It is a `str` in every respect. Whatever makes a new string of it (``f"{message}"``, ``message + "."``) makes plain
    English: combine messages by ``Message("{first} {second}", first=a, second=b)``.

    Examples
    --------
    >>> Message("The folder {path} is gone.", path="x")
    'The folder x is gone.'
    """

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> Message:
        """Return the sentence with its gaps filled."""
        values = {name: value if isinstance(value, (str, Number)) else str(value) for name, value in values.items()}
        made = super().__new__(cls, in_english(template.format(**values) if values else template, values.get("n", -1)))
        made.template, made.values = template, values
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a pipe between processes."""
        return _again, (self.template, self.values)


def joined(parts: Iterable[str], separator: str = " ") -> Message:
    """Return several sentences as one, each of which is translated on its own."""
    values = {f"part{number}": part for number, part in enumerate(parts)}
    return Message(separator.join(f"{{{name}}}" for name in values), **values)


def in_english(text: str, n: int = -1) -> str:
    """Return `text` with `%n` replaced by `n` and `(s)` by the plural that fits it; without a number, as it is."""
    if n < 0:
        return text
    return text.replace("(s)", "" if n == 1 else "s").replace("%n", str(n))


def _again(template: str, values: dict[str, Any]) -> Message:
    return Message(template, **values)
