"""Gathers what is sent with a report: quickly what the window knows, on a thread what has to be looked up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import PYQT_VERSION_STR, QT_VERSION_STR
from PyQt5.QtGui import QGuiApplication

from gui.i18n.numbers import GIB

if TYPE_CHECKING:
    from gui.shell.session import Session


def gather(session: Session, extra: Path | str = "") -> Callable[[], str]:
    """Return what makes the text; it is English whatever the language, for whoever reads the report.

    Parameters
    ----------
    extra
        What the report begins with, or the file it is in.
    """
    settings = session.settings
    records, ring = session.log.ring.records(), session.log.ring
    facts = _facts(session)
    chosen = settings.chosen()
    folders = {"output folder": settings.output, "models folder": settings.models}
    if settings.classifier:
        folders["classifier"] = settings.classifier
    requirements = settings.paths.project_root / "requirements.txt"

    def make() -> str:
        from core.diagnostics import describe
        from core.home import own_redactor

        return describe(
            facts=facts,
            settings=chosen,
            log=[ring.format(record) for record in records],
            requirements=requirements,
            redactor=own_redactor(folders),
            extra=extra if isinstance(extra, str) else extra.read_text(encoding="utf-8", errors="replace"),
        )

    return make


def _facts(session: Session) -> list[tuple[str, str]]:
    facts = [("Qt", f"{QT_VERSION_STR}, PyQt {PYQT_VERSION_STR}, {QGuiApplication.platformName()}"), *_screens()]
    info = session.engine.info
    facts.append(("Engine", session.engine.state.value))
    if info:
        facts += list(info.versions.items())
        facts += [(f"Device {device.key}", device.name) for device in info.devices]
    for key, memory in session.memory.devices.items():
        facts.append((f"Memory {key}", f"{memory.free / GIB:.1f} of {memory.total / GIB:.1f} GB free"))
    facts.append(("Memory of the program", session.memory.memory.text()))
    facts.append(("Safe mode", "yes" if session.settings.is_safe else "no"))
    return facts


def _screens() -> list[tuple[str, str]]:
    return [
        ("Screen", f"{screen.size().width()}x{screen.size().height()} at {screen.devicePixelRatio():g}")
        for screen in QGuiApplication.screens()
    ]
