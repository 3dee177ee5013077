"""Whether the desktop is dark, asked at the start and heard of when it changes.

Linux: the settings portal of the desktop (GNOME, KDE and others speak it). Windows: the registry, looked at again
whenever the program comes to the front. Elsewhere, and where no portal answers, the palette that Qt was given.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from PyQt5.QtCore import QObject, QSettings, Qt, pyqtSignal
from PyQt5.QtGui import QGuiApplication

PERSONALIZE: Final = r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"


class DesktopScheme(QObject):
    """Tells whether the desktop is dark.

    Signals
    -------
    changed
        The desktop said so, for the first time or anew; carries whether it is dark.
    """

    changed = pyqtSignal(bool)

    def listen(self) -> None:
        """Ask the desktop, and go on listening; nothing happens where there is nobody to ask."""
        if sys.platform == "win32":
            self._read_registry()
            app = QGuiApplication.instance()
            if isinstance(app, QGuiApplication):
                app.applicationStateChanged.connect(self._look_again)
        elif has_session_bus():
            self._ask_portal()

    def _ask_portal(self) -> None:
        from gui.theme.portal import Portal  # not every Qt comes with D-Bus

        portal = Portal(self)
        portal.told.connect(self.changed)
        portal.ask()

    def _look_again(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self._read_registry()

    def _read_registry(self) -> None:
        light = QSettings(PERSONALIZE, QSettings.Format.NativeFormat).value("AppsUseLightTheme")
        if light is not None:
            self.changed.emit(int(light) == 0)


def has_session_bus() -> bool:
    """Whether a bus of this session is running; asking for one where there is none would start it."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return bool(os.environ.get("DBUS_SESSION_BUS_ADDRESS")) or bool(runtime and Path(runtime, "bus").exists())
