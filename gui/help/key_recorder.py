"""A field that takes the next key sequence pressed in it."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, Qt, pyqtSignal
from PyQt5.QtGui import QFocusEvent, QKeyEvent
from PyQt5.QtWidgets import QLineEdit

from gui.common.shortcuts import pressed
from gui.i18n import tr


class KeyRecorder(QLineEdit):
    """Hears one key sequence; Tab, or losing the focus, gives up.

    Signals
    -------
    recorded
        Carries the sequence in its portable spelling.
    given_up
        Nothing was recorded.
    """

    recorded = pyqtSignal(str)
    given_up = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.setReadOnly(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setPlaceholderText(tr("Press the new keys now"))
        self.setAccessibleName(tr("Press the new keys now"))
        self.setToolTip(tr("Press the new shortcut. Tab cancels."))

    def event(self, event: QEvent) -> bool:
        """Take keys before anything else can act on them."""
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._take(event)
        return bool(super().event(event))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Give up when the user turns to something else; another window in front is no reason."""
        super().focusOutEvent(event)
        if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
            self.given_up.emit()

    def _take(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return bool(super().event(event))
        text = pressed(event)
        if text:
            self.recorded.emit(text)
        return True
