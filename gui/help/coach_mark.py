"""The note of a tour stop: what is pointed at, why, and the buttons that lead on."""

from __future__ import annotations

from PyQt5.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui.help.stops import Stop
from gui.i18n import tr
from gui.theme.tokens import GAP, GAP_LARGE, GAP_SMALL
from gui.widgets.buttons import text_button
from gui.widgets.labels import label

WIDTH = 400
OWN_KEYS = (Qt.Key.Key_Escape, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_Enter)


class CoachMark(QFrame):
    """Keeps Tab among its own buttons; the arrow keys and Escape do what the buttons do.

    Signals
    -------
    next_asked, back_asked, skip_asked
        Somebody wants to go on, to go back, to end the tour.
    """

    next_asked = pyqtSignal()
    back_asked = pyqtSignal()
    skip_asked = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("coach")
        self.setFixedWidth(WIDTH)
        self.heading = label("", "title", wrap=True)
        self.sentence = label("", wrap=True)
        self.place = label("", "muted")
        self.skip = text_button(tr("Skip"), self.skip_asked.emit, flat=True)
        self.back = text_button(tr("Back"), self.back_asked.emit)
        self.next = text_button(tr("Next"), self.next_asked.emit)
        self._buttons = (self.skip, self.back, self.next)
        for button in self._buttons:
            button.installEventFilter(self)
        self.skip.setToolTip(tr("End the tour; it can be started again from the menu of panels and help"))
        self._lay_out()

    def show_stop(self, stop: Stop, number: int, total: int) -> None:
        """Tell about a stop, the first being number 1."""
        self.heading.setText(stop.heading)
        self.sentence.setText(stop.sentence)
        self.place.setText(tr("{number} of {total}").format(number=number, total=total))
        self.back.setEnabled(number > 1)
        self.next.setText(tr("Next") if number < total else tr("Done", context="button"))
        self.next.setAccessibleName(self.next.text())
        self.next.setAccessibleDescription(f"{self.place.text()}. {stop.heading}. {stop.sentence}")
        self.setAccessibleName(stop.heading)
        self.setAccessibleDescription(stop.sentence)
        self.resize(WIDTH, self.heightForWidth(WIDTH))  # adjustSize would ask for a line too few of wrapped words

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let the keys that lead through the tour act before a button takes them, and no shortcut of the window."""
        if not isinstance(event, QKeyEvent) or event.key() not in OWN_KEYS:
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            self._lead(Qt.Key(event.key()))
        return True

    def _lead(self, key: Qt.Key) -> None:
        leads = {Qt.Key.Key_Escape: self.skip, Qt.Key.Key_Left: self.back, Qt.Key.Key_Right: self.next}
        focus = self.focusWidget()
        button = leads.get(key, focus if focus in self._buttons else self.next)
        if isinstance(button, QPushButton):
            button.click()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Go around among the own buttons."""
        buttons = [button for button in self._buttons if button.isEnabled()]
        focus = self.focusWidget()
        now = buttons.index(focus) if focus in buttons else 0
        buttons[(now + (1 if forward else -1)) % len(buttons)].setFocus(Qt.FocusReason.TabFocusReason)
        return True

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_LARGE, GAP, GAP_LARGE, GAP)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.heading)
        layout.addWidget(self.sentence)
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        row.addWidget(self.place)
        row.addStretch(1)
        for button in self._buttons:
            row.addWidget(button)
        layout.addLayout(row)
