"""The window: regions, docks, keyboard, and how it opens and closes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from PyQt5.QtCore import QByteArray, Qt, QTimer
from PyQt5.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QShowEvent
from PyQt5.QtWidgets import QDockWidget, QMainWindow, QMenu, QToolBar, QVBoxLayout, QWidget

from core.cancel import StopMode
from core.version import PRODUCT
from gui.common.notices import Notice
from gui.common.problem import Problem
from gui.common.regions import chain_focus, step_region
from gui.common.shortcuts import Area, Key, Keyboard, keyed
from gui.gallery.gallery_panel import GalleryPanel
from gui.gallery.picture_panel import PicturePanel
from gui.gallery.tree_panel import TreePanel
from gui.help.problem_dialog import ProblemDialog
from gui.i18n import tr
from gui.run.progress_panel import ProgressPanel
from gui.run.queue_panel import QueuePanel
from gui.run.run import RunState
from gui.run.setup_panel import SetupPanel
from gui.shell import dropped
from gui.shell.banner import Banner
from gui.shell.close_dialog import CloseDialog
from gui.shell.close_work_dialog import work_of
from gui.shell.dock import make_dock
from gui.shell.help_actions import HelpActions
from gui.shell.log_panel import LogPanel
from gui.shell.session import Session
from gui.shell.session_dialogs import SessionDialogs
from gui.shell.status_line import StatusLine
from gui.shell.top_bar import TopBar
from gui.shell.window_look import copy_look
from gui.shell.window_place import brought_back, centred
from gui.shell.window_words import end_of, rating_words, theme_words, view_words
from gui.theme.tokens import GAP_SMALL, GRID
from gui.widgets.fitting import room_on
from gui.widgets.picture_view import STEP

REFERENCE_SIZE: Final = (1280, 800)
LAYOUT_VERSION: Final = 2
LOW_WINDOW, LOW_PANEL = 680, 92
"""Below the one height of the window the panels at its bottom begin with the other."""

DROP: Final = "drop"
"""Topic of the notice about something dropped that cannot be shown."""

TOLD_MS: Final = 5000
"""How long a confirmation stands in the status line."""
OPEN_DELAY_MS: Final = 30
"""Lets the first paint happen before anything else is begun."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a panel stands at the first start.

    Attributes
    ----------
    size
        Width and height in pixels at the reference size; 0 for what is left.
    """

    panel: Any
    name: str
    area: Qt.DockWidgetArea
    size: tuple[int, int]


class MainWindow(QMainWindow):
    """Puts the panels of a session together; computes nothing."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._opened = False
        self._closing = False
        self._gives_work_up = False
        self._close_dialog: CloseDialog | None = None
        self._problems: list[ProblemDialog] = []
        self.setWindowTitle(self._name())
        self.setAcceptDrops(True)
        self.help = HelpActions(self)
        self._make_panels()
        self.desk = SessionDialogs(self)
        self._lay_out()
        self.keys = self._key_table()
        session.keys.define(self.keys)
        self.keyboard = Keyboard(self, session.keys, {"queue": self.queue.list})
        self._connect()
        self._restore()

    def tell_problem(self, problem: Problem) -> None:
        """Show a problem in a dialog, unless the very same one is being shown."""
        if any(dialog.problem.message == problem.message for dialog in self._problems):
            return
        dialog = ProblemDialog(problem, self.session.remedies.of(problem), self)
        dialog.diagnostics_asked.connect(partial(self.desk.report, problem))
        self._problems.append(dialog)
        dialog.finished.connect(lambda _: self._problems.remove(dialog))
        dialog.open()

    @property
    def is_closing(self) -> bool:
        """Whether the window goes as soon as the run has stopped."""
        return self._closing

    def take_over(self, old: MainWindow) -> None:
        """Stand in for another window of the session, which is about to go."""
        self._opened = True
        copy_look(old, self)
        self.progress.tell(end_of(self.session.run))
        self._show_title()
        self.desk.take_over(old.desk)
        self._begin()

    def leave(self) -> None:
        """Close without asking; a run is stopped first, and its finished images are kept."""
        self._gives_work_up = True
        self._answered(stop=True)

    def toggle_panels(self) -> None:
        """Hide all docks, or bring back those that were hidden by this."""
        shown = [dock for dock in self.docks if dock.isVisible()]
        if shown:
            self._hidden = shown
        for dock in shown or self._hidden:
            dock.setVisible(not shown)

    def step_region(self, by: int) -> None:
        """Give the focus to the next part of the window, or the one before."""
        setup, *others = self.docks
        step_region((self.top, setup, self.centralWidget(), *others), by)

    def reset_layout(self) -> None:
        """Put everything where it was at the very first start."""
        self.restoreState(self._first_state, LAYOUT_VERSION)
        for dock in self.docks:
            dock.show()
        self._size_docks()

    def showEvent(self, event: QShowEvent) -> None:
        """Begin with the work once the window is on screen."""
        super().showEvent(event)
        if not self._opened:
            self._opened = True
            self._size_docks_once()
            self.centralWidget().setFocus()
            QTimer.singleShot(OPEN_DELAY_MS, self._begin)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close at once, or after the run has been stopped, if that is wanted."""
        if self.session.run.busy:
            event.ignore()
            if not self._closing:
                self._ask_to_close()
            return
        if self.session.training.busy:
            event.ignore()
            self.desk.leave_training()
            return
        work = () if self._gives_work_up else work_of(self.session)
        if work:
            event.ignore()
            self.desk.leave_work(work, self.leave)
            return
        self.remember()
        self.hide()
        if self.session.analyses.busy:  # it keeps what is finished, which takes a moment; nobody has to watch that
            event.ignore()
            self.session.analyses.leave(self.close)
            return
        self.session.close()
        super().closeEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Welcome files, and what else is answered in words."""
        if dropped.is_welcome(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Show the first file and its recipe, or say why there is nothing to be shown; settings stay as they are."""
        if not dropped.is_welcome(event.mimeData()):
            return
        event.acceptProposedAction()
        found = dropped.take(event.mimeData())
        if isinstance(found, Path):
            self.session.notices.withdraw(DROP)
            self.session.show_image(found)
            self.picture.tabs.setCurrentIndex(0)
        else:
            self.session.notices.post(Notice(DROP, found, icon="warning"))

    def _make_panels(self) -> None:
        session = self.session
        self.top = TopBar(session)
        self.banner = Banner(session.notices)
        self.setup = SetupPanel(session)
        self.picture = PicturePanel(session)
        self.gallery = GalleryPanel(session)
        self.tree = TreePanel(session)
        self.log = LogPanel(session.log)
        self.queue = QueuePanel(session.queue, session.analyses)
        self.progress = ProgressPanel(session.run)
        self.setStatusBar(StatusLine(session))

    def _lay_out(self) -> None:
        self.setDockNestingEnabled(True)
        self.setContentsMargins(GAP_SMALL, 0, GAP_SMALL, 0)
        self.setMenuWidget(self._head())
        self.setCentralWidget(self._centre())
        area = Qt.DockWidgetArea
        self._places = (
            _Place(self.setup, "setup", area.LeftDockWidgetArea, (324, 0)),
            _Place(self.gallery, "gallery", area.RightDockWidgetArea, (252, 360)),
            _Place(self.tree, "tree", area.RightDockWidgetArea, (252, 180)),
            _Place(self.log, "log", area.BottomDockWidgetArea, (760, 112)),
            _Place(self.queue, "queue", area.BottomDockWidgetArea, (500, 112)),
        )
        self.docks: list[QDockWidget] = []
        for place in self._places:
            dock = make_dock(place.panel, place.name)
            self.addDockWidget(place.area, dock)
            self.docks.append(dock)
        self._hidden = list(self.docks)
        self._add_progress()
        self._chain_focus()
        self.top.add_menu(self._panel_menu())

    def _chain_focus(self) -> None:
        setup, *others = ([place.panel.head, place.panel] for place in self._places)
        parts = [
            self.menuWidget(),
            *setup,
            self.picture.head,
            self.picture,
            *(part for pair in others for part in pair),
        ]
        chain_focus(parts)

    def _head(self) -> QWidget:
        head = QWidget()
        layout = QVBoxLayout(head)
        layout.setContentsMargins(0, GAP_SMALL, 0, GRID)
        layout.setSpacing(GAP_SMALL)
        layout.addWidget(self.top)
        layout.addWidget(self.banner)
        return head

    def _centre(self) -> QWidget:
        centre = QWidget()
        centre.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.picture.head)
        layout.addWidget(self.picture, 1)
        return centre

    def _add_progress(self) -> None:
        bar = QToolBar()
        bar.setObjectName("progress")
        bar.setMovable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.addWidget(self.progress)
        self.addToolBar(Qt.ToolBarArea.BottomToolBarArea, bar)

    def _panel_menu(self) -> QMenu:
        menu = QMenu(self)
        for dock in self.docks:
            menu.addAction(dock.toggleViewAction())
        menu.addSeparator()
        keyed(menu.addAction(tr("Hide or show all panels"), self.toggle_panels), "panels")
        keyed(menu.addAction(tr("Reset the layout"), self.reset_layout), "reset-layout")
        menu.addSeparator()
        keyed(menu.addAction(tr("Export for training…"), self.desk.show_export), "export")
        keyed(menu.addAction(tr("Train…"), self.desk.show_training), "train")
        keyed(menu.addAction(tr("Evaluate…"), self.desk.show_evaluation), "evaluate")
        keyed(menu.addAction(tr("Get models…"), self.desk.show_models), "get-models")
        keyed(menu.addAction(tr("Settings…"), self.desk.show_settings), "settings")
        keyed(menu.addAction(tr("Keyboard shortcuts…"), self.help.show_keys), "keys")
        keyed(menu.addAction(tr("Run a command…"), self.help.show_palette), "palette")
        keyed(menu.addAction(tr("Diagnostics…"), self.desk.show_diagnostics), "diagnostics")
        keyed(menu.addAction(tr("Glossary…"), self.help.show_glossary), "glossary")
        keyed(menu.addAction(tr("Show me around"), self.help.start_tour), "tour")
        return menu

    def _key_table(self) -> tuple[Key, ...]:
        return (*self._keys_of_pictures(), *self._keys_of_work(), *self._keys_of_window())

    def _keys_of_pictures(self) -> tuple[Key, ...]:
        """Return what a run is made with and a picture looked at with."""
        picture, session, controls, gallery = self.picture, self.session, self.setup.controls, self.gallery
        run = Area.RUN
        return (
            Key(("Ctrl+Return",), tr("Start"), self.setup.start.click, "start", run),
            Key(
                ("Esc",), tr("Stop now and keep the finished images"), lambda: session.stop(StopMode.NOW), "stop", run
            ),
            Key(("P",), tr("Pause, or resume"), controls.pause.click, "pause", run),
            Key((), tr("Finish the stopped runs of this folder"), session.finish_stopped, "finish-stopped", run),
            Key(("Ctrl+R",), tr("Generate more"), controls.regenerate.click, "regenerate", run),
            Key(("Ctrl+Shift+Return",), tr("Add to the queue"), controls.enqueue.click, "enqueue", run),
            Key(("Ctrl+Shift+C",), tr("Copy as command"), controls.copy_command, "copy-command", run),
            Key(("J", "Alt+Right"), tr("Next image"), lambda: gallery.step(1), "next-image", Area.GALLERY),
            Key(("K", "Alt+Left"), tr("Previous image"), lambda: gallery.step(-1), "previous-image", Area.GALLERY),
            Key(("+", "="), tr("Zoom in"), lambda: picture.zoom_by(STEP), "zoom-in", Area.PICTURE),
            Key(("-",), tr("Zoom out"), lambda: picture.zoom_by(1 / STEP), "zoom-out", Area.PICTURE),
            Key(("F",), tr("Fit the image"), picture.fit, "fit", Area.PICTURE),
            Key(("Z",), tr("One image pixel, one screen pixel"), picture.zoom_one, "zoom-one", Area.PICTURE),
            Key(("S",), tr("Single pixels instead of smoothing"), picture.pixels.toggle, "pixels", Area.PICTURE),
            *(Key((f"Ctrl+{n + 1}",), words, partial(picture.tabs.setCurrentIndex, n), f"view-{name}", Area.PICTURE)
              for n, (name, words) in enumerate(view_words().items())),
            Key(("B",), tr("Grey, black, white or squares around images"), picture.turn_ground, "ground",
                Area.PICTURE),
            Key(("Ctrl+E",), tr("Open the image in the system's viewer"), picture.open_outside, "open-outside",
                Area.PICTURE),
            Key(("E",), tr("Explanations on or off"), self.top.explain.toggle, "explain", Area.EXPLAIN),
            Key((), tr("Keep maps and raw arrays in the project"), picture.explain.controls.keep.trigger, "keep-maps",
                Area.EXPLAIN),
            Key((), tr("Export maps and raw arrays…"), picture.explain.controls.export.trigger, "export-maps",
                Area.EXPLAIN),
            Key(("Ctrl+T",), tr("Analyse the whole trajectory…"), self.desk.show_analysis, "analyse", Area.EXPLAIN),
        )  # fmt: skip

    def _keys_of_work(self) -> tuple[Key, ...]:
        """Return what images are sorted with, and the work that is done with many of them."""
        gallery, queue, window = self.gallery, Area.QUEUE, Area.WINDOW
        return (
            *(Key((str(n),), words, partial(gallery.rate, n), f"rate-{n}", Area.GALLERY)
              for n, words in enumerate(rating_words())),
            Key(("X",), tr("Reject the image, or undo the rejection"), gallery.toggle_rejected, "reject", Area.GALLERY),
            Key(("C",), tr("Compare the chosen images"), gallery.compare, "compare", Area.GALLERY),
            Key(("Del",), tr("Move the chosen images to the trash"), gallery.delete, "delete", Area.GALLERY),
            Key(("Ctrl+C",), tr("Copy the chosen images"), gallery.copy, "copy-image", Area.GALLERY),
            Key(("Ctrl+Z",), tr("Undo the last deletion"), gallery.undo, "undo", Area.GALLERY),
            Key(("Ctrl+Shift+E",), tr("Export for training"), self.desk.show_export, "export", Area.GALLERY),
            Key(("Ctrl+Shift+T",), tr("Train a generator or a classifier"), self.desk.show_training, "train", window),
            Key(("Ctrl+Shift+V",), tr("Evaluate a synthetic set"), self.desk.show_evaluation, "evaluate", window),
            Key(("Alt+Up",), tr(
                "Move the chosen run up in the queue"
            ), lambda: self.queue.move_run(-1), "queue-up", queue,
                "queue"),
            Key(("Alt+Down",), tr(
                "Move the chosen run down in the queue"
            ), lambda: self.queue.move_run(1), "queue-down", queue,
                "queue"),
            Key(("Del",), tr("Remove the chosen run from the queue"), self.queue.remove.click, "queue-remove", queue,
                "queue"),
        )  # fmt: skip

    def _keys_of_window(self) -> tuple[Key, ...]:
        """Return what the window itself and its help are asked with."""
        session, window = self.session, Area.WINDOW
        return (
            Key(("F11",), tr("Hide or show all panels"), self.toggle_panels, "panels", window),
            Key((), tr("Choose the folder for images…"), self.top.choose_output, "choose-output", window),
            Key((), tr("Choose the folder of models…"), self.top.choose_models, "choose-models", window),
            *(Key((), words, partial(session.settings.set, "ui.theme", theme), f"theme-{theme}", window)
              for theme, words in theme_words().items()),
            Key((), tr("Reset the layout"), self.reset_layout, "reset-layout", window),
            Key((), tr("Get models, and check this computer"), self.desk.show_models, "get-models", window),
            Key(("Ctrl+,",), tr("Settings"), self.desk.show_settings, "settings", window),
            Key(("F6",), tr("Go to the next part of the window"), lambda: self.step_region(1), "next-region", window),
            Key(("Shift+F6",), tr("Go to the part of the window before"), lambda: self.step_region(-1),
                "previous-region", window),
            Key(("Ctrl+Shift+P",), tr("Command palette"), self.help.show_palette, "palette", Area.HELP),
            Key((), tr("Show me around"), self.help.start_tour, "tour", Area.HELP),
            Key(("Shift+F1",), tr("Glossary"), self.help.show_glossary, "glossary", Area.HELP),
            Key((), tr("Diagnostics for a report"), self.desk.show_diagnostics, "diagnostics", Area.HELP),
            Key(("F1",), tr("Keyboard shortcuts"), self.help.show_keys, "keys", Area.HELP),
            Key(("Ctrl+Q",), tr("Close"), self.close, "close", window),
        )  # fmt: skip

    def _connect(self) -> None:
        session = self.session
        session.problem.connect(self.tell_problem)
        session.run.state_changed.connect(self._run_changed)
        session.run.progress_changed.connect(self._show_title)
        session.run.failed.connect(self._run_ended)
        session.run.finished.connect(self._run_ended)
        session.told.connect(self._confirm)
        self.tree.run_chosen.connect(self.desk.show_report)
        self.queue.analyses.opened.connect(self.desk.show_report)

    def _begin(self) -> None:
        self.session.open()
        self.session.log.show_all()

    def _run_changed(self) -> None:
        self._show_title()
        if self.session.run.busy:
            self.progress.tell("")
        elif self._close_dialog:
            self._close_dialog.stop_button.click()  # the run has ended by itself: nothing is left to be asked
        elif self._closing:
            QTimer.singleShot(0, self.close)

    def _show_title(self) -> None:
        run = self.session.run
        share = f"{run.fraction:.0%}" + (f", {tr('paused')}" if run.state is RunState.PAUSED else "")
        self.setWindowTitle(f"{share} · {self._name()}" if run.busy and run.total else self._name())

    def _name(self) -> str:
        return tr("{product} (safe mode)").format(product=PRODUCT) if self.session.settings.is_safe else PRODUCT

    def _run_ended(self) -> None:
        self.progress.tell(end_of(self.session.run))

    def _confirm(self, words: str) -> None:
        self.statusBar().showMessage(words, TOLD_MS)

    def _ask_to_close(self) -> None:
        run = self.session.run
        dialog = CloseDialog(run.done, run.total, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.buttonClicked.connect(lambda button: self._answered(button is dialog.stop_button))
        self._close_dialog = dialog
        dialog.finished.connect(self._forget_close_dialog)
        dialog.open()

    def _forget_close_dialog(self) -> None:
        self._close_dialog = None

    def _answered(self, stop: bool) -> None:
        if not stop:
            return
        self._closing = True
        if self.session.run.busy:
            self.session.stop_to_close()
        else:
            QTimer.singleShot(0, self.close)

    def _restore(self) -> None:
        self.resize(*REFERENCE_SIZE)
        self._first_state = self.saveState(LAYOUT_VERSION)
        recall = self.session.settings.recall
        geometry, state = (
            recall("window/geometry", QByteArray(), QByteArray),
            recall("window/state", QByteArray(), QByteArray),
        )
        self._restored = bool(geometry) and self.restoreGeometry(geometry) and self.restoreState(state, LAYOUT_VERSION)
        if self._restored and not self.isMaximized():
            screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
            self.setGeometry(brought_back(self.geometry(), screens))

    def fit_to_screen(self) -> None:
        """Let a window that is opened for the first time be no larger than its screen, title bar and frame included."""
        screen = QGuiApplication.primaryScreen().availableGeometry()
        if not self._restored and not room_on(screen).contains(self.geometry()):
            self.setGeometry(centred(self.geometry(), screen))

    def remember(self) -> None:
        """Keep where the window and its panels stand."""
        self.session.settings.remember("window/geometry", self.saveGeometry())
        self.session.settings.remember("window/state", self.saveState(LAYOUT_VERSION))

    def _size_docks_once(self) -> None:
        if not self._restored:
            self._size_docks()

    def _first_size(self, place: _Place, i: int) -> int:
        """Return the width (0) or height (1) of a panel; those at the bottom are low where the picture has little."""
        is_low = i == 1 and place.area == Qt.DockWidgetArea.BottomDockWidgetArea and self.height() < LOW_WINDOW
        return LOW_PANEL if is_low else place.size[i]

    def _size_docks(self) -> None:
        for i, orientation in enumerate((Qt.Orientation.Horizontal, Qt.Orientation.Vertical)):
            sized = [
                (dock, self._first_size(place, i))
                for dock, place in zip(self.docks, self._places, strict=True)
                if place.size[i]
            ]
            self.resizeDocks([dock for dock, _ in sized], [size for _, size in sized], orientation)
