"""The right region, lower part: what the project consists of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QEvent, Qt, pyqtSignal
from PyQt5.QtWidgets import QFrame, QTreeWidget, QTreeWidgetItem, QVBoxLayout

from core.taxonomy import CLASS_CODES
from gui.common.desktop import open_path
from gui.explain.analysis_words import run_titles
from gui.i18n import tr
from gui.theme.icons import icon
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.panel_head import PanelHead

if TYPE_CHECKING:
    from gui.shell.session import Session


PATH_ROLE = Qt.ItemDataRole.UserRole
FOLDER_ROLE = PATH_ROLE + 1
SHOWN_RUNS = 50


class TreePanel(QFrame):
    """Images per class, explanation runs, models; activating an entry opens its folder, or the report of a run.

    Signals
    -------
    run_chosen
        A run of explanations is to be shown; carries its path.
    """

    run_chosen = pyqtSignal(object)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._session = session
        self.head = PanelHead(tr("Project"))
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setProperty("plain", True)
        self.tree.setAccessibleName(tr("Project"))
        self.tree.setIndentation(16)
        self._branches: list[tuple[QTreeWidgetItem, str]] = []
        self._images = self._branch("images", tr("Images"))
        self._xai = self._branch("explain", tr("XAI results"))
        self._models = self._branch("models", tr("Checkpoints"))
        self._classes: dict[str, QTreeWidgetItem] = {}
        self._tint()
        self._lay_out()
        self._connect()
        self._show_images()
        self._show_runs()
        self._show_models()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._tint()

    def _tint(self) -> None:
        for item, name in self._branches:
            item.setIcon(0, icon(name, "muted"))

    def _branch(self, icon_name: str, text: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem([text])
        self._branches.append((item, icon_name))
        self.tree.addTopLevelItem(item)
        item.setExpanded(True)
        return item

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL, GAP_SMALL, GRID, GAP_SMALL)
        layout.addWidget(self.tree, 1)

    def _connect(self) -> None:
        session = self._session
        session.gallery.counted.connect(self._show_images)
        session.gallery.summarized.connect(self._show_runs)
        session.catalog.changed.connect(self._show_models)
        self.tree.itemActivated.connect(lambda item, _: self._open(item))

    def _show_images(self) -> None:
        counts, output = self._session.gallery.counts, self._session.settings.output
        for code in CLASS_CODES:
            if counts[code] and code not in self._classes:
                self._classes[code] = _child(self._images, code, output / code)
            elif not counts[code] and code in self._classes:
                self._images.removeChild(self._classes.pop(code))
            if code in self._classes:
                self._classes[code].setText(0, f"{code} ({counts[code]})")
                self._classes[code].setData(0, PATH_ROLE, str(output / code))

    def _show_runs(self) -> None:
        self._xai.takeChildren()
        runs = self._session.gallery.summary.xai_runs if self._session.gallery.summary else ()
        shown = runs[:SHOWN_RUNS]
        for run, title in zip(shown, run_titles([run.name for run in shown]), strict=True):
            _child(self._xai, title, Path(run.path))
        if len(runs) > SHOWN_RUNS:
            further = _child(self._xai, tr("%n further run(s)…", len(runs) - SHOWN_RUNS), Path(runs[-1].path).parent)
            further.setData(0, FOLDER_ROLE, True)

    def _show_models(self) -> None:
        self._models.takeChildren()
        catalog = self._session.catalog.catalog
        for path in sorted({m.path for m in catalog.classes.values() if m.path} if catalog else ()):
            _child(self._models, path.name, path)

    def _open(self, item: QTreeWidgetItem) -> None:
        path = item.data(0, PATH_ROLE)
        if not path:
            return
        if item.parent() is self._xai and not item.data(0, FOLDER_ROLE):
            self.run_chosen.emit(Path(path))
        else:
            open_path(Path(path))


def _child(parent: QTreeWidgetItem, text: str, path: Path) -> QTreeWidgetItem:
    item = QTreeWidgetItem([text])
    item.setData(0, PATH_ROLE, str(path))
    item.setToolTip(0, str(path))
    parent.addChild(item)
    return item
