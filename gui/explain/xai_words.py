"""What the workspace of explanations calls its methods, units, classes and baselines, in the window's language."""

from __future__ import annotations

from typing import Final

from core.config.schema import BY_KEY
from gui.i18n import mark, tr, translate
from xai.methods import METHODS

TARGETS: Final = {"label": mark("Target class"), "predicted": mark("Predicted class")}

STYLES: Final = {"signed": mark("Signed"), "positive": mark("Positive only"), "jet": mark("Jet")}


def method_name(key: str) -> str:
    """Return what a method is called."""
    return tr(METHODS[key].title) if key in METHODS else key


def short_name(key: str) -> str:
    """Return a method's name where there is little room."""
    return tr(METHODS[key].short) if key in METHODS else key


def target_name(target: str) -> str:
    """Return what a choice of the explained class is called where there is little room."""
    return tr(TARGETS[target]) if target in TARGETS else target


def style_name(style: str) -> str:
    """Return what a style of maps is called where there is little room."""
    return tr(STYLES[style]) if style in STYLES else style


def method_hint(key: str) -> str:
    """Return a sentence on a method."""
    return tr(METHODS[key].hint) if key in METHODS else ""


def choice_name(setting: str, choice: str) -> str:
    """Return what a choice of a setting is called; class codes are called what they are."""
    return translate(BY_KEY[setting].known_choices.get(choice, choice))


def choice_hint(setting: str, choice: str) -> str:
    """Return a sentence on a choice of a setting, where there is one."""
    return translate(BY_KEY[setting].hint_of(choice))


def choices(setting: str) -> tuple[str, ...]:
    """Return what can be chosen for a setting."""
    return tuple(BY_KEY[setting].known_choices)


def unit_name(method: str) -> str:
    """Return the unit of a method's map, short enough for a colour bar."""
    return tr(METHODS[method].short_unit) if method in METHODS else ""
