"""A report as HTML: a self-contained page that loads nothing from anywhere, and rich text for the window.

Both are templates that escape every value; jinja2 is loaded with the first of them.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from core.home import without_home
from core.utils import palette
from reports.model import LEVELS, Report, blocks_of, spans

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER: Final = Path(__file__).with_name("templates")
_DATA: Final = "data:image/png;base64,"


def render_html(report: Report) -> str:
    """Return the report as a page for browsers."""
    return _environment().get_template("page.html").render(report=report)


def render_rich_text(report: Report, colours: Mapping[str, str]) -> str:
    """Return the report in the subset of HTML that Qt's text browser understands.

    Parameters
    ----------
    colours
        Of the window's theme: ``muted`` and each level.
    """
    return _environment().get_template("window.html").render(report=report, colours=colours)


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        autoescape=True,
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_nameless,
    )
    made.filters |= {
        "spans": spans, "kind": _kind, "authored": blocks_of, "data_url": _data_url, "relative": _relative,
        "refuse": _refuse,
    }  # fmt: skip
    made.globals |= {"palette": vars(palette), "levels": LEVELS}
    return made


def _nameless(value: object) -> object:
    """Return a text without anybody's home folder; HTML that is finished, and pictures, stay as they are."""
    if not isinstance(value, str) or hasattr(value, "__html__") or value.startswith(_DATA):
        return value
    return without_home(value)


def _refuse(block: object) -> str:
    raise TypeError(f"This template shows no {_kind(block)}.")


def _kind(block: object) -> str:
    return type(block).__name__


def _data_url(image: bytes | str) -> str:
    """Return a picture as an address that holds the whole of it; nothing is loaded from elsewhere."""
    if isinstance(image, str):
        raise TypeError(f"A page holds its pictures: {image} is only the name of one.")
    return f"{_DATA}{base64.b64encode(image).decode('ascii')}"


def _relative(path: str) -> str:
    """Return a path as an address below the page's own, whatever is in its name."""
    return quote(path.lstrip("/"), safe="/")
