"""Makes the pictures of the window for the documentation, from images that the starter models generate on the spot.

    python scripts/take_screenshots.py --output docs/images

Works on any display, a virtual one included (``xvfb-run``, or QT_QPA_PLATFORM=offscreen). Takes some minutes on two
cores. The pictures have 256 colours each, so that a page with many of them stays light.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from io import BytesIO
from itertools import chain
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
from PIL import Image
from PyQt5.QtCore import QBuffer, QIODevice
from PyQt5.QtWidgets import QWidget

from core.errors import OutOfMemoryError
from core.utils.logger import setup_logging
from core.utils.path_manager import HOME_VARIABLE, PathManager
from gui.app import make_application, make_stage
from gui.explain.explain import ExplainState
from gui.explain.map_drawing import RAMP_GROUND
from gui.help.problem_dialog import ProblemDialog
from gui.shell.main_window import MainWindow
from gui.theme.palette import tokens
from gui.workers.local_engine import LocalEngine
from gui.workers.process_engine import ProcessEngine
from scripts.walk import Wait, Walk
from xai.overlay import colour_ramp

SIZE = (1280, 800)
CLASSES = ("MEL", "NV", "BCC", "VASC")
SETTLE_MS = 600
"""Time for thumbnails and layout to settle before a picture is taken."""

COLOURS = 256
SHADES = 24
"""Of them for the colour bar of the maps, whose ends must keep their hue."""

GLANCE_MS = 150
"""Before the page of the first start names this computer: that is nobody's business."""

DIALOG_MS = 2500
"""Time for a dialog to look at files and to show what it has found."""


class Photographer:
    """Walks through the window once, as somebody does who uses it for the first time."""

    def __init__(self, window: MainWindow, output: Path, each: int) -> None:
        self._window, self._output, self._each = window, output, each
        self._session = window.session

    def scenes(self) -> Iterator[Wait]:
        """Lead through everything that the user guide shows."""
        session = self._session
        yield lambda: session.catalog.catalog is not None and session.engine.info is not None
        yield SETTLE_MS
        yield from self._welcome()
        yield from self._make_images()
        yield from self._explain()
        yield from self._sort_and_compare()
        yield from self._dark()
        yield from self._dialogs()

    def _welcome(self) -> Iterator[Wait]:
        self._window.desk.show_models()
        yield GLANCE_MS
        yield from self._take_dialog("models", self._window.desk.dialog("models"))
        self._window.help.start_tour()
        yield SETTLE_MS
        self._take("tour")
        if self._window.help.tour:
            self._window.help.tour.end()
        yield SETTLE_MS

    def _make_images(self) -> Iterator[Wait]:
        session, run = self._session, self._session.run
        session.classes.check_all(False)
        for code in CLASSES:
            session.classes.set_checked(code, True)
            session.classes.set_count(code, self._each)
        self._window.setup.advanced.set_open(True)
        yield DIALOG_MS
        self._take("classes", self._window.docks[0])
        self._window.setup.advanced.set_open(False)
        session.start()
        yield lambda: run.done == run.total - 1 and run.step is not None and run.step.step * 3 >= run.step.steps * 2
        self._take("window-denoising")
        yield lambda: not run.busy
        yield SETTLE_MS
        self._take("window-image")

    def _explain(self) -> Iterator[Wait]:
        session = self._session
        session.settings.set("xai.enabled", True)
        for item in session.gallery.items():
            session.show_image(Path(item.path))
            yield SETTLE_MS
            yield self._explained
            if all(shown.entry.explanation.gate.level == "green" for shown in session.explain.shown):
                break
        yield SETTLE_MS
        self._take("window")
        session.choose_methods(("ig", "occlusion"))
        yield SETTLE_MS
        yield self._explained
        yield SETTLE_MS
        self._take("window-explain")
        session.choose_methods(("ig",))

    def _explained(self) -> bool:
        return self._session.explain.state is ExplainState.READY and not self._session.explain.waiting

    def _sort_and_compare(self) -> Iterator[Wait]:
        session = self._session
        items = session.gallery.items()
        for row, stars in ((0, 5), (1, 4), (2, 2)):
            session.gallery.ratings.rate([items[row].key], stars)
        session.collection.compare.compare_files(Path(items[0].path), Path(items[1].path))
        yield SETTLE_MS
        self._take("window-compare")

    def _dark(self) -> Iterator[Wait]:
        self._session.settings.set("ui.theme", "dark")
        self._window.picture.tabs.setCurrentIndex(2)
        yield SETTLE_MS
        self._take("window-dark")
        self._session.settings.set("ui.theme", "light")
        yield SETTLE_MS

    def _dialogs(self) -> Iterator[Wait]:
        desk, aid = self._window.desk, self._window.help
        for name in ("export", "settings", "analysis", "evaluation", "training"):
            getattr(desk, f"show_{name}")()
            yield DIALOG_MS
            yield from self._take_dialog(name, desk.dialog(name))
        aid.show_keys()
        yield SETTLE_MS
        yield from self._take_dialog("shortcuts", aid.dialog("keys"))
        aid.show_palette()
        yield SETTLE_MS
        yield from self._take_dialog("palette", aid.dialog("palette"))
        aid.show_glossary()
        yield SETTLE_MS
        yield from self._take_dialog("glossary", aid.dialog("glossary"))
        remedy = "Make fewer images at once, or compute on the processor."
        self._session.report(OutOfMemoryError("The graphics card has too little free memory.", remedy=remedy))
        yield SETTLE_MS
        yield from self._take_dialog("problem", self._window.findChild(ProblemDialog))

    def _take_dialog(self, name: str, dialog: QWidget | None) -> Iterator[Wait]:
        assert dialog, name
        self._take(name, dialog)
        dialog.close()
        yield SETTLE_MS

    def _take(self, name: str, widget: QWidget | None = None) -> None:
        save_light(widget or self._window, self._output / f"{name}.png")


