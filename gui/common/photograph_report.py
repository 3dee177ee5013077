"""What is known of chosen photographs, in words: form, classes, counts, lesions, oddities; and their being opened."""

from __future__ import annotations

from PyQt5.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from core.errors import ISICGUIError
from gui.common.photograph_check import PhotographCheck
from gui.i18n import tr, translate
from gui.i18n.numbers import number
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.buttons import text_button
from gui.widgets.labels import label
from gui.widgets.photograph_table import PhotographTable
from gui.widgets.warning_lines import WarningLines


class PhotographReport(QWidget):
    """Shows a `PhotographCheck`.

    Parameters
    ----------
    hint
        What stands there while nothing is chosen; nothing if empty.
    tells_problem
        Whether it says why something cannot be used; else somebody else does.
    """

    def __init__(self, check: PhotographCheck, hint: str = "", *, tells_problem: bool = True) -> None:
        super().__init__()
        self._check, self._hint, self._tells_problem = check, hint, tells_problem
        self.found = label("", "muted", wrap=True)
        self.table = PhotographTable()
        self.warnings = WarningLines()
        self.problem = label("", "problem", wrap=True)
        self.pictures = label("", "muted", wrap=True)
        self.act = text_button(tr("Open all images"), self._act)
        self._lay_out()
        check.changed.connect(self.show_check)
        check.progressed.connect(self._show_pictures)
        self.show_check()

    def show_check(self) -> None:
        """Show what the check says."""
        found = self._found_words()
        self.found.setText(found)
        self.found.setVisible(bool(found))
        self._show_counts()
        self.warnings.show_warnings(self._warnings())
        problem = problem_words(self._check.problem) if self._tells_problem else ""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        self._show_pictures()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP_SMALL)
        row.addWidget(self.pictures, 1)
        row.addWidget(self.act)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        for widget in (self.found, self.table, self.warnings, self.problem):
            layout.addWidget(widget)
        layout.addLayout(row)

    def _found_words(self) -> str:
        check, found = self._check, self._check.overview
        if found is not None:
            lesions = tr("%n lesion(s)", sum(found.lesions.values())) if found.grouped else tr("lesions unknown")
            images = tr("%n photograph(s)", sum(found.images.values()))
            words = tr("{kind}: {images}, {lesions}; licence: {terms}")
            return words.format(kind=_form(found.kind), images=images, lesions=lesions, terms=found.licence)
        if check.looking:
            return tr("Looking…")
        if check.is_unlabelled:
            total = check.checked.total if check.checked else check.total
            return tr("%n photograph(s), without labels", total) if total else tr("Photographs without labels")
        return self._hint if check.path is None else ""

    def _show_counts(self) -> None:
        found, checked = self._check.overview, self._check.checked
        if found is not None:
            self.table.show_counts(found.images, found.lesions if found.grouped else {})
        elif checked is not None:
            self.table.show_counts(checked.classes, {})
        self.table.setVisible(found is not None or (checked is not None and bool(checked.classes)))

    def _warnings(self) -> list[str]:
        found, checked = self._check.overview, self._check.checked
        leakage = [translate(found.leakage)] if found is not None and found.leaks else []
        notes = checked.notes if checked is not None else found.notes if found is not None else ()
        return [*leakage, *map(translate, notes)]

    def _show_pictures(self) -> None:
        check = self._check
        words = self._picture_words()
        self.pictures.setText(words)
        self.pictures.setVisible(bool(words))
        self.act.setText(tr("Stop") if check.is_opening else tr("Open all images"))
        self.act.setAccessibleName(self.act.text())
        self.act.setToolTip(
            tr("Stop opening images; what the labels say stays")
            if check.is_opening
            else tr("Read every image to find damaged files, copies, sizes and masks; nothing is changed")
        )
        self.act.setVisible(check.is_opening or check.can_open)

    def _picture_words(self) -> str:
        check, checked = self._check, self._check.checked
        if check.is_opening:
            if not check.total:
                return tr("Opening the images…")
            words = tr("Opening the images: {done} of {total}")
            return words.format(done=number(check.done), total=number(check.total))
        if checked is None:
            return tr("Images not opened yet") if check.can_open else ""
        readable = checked.total - len(checked.unreadable)
        words = tr("{readable} of {total} images can be read")
        told = words.format(readable=number(readable), total=number(checked.total))
        sizes = list(checked.sizes)
        return f"{told} · {_size(sizes[0])}" if len(sizes) == 1 else told

    def _act(self) -> None:
        if self._check.is_opening:
            self._check.stop()
        else:
            self._check.open_all()


def problem_words(problem: ISICGUIError | None) -> str:
    """Return what stands against something, and what to do about it."""
    return f"{translate(problem.message)} {translate(problem.remedy)}".strip() if problem else ""


def _form(kind: str) -> str:
    from photographs.label_forms import LABEL_FORMS  # read by now: it has found the labels

    return translate(LABEL_FORMS[kind].title)


def _size(text: str) -> str:
    width, _, height = text.partition("x")
    return tr("{width} × {height} pixels").format(width=width, height=height)
