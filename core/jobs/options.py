"""How one field of a request is asked for: its flag, title, hint, unit, limits and choices, declared once.

The command line, the form in the window and the copied command are read from it. A field without an option is decided
by the program and has no flag.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from core.registry import Registry

KEY: Final = "option"

Kind = Literal["text", "whole", "number", "file", "folder", "path", "choice", "switch"]


@dataclass(frozen=True, slots=True)
class Option:
    """How one field of a request is asked for.

    Attributes
    ----------
    flag
        As on the command line, such as ``--steps``; "" for an argument without a flag.
    hint
        One sentence for the help and the tooltip, ending with a full stop. The help puts the choices that there are in
        place of ``{choices}``.
    kind
        What a text is read as.
    title
        Label in a form; "" for the flag in words.
    unit
        Shown behind a number.
    low, high
        Limits of a number, both included.
    choices
        The values that there are, or the registry that knows them.
    many
        Whether the flag may be repeated, or the argument name several.
    metavar
        How the value is shown in the help; "" for the usual.
    fallback
        Gives the value where the flag is not given, for a field that has no default of its own.
    default_words
        What the help says is done without it, where the default itself says too little.
    opposite
        For a switch that is on by default: `flag` turns it off.
    read, write
        From text to value and back, for values that are no plain text, number or path; `read` raises `UsageError`.
    none
        How no value is written, where that is another thing than leaving the flag out.
    always
        Whether a copied command names it even where it is the default, so that it means the same when defaults change.
    hidden
        Whether the help leaves it out.
    writes
        Whether the job writes to the folder, as it does to every `--output`: one that cannot be reached is then an
        error of the output.
    aliases
        Other flags that mean the same, as earlier versions called them.
    """

    flag: str
    hint: str
    kind: Kind = "text"
    title: str = ""
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | Registry[Any] = ()
    many: bool = False
    metavar: str = ""
    fallback: Callable[[], Any] | None = None
    default_words: str = ""
    opposite: bool = False
    read: Callable[[str], Any] | None = None
    write: Callable[[Any], str] = str
    none: str = ""
    always: bool = False
    hidden: bool = False
    writes: bool = False
    aliases: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The title, or the flag in words."""
        return self.title or self.flag.lstrip("-").replace("-", " ").capitalize()

    @property
    def is_written(self) -> bool:
        """Whether the job writes to what it names."""
        return self.writes or self.flag == "--output"

    def known_choices(self) -> tuple[str, ...]:
        """Return the values that there are, empty where any is allowed."""
        return tuple(self.choices)


def option(flag: str, hint: str, *, default: Any = MISSING, **details: Any) -> Any:
    """Return a dataclass field that is asked for by a flag; `details` are the attributes of `Option`."""
    return field(default=default, metadata={KEY: Option(flag, hint, **details)})


def options_of(request: Any) -> Iterator[tuple[dataclasses.Field[Any], Option]]:
    """Yield the fields of a request, or of its class, that have an option, in order."""
    for one in dataclasses.fields(request):
        if KEY in one.metadata:
            yield one, one.metadata[KEY]


def arguments_of(request: Any) -> list[str]:
    """Return the words that ask for exactly this request on the command line, without the name of the command.

    Paths are written in full, so that the words mean the same in any folder.
    """
    words: list[str] = []
    for one, how in options_of(request):
        value = getattr(request, one.name)
        if how.always or value != _default(one):
            words += _words(how, value)
    return words


def _default(one: dataclasses.Field[Any]) -> Any:
    return one.default_factory() if one.default_factory is not MISSING else one.default


def _words(how: Option, value: Any) -> list[str]:
    if how.kind == "switch":
        return [how.flag] if bool(value) is not how.opposite else []
    if value is None:
        return [how.flag, how.none] if how.none else []
    values = value if how.many else (value,)
    return [word for item in values for word in ([how.flag] if how.flag else []) + [_text(how, item)]]


def _text(how: Option, value: Any) -> str:
    if isinstance(value, Path):
        return str(value.absolute())
    return how.write(value)


def device_option() -> Any:
    """Return the field that says which device computes."""
    return option("--device", "auto, cpu, cuda or cuda:N.", default="auto")


def classifier_option() -> Any:
    """Return the field that names another classifier than the starter one."""
    return option("--classifier", "Classifier file or folder.", kind="path", default=None, default_words="starter")
