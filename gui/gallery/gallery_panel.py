"""The right region, upper part: the images of the output folder."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QItemSelectionModel, QModelIndex, QPoint, QSignalBlocker, Qt, QTimer
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QFrame,
    QListView,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
)

from core.files.opening import MAX_SHEET_IMAGES
from core.taxonomy import CLASSES
from gui.common.desktop import open_path
from gui.common.problem import Problem
from gui.gallery.copying import copy_chosen_text, copy_pictures
from gui.gallery.empty_trash_dialog import EmptyTrashDialog
from gui.gallery.flaws import flaw_line
from gui.gallery.gallery_filters import GalleryFilters
from gui.gallery.gallery_menu import GalleryMenu
from gui.gallery.scan import GalleryItem
from gui.gallery.thumbnail_delegate import CELL, ThumbnailDelegate
from gui.i18n import tr
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.buttons import icon_button
from gui.widgets.elided_combo import ElidedCombo
from gui.widgets.empty_state import EmptyState
from gui.widgets.labels import label
from gui.widgets.note_line import NoteLine
from gui.widgets.panel_head import PanelHead

if TYPE_CHECKING:
    from gui.shell.session import Session


NAMED_FLAWS = 40
"""Files that cannot be shown which are named one by one."""


class GalleryPanel(QFrame):
    """Thumbnails with filters; choosing one shows it, keys rate, reject, delete and compare."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._session = session
        self._model = session.gallery
        self._question: EmptyTrashDialog | None = None
        self._deleted: Sequence[str] = ()
        self.head = PanelHead(tr("Gallery"))
        self.count = label("", "muted")
        self.filter = ElidedCombo()
        self.more = icon_button("menu", tr("What can be done with the images"), self.offer_all)
        self.filters = GalleryFilters(self.filter)
        self.list = self._make_list()
        self.pages = QStackedWidget()
        self.flaws = self._make_flaws()
        self.note = NoteLine("info", tr("Undo"), self.undo, closable=True)
        self._fill_filter()
        self._lay_out()
        self._connect()
        self._show_counts()
        self._show_flaws()

    def take_over(self, other: GalleryPanel) -> None:
        """Show the same choice of images as another panel of the session."""
        self.filter.setCurrentIndex(other.filter.currentIndex())
        self.filters.take_over(other.filters)
        chosen, chooser = other.list.selectionModel(), self.list.selectionModel()
        with QSignalBlocker(chooser):  # nobody has chosen anything now
            chooser.select(chosen.selection(), QItemSelectionModel.SelectionFlag.ClearAndSelect)
            chooser.setCurrentIndex(chosen.currentIndex(), QItemSelectionModel.SelectionFlag.NoUpdate)
        if not other.note.isHidden():
            self._note_deletion(other._deleted)
        QTimer.singleShot(0, partial(self.list.verticalScrollBar().setValue, other.list.verticalScrollBar().value()))

    def step(self, by: int) -> None:
        """Choose the next image or the one before."""
        rows = self._model.rowCount()
        if rows:
            current = self.list.currentIndex().row()
            self._choose(max(0, min(rows - 1, current + by)) if current >= 0 else 0)

    def selected(self) -> list[GalleryItem]:
        """Return the chosen images in the order of the gallery."""
        rows = sorted(index.row() for index in self.list.selectionModel().selectedIndexes())
        return [self._model.item(row) for row in rows]

    def rate(self, stars: int) -> None:
        """Give the chosen images, or the shown one, a number of stars."""
        self._model.ratings.rate(self._keys(), stars)

    def toggle_rejected(self) -> None:
        """Reject the chosen images, or the shown one, or take that back."""
        self._model.ratings.toggle_rejected(self._keys())

    def delete(self) -> None:
        """Move the chosen images to the trash."""
        self._session.collection.trash.delete([item.path for item in self.selected()])

    def delete_rejected(self) -> None:
        """Move every rejected image to the trash."""
        self._session.collection.trash.delete([item.path for item in self._model.rejected()])

    def undo(self) -> None:
        """Bring back what was deleted last."""
        self._session.collection.trash.undo()

    def empty_trash(self) -> None:
        """Ask, and delete for good what lies in the trash."""
        trash = self._session.collection.trash
        dialog = self._question = EmptyTrashDialog(trash.files, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.buttonClicked.connect(lambda button: trash.empty() if button is dialog.delete_button else None)
        dialog.open()

    def copy(self) -> None:
        """Copy the chosen images, or the shown one: its picture and their files; chosen text of a field goes first."""
        if copy_chosen_text():
            return
        shown = self._session.picture.picture
        files = [Path(item.path) for item in self.selected()] or ([shown.path] if shown else [])
        if files:
            copy_pictures(files, shown)
            self._session.tell(tr("%n image(s) copied.", len(files)))

    def compare(self) -> None:
        """Compare two chosen images; of one, wait for another to be chosen."""
        chosen, compare, picture = self.selected(), self._session.collection.compare, self._session.picture.picture
        if len(chosen) == 2:
            current = self.list.currentIndex().row()
            first, second = chosen if self._model.row_of(Path(chosen[1].path)) == current else reversed(chosen)
            compare.compare_files(Path(first.path), Path(second.path))
        else:
            compare.pin(picture)

    def export_sheet(self) -> None:
        """Ask for a file and write a contact sheet of the chosen images, or of all that are shown."""
        chosen = self.selected()
        wanted = chosen if len(chosen) > 1 else self._model.items()
        items = wanted[:MAX_SHEET_IMAGES]
        title = tr("Contact sheet of %n image(s)", len(items))
        if len(wanted) > MAX_SHEET_IMAGES:
            title += " " + tr("(the first of {total})").format(total=len(wanted))
        target = self._ask_for_file(title)
        if target:
            self._session.collection.exports.contact_sheet([item.path for item in items], target)

    def name_flaws(self) -> None:
        """Say which files cannot be shown, and why."""
        flaws = list(self._model.flaws.values())
        lines = [flaw_line(flaw) for flaw in flaws[:NAMED_FLAWS]]
        if len(flaws) > NAMED_FLAWS:
            lines.append(tr("and %n more", len(flaws) - NAMED_FLAWS))
        remedy = tr("The files were not changed. Delete or move them.")
        self._session.problem.emit(Problem(tr("Files that cannot be shown"), "\n".join(lines), remedy))

    def offer_all(self) -> None:
        """Show the menu under its button."""
        self._offer_menu(self.more.mapToGlobal(QPoint(0, self.more.height())))

    def _make_flaws(self) -> QToolButton:
        button = icon_button("warning", tr("Files that cannot be shown"), self.name_flaws)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.hide()
        return button

    def _make_list(self) -> QListView:
        view = QListView()
        view.setModel(self._model)
        view.setItemDelegate(ThumbnailDelegate(view))
        view.setFlow(QListView.Flow.LeftToRight)
        view.setWrapping(True)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setUniformItemSizes(True)
        view.setGridSize(CELL)
        view.setLayoutMode(QListView.LayoutMode.Batched)
        view.setBatchSize(1000)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setMouseTracking(True)
        view.setProperty("plain", True)
        view.setAccessibleName(tr("Images of the output folder"))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        return view

    def _fill_filter(self) -> None:
        self.filter.addItem(tr("Class"), "")
        for lesion in CLASSES:
            self.filter.addItem(lesion.code, lesion.code)
        self.filter.setAccessibleName(tr("Show which classes"))
        self.filter.setToolTip(tr("Show which classes"))

    def _lay_out(self) -> None:
        self.head.add(self.count)
        self.head.add(self.flaws)
        self.head.add_at_end(self.more)
        self._empty = EmptyState("images")
        self.pages.addWidget(self._empty)
        self.pages.addWidget(self.list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL, GAP_SMALL, GRID, GAP_SMALL)
        layout.setSpacing(GRID)
        layout.addWidget(self.filters)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.note)

    def _connect(self) -> None:
        trash = self._session.collection.trash
        self.filter.activated.connect(lambda row: self._model.set_filter(self.filter.itemData(row)))
        self.filters.chosen.connect(lambda run, rating: self._model.narrow(run=run, rating=rating))
        self.list.selectionModel().currentChanged.connect(self._show_chosen)
        self.list.clicked.connect(lambda index: self._show_chosen(index, QModelIndex()))
        self.list.doubleClicked.connect(lambda index: open_path(Path(self._model.item(index.row()).path)))
        self.list.customContextMenuRequested.connect(self._offer)
        self._model.counted.connect(self._show_counts)
        self._model.flawed.connect(self._show_flaws)
        self._model.modelReset.connect(self._mark_shown)
        self._session.picture.changed.connect(self._mark_shown)
        trash.deleted.connect(self._note_deletion)
        trash.restored.connect(self.note.hide)
        trash.changed.connect(self._forget_note)

    def _note_deletion(self, paths: Sequence[str]) -> None:
        self._deleted = paths
        self.note.tell(tr("%n file(s) deleted.", len(paths)))

    def _forget_note(self) -> None:
        trash = self._session.collection.trash
        self.note.setVisible(self.note.isVisible() and trash.deletions > 0)

    def _show_counts(self) -> None:
        total, shown = sum(self._model.counts.values()), self._model.rowCount()
        words = _grouped(total) if shown == total else tr("{shown} of {total}")
        self.count.setText(words.format(shown=_grouped(shown), total=_grouped(total)) if total else "")
        self.filters.show_runs(self._model.runs)
        self.filters.setVisible(total > 0)
        if total:
            self._empty.say(tr("No matching images"), tr("Choose another class, run or rating above."))
        elif self._model.is_reading:
            self._empty.say(tr("Reading the folder…"), "")
        else:
            self._empty.say(tr("No images yet"), tr("Images appear here as soon as they are finished."))
        self.pages.setCurrentIndex(1 if shown else 0)

    def _show_flaws(self) -> None:
        count = len(self._model.flaws)
        words = tr("%n file(s) cannot be shown: which, and why?", count)
        self.flaws.setText(str(count))
        self.flaws.setToolTip(words)
        self.flaws.setAccessibleName(words)
        self.flaws.setVisible(count > 0)

    def _keys(self) -> list[tuple[str, str]]:
        chosen = self.selected()
        if chosen:
            return [item.key for item in chosen]
        shown = self._session.picture.path
        key = self._model.key_of(shown) if shown else None
        return [key] if key else []

    def _choose(self, row: int) -> None:
        self.list.setCurrentIndex(self._model.index(row))

    def _show_chosen(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid():
            path = Path(self._model.item(current.row()).path)
            if self._session.picture.path != path:
                self._session.show_image(path)

    def _mark_shown(self) -> None:
        """Select what is shown, unless it is already among the chosen ones."""
        shown = self._session.picture.path
        row = self._model.row_of(shown) if shown else None
        selection = self.list.selectionModel()
        if row is None:
            selection.clear()
        elif not selection.isSelected(self._model.index(row)):
            flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
            selection.setCurrentIndex(self._model.index(row), QItemSelectionModel.SelectionFlags(flag))

    def _offer(self, position: QPoint) -> None:
        self._offer_menu(self.list.viewport().mapToGlobal(position))

    def _offer_menu(self, place: QPoint) -> None:
        act = {
            "copy": self.copy,
            "compare": self.compare,
            "sheet": self.export_sheet,
            "delete": self.delete,
            "delete_rejected": self.delete_rejected,
            "undo": self.undo,
            "empty": self.empty_trash,
        }
        self.menu = GalleryMenu(self._session, self.selected(), act, self)
        self.menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.menu.popup(place)

    def _ask_for_file(self, title: str) -> Path | None:
        start = self._session.settings.output.parent / "contact-sheet.png"
        name, _ = QFileDialog.getSaveFileName(self, title, str(start), "PNG (*.png)")
        return Path(name).with_suffix(".png") if name else None


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\u2009")
