"""What the window's keys and its progress line say."""

from __future__ import annotations

from gui.i18n import tr
from gui.run.run import RunModel, summary


def view_words() -> dict[str, str]:
    """Return the four views of the picture, in their order."""
    return {
        "image": tr("Show the image"),
        "denoising": tr("Show the denoising steps"),
        "explain": tr("Show the explanation"),
        "compare": tr("Show the comparison"),
    }


def theme_words() -> dict[str, str]:
    """Return what the three choices of colours are called."""
    return {
        "light": tr("Light colours"),
        "dark": tr("Dark colours"),
        "system": tr("The colours of the desktop"),
    }


def rating_words() -> tuple[str, ...]:
    """Return what 0..5 stars are called."""
    return tr("No stars"), tr("One star"), tr("Two stars"), tr("Three stars"), tr("Four stars"), tr("Five stars")


def end_of(run: RunModel) -> str:
    """Return how the last run ended, in words."""
    if run.error:
        return tr("The run ended with an error.")
    return summary(run.last) if run.last else tr("Ready")
