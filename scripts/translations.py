"""Gathers the texts of the window, brings the catalogues up to date and compiles them; needs Babel and PyQt5.

python scripts/translations.py            gather, update and compile, then say what is missing
python scripts/translations.py --check    change nothing; exit with 1 if anything is missing, stale or doubtful
"""

from __future__ import annotations

import argparse
import ast
import gettext
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from string import Formatter
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).resolve().parents[1]
if not __package__:
    sys.path.insert(0, str(ROOT))  # run as a file, not as a module

from gui.i18n.lookup import NUMBER, look_up  # noqa: E402  # after the path is set
from gui.i18n.marking import mark  # noqa: E402

LOCALE: Final = ROOT / "gui" / "i18n" / "locale"
ROOMS: Final = sorted(
    {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"benchmarks", "cli", "scripts", "tests"}
)
"""Packages whose texts the window may show; the command line speaks English."""

KEYWORDS: Final = ("tr", "mark", "Message")
LANGUAGES: Final = {"en": "en", "ru": "ru", "zh": "zh_Hans_CN"}
"""Folder of each catalogue, and the locale whose plural rule it follows."""

PLURAL: Final = "(s)"
MANY: Final = 5
"""A number that no language takes for one."""

Key = tuple[object, str | None]
"""What tells texts apart: the English and the context."""

PROJECT: Final = "ISICGUI"
SINCE: Final = datetime(2026, 11, 20, tzinfo=timezone.utc)
"""A date that changes with every update would be all that changes most of the time."""


@dataclass(frozen=True, slots=True)
class Found:
    """A text in the source."""

    text: str
    file: str
    line: int
    context: str | None = None


def gather(root: Path = ROOT) -> Iterator[Found]:
    """Yield every literal text that is given to one of the `KEYWORDS`, wherever it stands, in f-strings too."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                text = _text_of(node)
                if text and isinstance(node, ast.Call):
                    yield Found(text, name, node.lineno, _context_of(node))


def _text_of(node: ast.AST) -> str:
    if not isinstance(node, ast.Call) or not node.args or _name_of(node.func) not in KEYWORDS:
        return ""
    first = node.args[0]
    return first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""


def _context_of(call: ast.Call) -> str | None:
    """Return the context that a text is marked with; `Message` has none, as a keyword of it is a value."""
    if _name_of(call.func) == "Message":
        return None
    given = [keyword.value for keyword in call.keywords if keyword.arg == "context"]
    given += call.args[1:2] if _name_of(call.func) == "mark" else []
    return next((word.value for word in given if isinstance(word, ast.Constant) and isinstance(word.value, str)), None)


def _name_of(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def template(found: Iterator[Found]) -> Catalog:
    """Return a catalogue of texts without translations; those with a number have plural forms."""
    catalog = Catalog(fuzzy=False)
    for item in found:
        text = (item.text, item.text) if NUMBER in item.text else item.text
        catalog.add(text, locations=[(item.file, item.line)], context=item.context)
    return catalog


def concerns(language: str, entry: Entry) -> bool:
    """Whether a catalogue holds a text: the English one needs those only that have plural forms."""
    return bool(entry.id) and (language != "en" or entry.pluralizable)


def wanted(language: str, texts: Catalog) -> Catalog:
    """Return the part of the texts that a language's catalogue holds."""
    part = Catalog(locale=LANGUAGES[language], project=PROJECT, creation_date=SINCE, fuzzy=False)
    for entry in texts:
        if concerns(language, entry):
            part.add(entry.id, locations=entry.locations, context=entry.context)
    return part


def _key(entry: Entry) -> Key:
    return entry.id, entry.context


def problems(language: str, texts: Catalog, catalog: Catalog) -> list[str]:
    """Say what is wrong with a catalogue.

    Texts that are missing, stale, empty, fuzzy, have other gaps than the English one, or a plural without its number;
    and texts that the window would show in English although they are translated.
    """
    here = {_key(entry): entry for entry in wanted(language, texts) if entry.id}
    there = {_key(entry): entry for entry in catalog if entry.id}
    told = [f"stale: {_english(there[key].id)!r}" for key in there.keys() - here.keys()]
    told += [f"obsolete: {_english(entry.id)!r}" for entry in catalog.obsolete.values()]
    shown = as_the_window_reads(catalog)
    for key, entry in here.items():
        told += _flaws(entry, there.get(key), catalog.num_plurals)
        told += _unheard(entry, there.get(key), shown)
    return sorted(f"{language}: {words}" for words in told)


def _flaws(entry: Entry, translated: Entry | None, forms: int) -> Iterator[str]:
    english = _english(entry.id)
    if translated is None:
        yield f"missing: {english!r} ({entry.locations[0][0]})"
        return
    strings = _strings(translated)
    if translated.fuzzy:
        yield f"fuzzy: {english!r}"
    if not all(strings) or (entry.pluralizable and len(strings) != forms):
        yield f"not translated: {english!r} ({entry.locations[0][0]})"
        return
    for string in strings:
        if gaps(string) != gaps(english):
            yield f"gaps {gaps(english)} of {english!r} are {gaps(string)} in {string!r}"
        if edges(string) != edges(english):
            yield f"blanks or dots at the ends of {english!r} are others in {string!r}"


