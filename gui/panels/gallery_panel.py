"""The right region, upper part: the images of the output folder."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QListView,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
)

from core.taxonomy import CLASSES
from gui.desktop import open_path
from gui.i18n import tr
from gui.state.session import Session
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.empty_state import EmptyState
from gui.widgets.labels import label
from gui.widgets.panel_head import PanelHead
from gui.widgets.thumbnail_delegate import CELL, ThumbnailDelegate


class GalleryPanel(QFrame):
    """Thumbnails with a class filter; choosing one shows it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._session = session
        self._model = session.gallery
        self.head = PanelHead(tr("Gallery"))
        self.count = label("", "muted")
        self.filter = QComboBox()
        self.list = self._make_list()
        self.pages = QStackedWidget()
        self._fill_filter()
        self._lay_out()
        self._connect()
        self._show_counts()

    def step(self, by: int) -> None:
        """Choose the next image or the one before."""
        rows = self._model.rowCount()
        if rows:
            current = self.list.currentIndex().row()
            self._choose(max(0, min(rows - 1, current + by)) if current >= 0 else 0)

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
        view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        view.setMouseTracking(True)
        view.setProperty("plain", True)
        view.setAccessibleName(tr("Images of the output folder"))
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        return view

    def _fill_filter(self) -> None:
        self.filter.addItem(tr("All classes"), "")
        for lesion in CLASSES:
            self.filter.addItem(lesion.code, lesion.code)
        self.filter.setAccessibleName(tr("Show which classes"))

    def _lay_out(self) -> None:
        self.head.add(self.count)
        self.head.add_at_end(self.filter)
        empty = EmptyState("images", tr("No images yet"), tr("Images appear here as soon as they are finished."))
        self.pages.addWidget(empty)
        self.pages.addWidget(self.list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL, GAP_SMALL, GRID, GAP_SMALL)
        layout.addWidget(self.pages, 1)

    def _connect(self) -> None:
        self.filter.activated.connect(lambda row: self._model.set_filter(self.filter.itemData(row)))
        self.list.selectionModel().currentChanged.connect(self._show_chosen)
        self.list.clicked.connect(lambda index: self._show_chosen(index, QModelIndex()))
        self.list.doubleClicked.connect(lambda index: open_path(Path(self._model.item(index.row()).path)))
        self.list.customContextMenuRequested.connect(self._offer)
        self._model.counted.connect(self._show_counts)
        self._session.picture.changed.connect(self._mark_shown)

    def _show_counts(self) -> None:
        total = sum(self._model.counts.values())
        self.count.setText(f"{total:,}".replace(",", "\u2009") if total else "")
        self.pages.setCurrentIndex(1 if total else 0)

    def _choose(self, row: int) -> None:
        self.list.setCurrentIndex(self._model.index(row))

    def _show_chosen(self, current: QModelIndex, _: QModelIndex) -> None:
        if current.isValid():
            path = Path(self._model.item(current.row()).path)
            picture = self._session.picture.picture
            if picture is None or picture.path != path:
                self._session.show_image(path)

    def _mark_shown(self) -> None:
        picture = self._session.picture.picture
        row = self._model.row_of(picture.path) if picture else None
        selection = self.list.selectionModel()
        if row is None:
            selection.clear()
            return
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        selection.setCurrentIndex(self._model.index(row), QItemSelectionModel.SelectionFlags(flag))

    def _offer(self, position: QPoint) -> None:
        index = self.list.indexAt(position)
        if not index.isValid():
            return
        path = Path(self._model.item(index.row()).path)
        menu = QMenu(self)
        menu.addAction(tr("Open in the system's viewer"), lambda: open_path(path))
        menu.addAction(tr("Show in the file manager"), lambda: open_path(path.parent))
        menu.popup(self.list.viewport().mapToGlobal(position))
