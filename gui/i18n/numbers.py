"""Numbers, sizes, times and dates as the language of the window writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from PyQt5.QtCore import QDateTime, QLocale

from gui.i18n.language import local, tr

__all__ = ["duration", "gib_text", "local", "moment", "number", "percent", "size_text"]

MB: Final = 1e6
GIB: Final = 2**30


def number(value: float, decimals: int = 0) -> str:
    """Return a number with so many digits after the decimal sign, thousands not grouped."""
    locale = QLocale()
    locale.setNumberOptions(QLocale.NumberOption.OmitGroupSeparator)
    return locale.toString(float(value), "f", decimals)


def percent(share: float, decimals: int = 0) -> str:
    """Return a share, 0..1, in hundredths."""
    return tr("{number}%").format(number=number(100 * share, decimals))


def size_text(size: float) -> str:
    """Return a number of bytes as people say it: ``0.3 MB``, ``12 MB``, ``2.1 GB``."""
    if size >= 1000 * MB:
        return tr("{number} GB").format(number=number(size / (1000 * MB), 1))
    return tr("{number} MB").format(number=number(max(0.1, size / MB), 0 if size >= 10 * MB else 1))


def gib_text(size: int) -> str:
    """Return an amount of memory as it is sold: 16 GB are 16 * 2**30 bytes."""
    return tr("{number} GB").format(number=number(size / GIB, 1))


def duration(seconds: float) -> str:
    """Return a duration as people say it: ``38 s``, ``2 min 10 s``, ``1 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return tr("{seconds} s").format(seconds=whole)
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return tr("{minutes} min {seconds:02d} s").format(minutes=minutes, seconds=rest)
    if minutes < 60:
        return tr("{minutes} min").format(minutes=minutes)
    hours, minutes = divmod(minutes, 60)
    return tr("{hours} h {minutes:02d} min").format(hours=hours, minutes=minutes)


def moment(when: datetime) -> str:
    """Return a date with its time of day, to the second, in the machine's time zone."""
    return QLocale().toString(QDateTime(when.astimezone()), tr("yyyy-MM-dd HH:mm:ss"))
