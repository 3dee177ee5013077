"""How settings and their values are said in the language of the window, and read from what was typed."""

from __future__ import annotations

from core.config.schema import SECTIONS, Setting, Value
from core.home import expanded
from gui.i18n import tr, translate


def value_words(setting: Setting, value: Value) -> str:
    """Return a value as people read it."""
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if isinstance(value, str):
        return translate(setting.words[value]) if value in setting.words else value or tr("default")
    if value == 0 and setting.zero:
        return f"{value:g} ({translate(setting.zero)})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def section_title(section: str) -> str:
    """Return what a section is called; one that has no name is called by itself."""
    return translate(SECTIONS[section]) if section in SECTIONS else section


def typed(setting: Setting, text: str) -> Value:
    """Return the value that a typed text stands for.

    Raises
    ------
    UsageError
        If the setting does not take it; the remedy says what it takes.
    """
    text = text.strip()
    return setting.check(_parsed(setting, text))


def _parsed(setting: Setting, text: str) -> Value:
    """Return the text in the setting's type, or as it is where that is not possible."""
    if setting.form and text.startswith("~"):
        return str(expanded(text))
    try:
        if setting.type is int:
            return int(text)
        if setting.type is float:
            return float(text.replace(",", "."))
    except ValueError:
        pass
    return text


def fits(setting: Setting, search: str) -> bool:
    """Whether every word of a search occurs in what is said about a setting."""
    said = [setting.key, translate(setting.title), translate(setting.description), section_title(setting.section)]
    said += [translate(words) for words in setting.words.values()]
    text = " ".join(said).casefold()
    return all(word in text for word in search.casefold().split())
