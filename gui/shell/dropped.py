"""What somebody has dropped on the window: a file to look at, or why there is nothing to be shown."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QMimeData, QUrl

from core.message import Message

__all__ = ["is_welcome", "take"]


def is_welcome(data: QMimeData) -> bool:
    """Whether a drop is worth an answer: everything but text, which belongs into fields."""
    return data.hasUrls() or data.hasImage()


def take(data: QMimeData) -> Path | Message:
    """Return the first file among what was dropped, or in words why none can be shown."""
    places = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    if file := next((place for place in places if place.is_file()), None):
        return file
    if folder := next((place for place in places if place.is_dir()), None):
        return Message(
            "“{name}” is a folder: drop a single image to look at it. Folders of generated images are chosen as "
            "output, folders of photographs in “Train…” and “Evaluate…”.",
            name=folder.name,
        )
    if places:
        return Message("“{name}” is not there any more, or is no ordinary file.", name=places[0].name)
    return Message(
        "{what} is not fetched from the web: save it as a file, and drop that file here.",
        what=_short(next(iter(data.urls()), None)),
    )


def _short(url: QUrl | None) -> str:
    """Return the name of a picture in the web, or what stands for one that has none."""
    name = url.fileName() if url and url.scheme() in ("http", "https") else ""
    return f"“{name}”" if name else Message("A picture of a web page")
