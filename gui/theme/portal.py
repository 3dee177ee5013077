"""Asks the settings portal of a Linux desktop, over D-Bus, whether it is dark, and hears of changes."""

from __future__ import annotations

from typing import Any, Final

from PyQt5.QtCore import QObject, pyqtSignal, pyqtSlot
from PyQt5.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusPendingReply, QDBusVariant

SERVICE: Final = "org.freedesktop.portal.Desktop"
PLACE: Final = "/org/freedesktop/portal/desktop"
INTERFACE: Final = "org.freedesktop.portal.Settings"
APPEARANCE: Final = ("org.freedesktop.appearance", "color-scheme")
"""Its values: 0 no preference, 1 dark, 2 light."""


class Portal(QObject):
    """Speaks to the portal; without one it stays silent.

    Signals
    -------
    told
        The portal said whether the desktop is dark.
    """

    told = pyqtSignal(bool)

    def ask(self) -> None:
        """Ask once, and go on listening."""
        bus = QDBusConnection.sessionBus()
        bus.connect(SERVICE, PLACE, INTERFACE, "SettingChanged", self._setting_changed)
        message = QDBusMessage.createMethodCall(SERVICE, PLACE, INTERFACE, "Read")
        message.setArguments(list(APPEARANCE))
        watcher = QDBusPendingCallWatcher(bus.asyncCall(message), self)
        watcher.finished.connect(self._answered)

    def _answered(self, watcher: QDBusPendingCallWatcher) -> None:
        reply = QDBusPendingReply(watcher).reply()
        if reply.type() == QDBusMessage.MessageType.ReplyMessage and reply.arguments():
            self._tell(reply.arguments()[0])
        watcher.deleteLater()

    @pyqtSlot(QDBusMessage)
    def _setting_changed(self, message: QDBusMessage) -> None:
        namespace, key, value = (*message.arguments(), None, None, None)[:3]
        if (namespace, key) == APPEARANCE:
            self._tell(value)

    def _tell(self, value: Any) -> None:
        while isinstance(value, QDBusVariant):
            value = value.variant()
        if value in (1, 2):
            self.told.emit(value == 1)