def save_light(widget: QWidget, target: Path) -> None:
    """Write a picture of a widget with 256 colours."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    widget.grab().save(buffer, "PNG")
    with Image.open(BytesIO(bytes(buffer.data()))) as picture:
        whole = picture.convert("RGB")
    with_few_colours(whole).save(target, optimize=True)


def with_few_colours(picture: Image.Image) -> Image.Image:
    """Return a picture with 256 colours; those of the theme stay exactly as they are."""
    own = sorted({value for value in asdict(tokens()).values() if value.startswith("#")})
    theme = [[int(value[i : i + 2], 16) for i in (1, 3, 5)] for value in own]
    fixed = [*theme, *colour_ramp("signed", SHADES, RAMP_GROUND).tolist()]  # a colour bar is small, but is read
    free = picture.quantize(COLOURS - len(fixed)).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([*chain.from_iterable(fixed), *free[: 3 * (COLOURS - len(fixed))]])
    light = picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    pixels, places = np.asarray(picture), np.array(light)
    for place, colour in enumerate(theme):
        places[(pixels == colour).all(axis=-1)] = place  # Pillow takes a near colour for the nearest
    exact = Image.fromarray(places)
    exact.putpalette(light.getpalette() or [])
    return exact


def main() -> int:
    """Take the pictures and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("docs/images"), help="folder for the pictures")
    parser.add_argument("--each", type=int, default=2, help="images of each class [default: 2]")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.gettempdir()) / "researcher"  # it can be read in some of the pictures
    home.mkdir()
    try:
        return _photograph(home, options.output, options.each)
    finally:
        shutil.rmtree(home)


def _photograph(home: Path, output: Path, each: int) -> int:
    _move_home(home)
    app = make_application(sys.argv[:1])
    logs = setup_logging(console=False)
    window = make_stage(app, ProcessEngine(LocalEngine), PathManager(), logs.ring).window
    window.session.settings.set("ui.theme", "light")
    window.session.settings.set("ui.language", "en")
    window.resize(*SIZE)
    trouble: list[str] = []
    walk = Walk(Photographer(window, output, each).scenes())
    walk.ended.connect(trouble.append)
    walk.ended.connect(lambda _: window.close())
    window.show()
    app.exec()
    sys.stderr.write("".join(trouble))
    return 1 if any(trouble) else 0


def _move_home(home: Path) -> None:
    """Let the window believe it is started for the first time by somebody whose home is empty."""
    for name in (HOME_VARIABLE, "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"):
        os.environ.pop(name, None)
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(home)


if __name__ == "__main__":
    sys.exit(main())
