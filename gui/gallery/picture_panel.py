"""The centre: the picture, its making, its explanation, and what is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QFrame, QSizePolicy, QStackedWidget, QTabBar, QToolButton, QVBoxLayout, QWidget

from core.events import Finished
from gui.common.desktop import open_path
from gui.common.shortcuts import keyed
from gui.explain.explain_view import ExplainView
from gui.gallery.compare_view import CompareView
from gui.gallery.denoising_view import DenoisingView
from gui.gallery.flaws import flaw_lines
from gui.gallery.recipe_line import RecipeLine
from gui.i18n import tr
from gui.run.run import RunState
from gui.theme import palette
from gui.theme.palette import tabular
from gui.theme.tokens import CONTROL_HEIGHT, GAP_SMALL, GRID, GROUNDS
from gui.widgets.buttons import icon_button
from gui.widgets.empty_state import EmptyState
from gui.widgets.images import to_pixmap
from gui.widgets.labels import label
from gui.widgets.picture_view import STEP, PictureView
from gui.widgets.yielding_row import YieldingRow

if TYPE_CHECKING:
    from gui.shell.session import Session


IMAGE, DENOISING, EXPLAIN, COMPARE = range(4)
GROUND = "picture/ground"


class PicturePanel(QFrame):
    """Four tabs over one place; while a run goes on the denoising comes to the front by itself, once."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("panel")
        self._session = session
        palette.set_ground(session.settings.recall(GROUND, "", str))
        self.tabs = self._make_tabs()
        self.image = PictureView()
        self.empty = EmptyState("image")
        self.place = QStackedWidget()
        self.denoising = DenoisingView(session.denoising, session.run)
        self.explain = ExplainView(session)
        self.compare = CompareView(session)
        self.pages = QStackedWidget()
        self.recipe = RecipeLine()
        self._zoom = label("", "muted")
        self.head = self._make_head()
        self._lay_out()
        self._connect()
        self._show_picture()
        self._allow_again()
        self._follow_switch("xai.enabled")

    @property
    def view(self) -> PictureView:
        """The view that zoom keys act on."""
        views = {DENOISING: self.denoising.noisy, EXPLAIN: self.explain.view, COMPARE: self.compare.view}
        return views.get(self.pages.currentIndex(), self.image)

    def zoom_by(self, factor: float) -> None:
        """Magnify what is shown."""
        self.view.zoom_by(factor)

    def fit(self) -> None:
        """Show all of it."""
        self.view.fit()

    def zoom_one(self) -> None:
        """One picture pixel, one screen pixel."""
        self.view.zoom_to(1.0)

    def turn_ground(self) -> None:
        """Put pictures on the next ground: grey, black, white, squares."""
        names = list(GROUNDS)
        self._set_ground(names[(names.index(palette.ground()) + 1) % len(names)])

    def _set_ground(self, name: str) -> None:
        palette.set_ground(name)
        self._session.settings.remember(GROUND, name)
        for view in self.findChildren(PictureView):
            view.show_ground()

    def open_outside(self) -> None:
        """Open the shown file in the system's viewer."""
        picture = self._session.picture.picture
        if picture:
            open_path(picture.path)

    def _make_tabs(self) -> QTabBar:
        tabs = QTabBar()
        tabs.setDrawBase(False)
        tabs.setExpanding(False)
        tabs.setUsesScrollButtons(False)
        for name in (tr("Image"), tr("Denoising"), tr("Explain"), tr("Compare")):
            tabs.addTab(name)
        tabs.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        tabs.setAccessibleName(tr("Image view"))
        return tabs

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GAP_SMALL, GAP_SMALL, GAP_SMALL, GAP_SMALL)
        layout.setSpacing(GAP_SMALL)
        self.place.addWidget(self.empty)
        self.place.addWidget(self.image)
        for page in (self.place, self.denoising, self.explain, self.compare):
            self.pages.addWidget(page)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.recipe)

    def _make_head(self) -> QWidget:
        self.image.setAccessibleName(tr("The chosen image"))
        self._zoom.setFont(tabular(self._zoom.font()))
        self._zoom.setMinimumWidth(48)
        self._zoom.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        smaller = keyed(icon_button("zoom-out", tr("Smaller"), lambda: self.zoom_by(1 / STEP)), "zoom-out")
        larger = keyed(icon_button("zoom-in", tr("Larger"), lambda: self.zoom_by(STEP)), "zoom-in")
        fit = keyed(icon_button("fit", tr("Fit"), self.fit), "fit")
        outside = keyed(icon_button("open", tr("Open in the system's viewer"), self.open_outside), "open-outside")
        self.pixels = self._pixels_button()
        ground = keyed(
            icon_button("ground", tr("Grey, black, white or squares around images"), self.turn_ground), "ground"
        )
        shown = (self._zoom, smaller, larger, fit, self.pixels, ground, outside)
        whole = YieldingRow(self.tabs, shown, (self._zoom, fit, self.pixels, larger, smaller, outside, ground))
        whole.setMinimumHeight(max(CONTROL_HEIGHT, self.tabs.sizeHint().height()) + 2 * GRID)
        return whole

    def _pixels_button(self) -> QToolButton:
        button = keyed(icon_button("pixels", tr("Show single pixels instead of smoothing")), "pixels")
        button.setCheckable(True)
        button.toggled.connect(self._set_pixels)
        return button

    def _set_pixels(self, shown: bool) -> None:
        for view in (
            self.image,
            self.denoising.noisy,
            self.denoising.predicted,
            *self.compare.views,
        ):
            view.set_pixels(shown)
        self.explain.set_pixels(shown)

    def _connect(self) -> None:
        session = self._session
        self.tabs.currentChanged.connect(self._turn)
        self.image.activated.connect(self.open_outside)
        views = (self.image, self.denoising.noisy, self.denoising.predicted, *self.compare.views)
        for zoomed in (self.explain.zoomed, *(view.zoomed for view in views)):
            zoomed.connect(self._show_zoom)
        self.denoising.export_asked.connect(session.collection.export_film)
        self.recipe.again_asked.connect(self._make_again)
        self.recipe.explain_asked.connect(lambda: self.tabs.setCurrentIndex(EXPLAIN))
        session.collection.reproduction.changed.connect(self._allow_again)
        session.run.state_changed.connect(self._allow_again)
        session.collection.compare.asked.connect(self._turn_to_compare)
        session.picture.changed.connect(self._show_picture)
        session.run.state_changed.connect(self._follow_run)
        session.run.finished.connect(self._leave_denoising)
        session.settings.changed.connect(self._follow_switch)
        session.gallery.counted.connect(self._teach)

    def _turn(self, page: int) -> None:
        self.pages.setCurrentIndex(page)
        self._show_recipe()
        self._show_zoom()
        self._session.look_at_explanations(page == EXPLAIN)

    def _turn_to_compare(self) -> None:
        self.tabs.setCurrentIndex(COMPARE)

    def _show_zoom(self) -> None:
        """Show the magnification of what is seen, whichever view has changed its own."""
        self._zoom.setText(f"{self.view.zoom:.0%}" if self.view.has_picture else "")

    def _show_picture(self) -> None:
        picture = self._session.picture.picture
        self.image.show_picture(to_pixmap(picture.pixels) if picture else None)
        self.place.setCurrentWidget(self.image if picture else self.empty)
        self.recipe.show_picture(picture)
        self._show_recipe()
        self._teach()

    def _make_again(self) -> None:
        picture = self._session.picture.picture
        if picture:
            self._session.collection.reproduction.start(picture, self._session.settings.models)

    def _allow_again(self) -> None:
        obstacle = tr("Reproducing…") if self._session.collection.reproduction.working else ""
        if self._session.run.busy:
            obstacle = tr("Reproduce it after the run has ended: both would need the same device.")
        self.recipe.allow_again(obstacle)

    def _show_recipe(self) -> None:
        concerned = self.pages.currentIndex() in (IMAGE, EXPLAIN)
        self.recipe.setVisible(concerned and self._session.picture.picture is not None)

    def _teach(self) -> None:
        flaw = self._session.picture.flaw
        if self._session.picture.picture:
            return
        if flaw:
            self.empty.say(*flaw_lines(flaw))
        elif self._session.gallery.is_reading:
            self.empty.say(tr("Reading the folder…"), "")
        elif self._session.gallery.counts:
            self.empty.say(tr("Choose an image on the right"), tr("or press Start to generate new ones."))
        else:
            self.empty.say(
                tr("Your first images are one click away"),
                tr(
                    "Select the classes on the left, set the number of images per class, and press "
                    "Start. Each image is shown while it is generated."
                ),
            )

    def _follow_run(self) -> None:
        if self._session.run.state is RunState.STARTING:
            self.tabs.setCurrentIndex(DENOISING)

    def _leave_denoising(self, event: Finished) -> None:
        if self.tabs.currentIndex() == DENOISING and event.written:
            self.tabs.setCurrentIndex(EXPLAIN if self._session.settings.get("xai.enabled") else IMAGE)

    def _follow_switch(self, key: str) -> None:
        if key == "xai.enabled":
            on = self._session.settings.get(key)
            if not on and self.tabs.currentIndex() == EXPLAIN:
                self.tabs.setCurrentIndex(IMAGE)
            elif on and self.tabs.currentIndex() == IMAGE:
                self.tabs.setCurrentIndex(EXPLAIN)
