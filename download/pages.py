"""A web page has arrived where a file should: which one is it, and what can be done about it?

What Google's pages say is matched in English, in which they are asked for; a page that is not known is quoted by title.
"""

from __future__ import annotations

import html
import re
from typing import Final
from urllib.parse import urlsplit

from core.errors import DownloadError, DownloadQuotaError, DownloadSignInError
from core.message import Message
from download.source import Source

_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HTML: Final = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|\?xml)", re.IGNORECASE)

_QUOTA: Final = (
    "quota exceeded",
    "too many users have viewed or downloaded",
    "can't view or download this file at this time",
    "download quota",
)
_ROBOT: Final = ("automated queries", "unusual traffic")
_GONE: Final = ("requested does not exist", "file not found", "error 404", "<title>404")
_CLOSED: Final = ("you need access", "you need permission", "request access", "servicelogin", "permission denied")
_LOGIN: Final = ("sign in", "log in", "login", "captive portal", 'type="password"')
_VIRUS: Final = ("virus scan warning", "scan this file for viruses", "too large for google to scan")
_SIGN_IN_HOSTS: Final = ("accounts.google.com", "accounts.youtube.com")


def begins_like_html(head: bytes) -> bool:
    """Whether these first bytes are those of a web page."""
    return _HTML.match(head) is not None


def page_error(text: str, source: Source, *, landed: str = "", status: int = 200) -> DownloadError:
    """Return the error that says what a page means.

    Parameters
    ----------
    text
        The page, or what was said of it.
    landed
        The address that it came from after all redirections.
    status
        The server's status code.
    """
    plain = html.unescape(text).replace("\u2019", "'").lower()
    if _any(plain, _QUOTA):
        return _quota(source)
    if _any(plain, _ROBOT) or status == 429:
        return _robot(source)
    if urlsplit(landed).hostname in _SIGN_IN_HOSTS or status in (401, 403) or _any(plain, _CLOSED):
        return _closed(source)
    if status in (404, 410) or _any(plain, _GONE):
        return _gone(source)
    if _any(plain, _VIRUS):
        return _unconfirmed(source)
    return _login(source, landed) if _any(plain, _LOGIN) else _unknown(source, text, status)


def by_hand(source: Source) -> Message:
    """Return the way that is always open: a browser, and the import of what it saves."""
    return Message(
        "Open {address} in a browser, save the file, and import it: python main.py models download --from-file "
        "FILE.zip, or 'Import a folder or zip' in the window.",
        address=source.address,
    )


def _any(text: str, signs: tuple[str, ...]) -> bool:
    return any(sign in text for sign in signs)


def _quota(source: Source) -> DownloadError:
    return DownloadQuotaError(
        Message("Google Drive download quota exceeded: too many people have downloaded this file."),
        remedy=Message(
            "Wait up to 24 hours and start again; what has arrived is kept. Signed in to Google, a browser is often "
            "allowed already. {by_hand}",
            by_hand=by_hand(source),
        ),
    )


def _robot(source: Source) -> DownloadError:
    return DownloadError(
        Message("The server took the requests of this computer for automated ones and asks to wait."),
        remedy=Message("Wait an hour and start again; what has arrived is kept. {by_hand}", by_hand=by_hand(source)),
    )


def _closed(source: Source) -> DownloadError:
    return DownloadSignInError(
        Message("The file is not public: the server asks for a sign-in."),
        remedy=Message("Its owner may have withdrawn it. {by_hand}", by_hand=by_hand(source)),
    )


def _gone(source: Source) -> DownloadError:
    return DownloadError(
        Message("The file is no longer at {address}.", address=source.address),
        remedy=Message(
            "Ask whoever gave you the address, or import a copy that you have (--from-file FILE.zip or FOLDER). "
            "The starter models work meanwhile."
        ),
    )


def _unconfirmed(source: Source) -> DownloadError:
    return DownloadError(
        Message("Google Drive did not accept the virus-scan confirmation."),
        remedy=by_hand(source),
    )


def _login(source: Source, landed: str) -> DownloadError:
    return DownloadSignInError(
        Message(
            "The network answered with a sign-in page ({host}) instead of the file, as in hotels and offices.",
            host=urlsplit(landed or source.address).hostname or landed,
        ),
        remedy=Message(
            "Open any web page in a browser, sign in to the network, and start again. {by_hand}",
            by_hand=by_hand(source),
        ),
    )


def _unknown(source: Source, text: str, status: int) -> DownloadError:
    found = _TITLE.search(text)
    title = " ".join(html.unescape(found[1]).split())[:80] if found else ""
    return DownloadError(
        Message(
            "A web page has arrived instead of the file: '{title}' (status {status}).",
            title=title or Message("without a title"),
            status=status,
        ),
        remedy=by_hand(source),
    )