def as_the_window_reads(catalog: Catalog) -> gettext.GNUTranslations:
    """Return a catalogue compiled and opened, without any other one to fall back to."""
    compiled = io.BytesIO()
    write_mo(compiled, _translated(catalog))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def _unheard(entry: Entry, translated: Entry | None, texts: gettext.NullTranslations) -> Iterator[str]:
    """Look a text up as the window does; every one may come with an ``n``, as that is the name of a value."""
    english = _english(entry.id)
    if PLURAL in english and NUMBER not in english:
        yield f"plural without {NUMBER}: {english!r} ({entry.locations[0][0]})"
    if translated is None or not all(_strings(translated)):
        return
    words = {string.replace(NUMBER, str(MANY)) for string in _strings(translated)}
    for n in (MANY, -1)[: 1 if entry.pluralizable else 2]:
        if look_up(texts, mark(english, entry.context or ""), n) not in words:
            yield f"translated, but shown in English: {english!r} ({entry.locations[0][0]})"
            return


def gaps(text: str) -> list[str]:
    """Return the gaps of a text, with their formats; a text that is no format has none."""
    numbers = [NUMBER] * text.count(NUMBER)
    try:
        parsed = [(name, how, spec) for _, name, spec, how in Formatter().parse(text) if name is not None]
        return sorted([f"{{{name}!{how}:{spec}}}" for name, how, spec in parsed] + numbers)
    except ValueError:
        return numbers


def edges(text: str) -> tuple[str, str, bool, int]:
    """Return the blanks around a text, whether it ends in an ellipsis, and its number of lines."""
    before, after = re.match(r"\s*", text), re.search(r"\s*$", text)
    return before[0] if before else "", after[0] if after else "", text.rstrip().endswith("…"), text.count("\n")


def _english(key: str | tuple[str, str]) -> str:
    return key if isinstance(key, str) else key[0]


def files(language: str, locale: Path = LOCALE) -> tuple[Path, Path]:
    """Return the source of a catalogue and what it is compiled to."""
    folder = locale / language / "LC_MESSAGES"
    return folder / "isicgui.po", folder / "isicgui.mo"


def read(language: str, locale: Path = LOCALE) -> Catalog:
    """Return a catalogue as it lies there; an empty one if there is none."""
    source, _ = files(language, locale)
    if not source.exists():
        return Catalog(locale=LANGUAGES[language], fuzzy=False)
    with source.open("rb") as stream:
        return read_po(stream, locale=LANGUAGES[language])


def is_compiled(language: str, locale: Path = LOCALE) -> bool:
    """Whether the compiled catalogue says the same as its source."""
    _, compiled = files(language, locale)
    if not compiled.exists():
        return False
    with compiled.open("rb") as stream:
        return _said(read_mo(stream)) == _said(read(language, locale))


def _said(catalog: Catalog) -> dict[object, object]:
    """Return what a catalogue answers; texts without a translation are not compiled."""
    return {
        (_frozen(entry.id), entry.context): _frozen(entry.string)
        for entry in catalog
        if entry.id and all(_strings(entry))
    }


def _frozen(text: object) -> object:
    return tuple(text) if isinstance(text, (list, tuple)) else text


def update(language: str, texts: Catalog, locale: Path = LOCALE) -> Catalog:
    """Bring a catalogue up to date and compile it: what is stale goes, what is new comes without a translation."""
    old, new = {_key(entry): entry.string for entry in read(language, locale)}, wanted(language, texts)
    for entry in new:
        if entry.id and old.get(_key(entry)):
            entry.string = old[_key(entry)]
    for entry in new:  # line numbers would change with every edit anywhere
        entry.locations = sorted({(file, 0) for file, _ in entry.locations})
    source, compiled = files(language, locale)
    source.parent.mkdir(parents=True, exist_ok=True)
    new.header_comment = f"# {language}: written by scripts/translations.py, translated by hand."
    with source.open("wb") as stream:
        write_po(stream, new, width=120, sort_output=True, include_lineno=False, omit_header=False)
    with compiled.open("wb") as stream:
        write_mo(stream, _translated(new))
    return new


def _translated(catalog: Catalog) -> Catalog:
    """Return a catalogue without the texts that have no translation: those are shown in English."""
    part = Catalog(locale=catalog.locale, creation_date=SINCE, fuzzy=False)
    for entry in catalog:
        if entry.id and all(_strings(entry)):
            part.add(entry.id, entry.string, context=entry.context)
    return part


def _strings(entry: Entry) -> tuple[str, ...]:
    return tuple(entry.string) if isinstance(entry.string, (tuple, list)) else (entry.string,)


def main(arguments: list[str]) -> int:
    """Update or check all catalogues; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing")
    only_check = parser.parse_args(arguments).check
    texts, told = template(gather()), []
    for language in LANGUAGES:
        catalog = read(language) if only_check else update(language, texts)
        told += problems(language, texts, catalog)
        if not is_compiled(language):
            told.append(f"{language}: the compiled catalogue is not that of the source")
    sys.stdout.write("".join(f"{words}\n" for words in told))
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
