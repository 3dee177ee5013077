"""A language that brackets and lengthens every text finds what never passed through `tr`, and what is cut off."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QFontMetrics
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAction,
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QDockWidget,
    QGroupBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QSpinBox,
    QTabBar,
    QToolButton,
    QWidget,
)

from core.config.schema import SCHEMA
from core.version import PRODUCT
from gui.i18n import language
from gui.i18n.lookup import NUMBER
from gui.i18n.marking import CONTEXT_END
from gui.shell.main_window import MainWindow
from gui.widgets.labels import ElidedLabel

LEADING = 4
"""Pixels above and below a text that may be missing."""

LONGER = 0.4
"""How much longer than English a text may become: Russian is by a third."""

NOT_TRANSLATED = re.compile(
    r"""
    [^A-Za-z]*                                              # numbers, signs
    | (MEL|NV|BCC|AKIEC|BKL|DF|VASC)([^A-Za-z].*)?          # codes of classes, with numbers
    | (ISIC_\d+|isicgui-log)?(\.png|\.txt)                  # files
    | .*[/\\~].*                                            # paths
    | (auto|cpu|cuda)(:\d+)?(,\ \w+)?|CPU.*|Test\ GPU.*|fp32|fp16|bf16    # devices, number formats
    | DPM\+\+\ 2M\ SDE|UniPC|DDIM|DDPM|Euler|Heun|IG|SDE               # samplers, methods by their own names
    | Python|[A-Za-z0-9_-]+\ \d+(\.\d+)+(\+\w+)?(,\ [A-Za-z0-9_-]+\ \d+(\.\d+)+(\+\w+)?)*  # packages and their versions
    | isic7-128.*|r\d+[^A-Za-z]*|(EN|RU|ZH)|English|x                  # models, runs, languages by their own names
    | ((Ctrl|Alt|Shift|Esc|Del|Return|Enter|Tab|F\d+|Up|Down|Left|Right|[A-Z0-9+,?-])[+/ ]*)+   # keys
    | https?://\S+
    | (train|val|test)[^A-Za-z]*                            # parts of a data set
    | ImageFolder|CSV|JSON\ Lines|Hugging\ Face|ISIC\ 2018   # formats of data sets
    | quick|starter|gpu|predecessor|transfer                # presets of trainings, as on the command line
    """,
    re.VERBOSE | re.DOTALL,
)


class Pseudo(gettext.NullTranslations):
    """⟦Every text, lengthened~~~⟧."""

    def gettext(self, message: str) -> str:
        """Bracket one text, without its context."""
        message = message.rpartition(CONTEXT_END)[2]
        return f"⟦{message}{'~' * round(LONGER * len(message))}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Bracket a text with a number; as in a catalogue, one without has no plural forms."""
        return self.gettext(msgid1) if NUMBER in msgid1 else msgid1


@pytest.fixture
def pseudo() -> Iterator[None]:
    language.use(Pseudo(), "en")
    yield
    language.use(language.load("en"), "en")


def bare(text: str) -> str:
    """Return what of a text was not translated: what stands outside of brackets, without markup."""
    text = re.sub(r"<[^>]+>", " ", text)
    while "⟦" in text:
        shorter = re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
        if shorter == text:
            break
        text = shorter
    return re.sub(r"⟦[^⟦⟧]*", " ", text)  # a part of a text, as the short name of a device


def is_bare(text: str) -> bool:
    parts = re.split(r"[·\n]|\s\s", bare(text))  # lists are joined by these
    return any(not NOT_TRANSLATED.fullmatch(part.strip(" .,:;()\u00d7~")) for part in parts)


def texts_of(thing: QWidget | QAction) -> Iterator[tuple[str, str]]:
    """Yield every text that a widget shows or tells a screen reader."""
    yield "tooltip", thing.toolTip()
    if isinstance(thing, QAction):
        yield "action", thing.text()
        return
    yield "accessible name", thing.accessibleName()
    yield "accessible description", thing.accessibleDescription()
    if isinstance(thing, (QLabel, QAbstractButton)):
        yield "text", thing.text()
    if isinstance(thing, QLineEdit):
        yield "placeholder", thing.placeholderText()
    if isinstance(thing, QComboBox):
        yield from (("entry", thing.itemText(row)) for row in range(thing.count()))
    if isinstance(thing, QTabBar):
        yield from (("tab", thing.tabText(tab)) for tab in range(thing.count()))
    if isinstance(thing, QSpinBox):
        yield from (("special value", thing.specialValueText()), ("prefix", thing.prefix()), ("suffix", thing.suffix()))
    if isinstance(thing, QGroupBox):
        yield "title", thing.title()
    if isinstance(thing, QMenu):
        yield "title", thing.title()
    if isinstance(thing, (QDialog, QDockWidget)):
        yield "window title", thing.windowTitle()


def is_qts_own(widget: QWidget) -> bool:
    """Whether a widget is a part that Qt itself puts into another one."""
    return (widget.objectName().startswith("qt_") or type(widget).__module__.startswith("PyQt5")) and isinstance(
        widget.parent(), (QComboBox, QSpinBox, QLineEdit, QAbstractItemView, QDockWidget, QTabBar)
    )


