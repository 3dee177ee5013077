"""What tests of the explanations in the window do again and again."""

from __future__ import annotations

from pathlib import Path

from dataset.png import encode_png
from gui.explain.explain import ExplainState
from gui.shell.main_window import MainWindow
from tests.gui.fake_engine import make_pixels, make_recipe

EXPLAIN = 2
"""Place of the explanations among the tabs of the picture."""


def make_image(folder: Path, name: str, seed: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(encode_png(make_pixels(seed), make_recipe("MEL", seed)))
    return path


def show(window: MainWindow, path: Path, qtbot) -> None:
    window.session.show_image(path)
    qtbot.waitUntil(lambda: window.session.picture.picture is not None and window.session.picture.picture.path == path)


def wait_ready(window: MainWindow, qtbot) -> None:
    qtbot.waitUntil(lambda: window.session.explain.state is ExplainState.READY)


def explain(window: MainWindow, image: Path, qtbot, *methods: str) -> None:
    window.session.settings.set("xai.enabled", True)
    window.session.choose_methods(methods or ("ig",))
    show(window, image, qtbot)
    qtbot.waitUntil(
        lambda: (
            window.session.explain.state is ExplainState.READY and window.session.explain.shown[-1].entry.image == image
        )
    )


def methods_shown(window: MainWindow) -> list[str]:
    return [shown.entry.explanation.method for shown in window.session.explain.shown]