def bare_texts(root: QWidget) -> list[str]:
    found = []
    for thing in [root, *root.findChildren(QWidget), *root.findChildren(QAction)]:
        if isinstance(thing, QWidget) and is_qts_own(thing):
            continue
        for kind, text in texts_of(thing):
            if text and text != PRODUCT and is_bare(text):
                found.append(f"{type(thing).__name__} {kind}: {text!r}")
    return sorted(set(found))


def test_what_counts_as_bare():
    assert not is_bare("⟦Device: cpu~~~⟧")
    assert not is_bare("⟦Every {x}⟦nested⟧~~⟧ 12 / 40")
    assert not is_bare("<b>⟦Evidence~⟧</b>")
    assert not is_bare("ISIC_0000001.png")
    assert is_bare("⟦Device~~⟧ is busy")
    assert is_bare("Device")


def test_every_text_of_the_window_can_be_translated(pseudo, open_window, output, qtbot):
    window = open_window()
    window.setup.advanced.set_open(True)
    window.setup.devices.set_open(True)
    window.session.start()
    qtbot.waitUntil(lambda: window.session.run.state.value == "idle" and window.session.run.done > 0)
    window.session.settings.set("xai.enabled", True)
    qtbot.waitUntil(lambda: window.session.picture.picture is not None)
    for tab in range(window.picture.tabs.count()):
        window.picture.tabs.setCurrentIndex(tab)
        qtbot.wait(50)
    assert bare_texts(window) == []


def test_every_command_is_named_in_the_language(pseudo, window):
    assert [key.id for key in window.keys if is_bare(key.words)] == []


def test_every_setting_is_named_in_the_language(pseudo):
    words = [text for setting in SCHEMA for text in (setting.title, setting.description)]
    assert [text for text in words if is_bare(language.translate(text))] == []


def room_of(widget: QWidget) -> int:
    """Return the width that a widget has for its text, which for most is told by the difference of two size hints."""
    if isinstance(widget, QLabel):
        return widget.contentsRect().width()
    text = QFontMetrics(widget.font()).size(Qt.TextFlag.TextShowMnemonic, widget.text()).width()
    return widget.width() - (widget.sizeHint().width() - text)


def cut_off(root: QWidget) -> list[str]:
    """Name visible labels and buttons that have less room than their text needs."""
    found = []
    for widget in root.findChildren((QLabel, QPushButton, QToolButton, QCheckBox)):
        text = widget.text()
        if not widget.isVisibleTo(root) or not text or isinstance(widget, ElidedLabel):
            continue
        if isinstance(widget, QLabel) and widget.wordWrap():
            if widget.height() + LEADING < widget.heightForWidth(widget.width()):
                found.append(f"{text!r} has {widget.height()} of {widget.heightForWidth(widget.width())} px of height")
        elif isinstance(widget, QToolButton) and widget.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly:
            continue
        elif room_of(widget) + 1 < QFontMetrics(widget.font()).size(0, re.sub("<[^>]+>", "", text)).width():
            found.append(f"{text!r} has {room_of(widget)} px")
    return found


def is_whole(root: QWidget) -> bool:
    """Whether nothing is cut off, once the layouts have settled; raises what `waitUntil` tells in the end."""
    assert cut_off(root) == []
    return True


@pytest.mark.parametrize("code", ["en", "ru", "zh"])
def test_nothing_is_cut_off_at_the_reference_size(code, open_window, qtbot):
    language.set_language(code)
    try:
        window: MainWindow = open_window()
        window.resize(1280, 800)
        window.setup.advanced.set_open(True)
        qtbot.wait(50)
        for tab in range(window.picture.tabs.count()):
            window.picture.tabs.setCurrentIndex(tab)
            qtbot.waitUntil(lambda: is_whole(window))
    finally:
        language.set_language("en")


DIALOGS = (
    "settings",
    "keys",
    "palette",
    "glossary",
    "diagnostics",
    "export",
    "train",
    "get-models",
    "analyse",
    "evaluate",
    "tour",
)
"""Commands that open something."""


@pytest.mark.parametrize("command", DIALOGS)
def test_every_text_of_a_dialog_can_be_translated(command, pseudo, window, qtbot):
    before = set(QApplication.topLevelWidgets())
    (key,) = [key for key in window.keys if key.id == command]
    key.action()
    qtbot.wait(300)
    opened = [w for w in QApplication.topLevelWidgets() if w not in before and w.isVisible()] or [window]
    try:
        assert [text for part in opened for text in bare_texts(part)] == []
    finally:
        for part in opened:
            if part is not window:
                part.close()


@pytest.mark.parametrize("code", ["ru", "zh"])
def test_nothing_is_cut_off_in_a_dialog(code, open_window, qtbot):
    language.set_language(code)
    try:
        window = open_window()
        for command in DIALOGS:
            before = set(QApplication.topLevelWidgets())
            next(key for key in window.keys if key.id == command).action()
            qtbot.wait(100)
            opened = [w for w in QApplication.topLevelWidgets() if w not in before and w.isVisible()]
            for part in opened or [window]:
                qtbot.waitUntil(lambda part=part: is_whole(part))
                if part is not window:
                    part.close()
    finally:
        language.set_language("en")
