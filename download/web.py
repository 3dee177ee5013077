"""One attempt to fetch a file from any other address, continuing where an earlier one broke off.

Of Google Drive, gdown knows the confirmation pages, links and ranges.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import gdown
import requests

from core.errors import DownloadError
from core.jobs.stream import JobStopped
from core.message import Message
from core.utils.field_types import read_whole_number
from download.pages import begins_like_html, page_error
from download.partial import Attempt, Interrupted, RestartNeeded, Seen
from download.request import Restarting
from download.source import DriveSource, WebSource, refuse_unprotected

PIECE: Final = 32 * 1024
"""Bytes; an incomplete piece is lost when the connection breaks, so it is small."""
_PAGE: Final = 65536
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_UNSATISFIED: Final = re.compile(r"bytes \*/(\d+)")
_BUSY: Final = frozenset({408, 425, 429})


def fetch_web(source: WebSource, attempt: Attempt) -> Path:
    """Bring the rest of a file and return where all of it is.

    Raises
    ------
    Interrupted, RestartNeeded, JobStopped
        See there.
    DownloadError
        If the server refuses, or answers with a web page.
    UsageError
        If it sends the download on to an address without protection.
    """
    partial = attempt.partial
    part, seen = partial.part, partial.seen()
    try:
        with _ask(source, attempt, partial.received, seen) as response:
            refuse_unprotected(response.url, source.sha256)
            offset = _continues_at(source, response, partial.received, seen)
            if offset is None:
                return partial.complete(part)
            now = _seen(response, offset)
            if offset == 0:
                if partial.received:
                    attempt.report(Restarting(Message("The server sends the file from its beginning again.")))
                partial.remember(now)
            _receive(source, response, attempt, part, offset, now.total)
    except requests.RequestException as error:
        raise Interrupted(reason(error)) from error
    return partial.complete(part)


def reason(error: requests.RequestException) -> Message:
    """Return what broke, in words that follow "because"."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return Message("the server answers with status {status}", status=error.response.status_code)
    if isinstance(error, requests.Timeout) or _is_caused_by(error, TimeoutError):
        return Message("the server stopped responding")
    if _is_caused_by(error, socket.gaierror):
        return Message("the server's name is not known here, as without a network")
    if isinstance(error, requests.exceptions.SSLError):
        return Message("the server's certificate is not trusted here, as behind some office networks")
    if isinstance(error, requests.exceptions.ProxyError):
        return Message("the proxy of this network does not let the connection through")
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return Message("the connection was cut")
    return Message("the connection failed")


def _is_caused_by(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether such an error is among the causes; urllib3 wraps them in its own, by argument or by attribute."""
    inner = [error.__cause__, error.__context__, getattr(error, "reason", None), *error.args]
    return isinstance(error, kind) or any(_is_caused_by(e, kind) for e in inner if isinstance(e, BaseException))


def _ask(source: WebSource, attempt: Attempt, offset: int, seen: Seen) -> requests.Response:
    headers = {"Accept-Encoding": "identity", "Accept-Language": "en"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
        if seen.validator:
            headers["If-Range"] = seen.validator
    timeout = (attempt.patience.connect, attempt.patience.silence)
    return requests.get(source.url, headers=headers, timeout=timeout, stream=True)


def _continues_at(source: WebSource, response: requests.Response, offset: int, seen: Seen) -> int | None:
    """Return the byte that the answer begins with: `offset`, 0 if it is the whole file, None if nothing is missing."""
    status = response.status_code
    if status == requests.codes.requested_range_not_satisfiable and offset:
        found = _UNSATISFIED.fullmatch(response.headers.get("Content-Range", ""))
        if found and int(found[1]) == offset == seen.total:
            return None
        raise RestartNeeded(Message("The file on the server has changed, or is shorter than what has arrived of it."))
    if status in _BUSY or status >= 500:
        raise Interrupted(Message("the server answers with status {status}", status=status))
    if status not in (requests.codes.ok, requests.codes.partial_content) or _is_page(response):
        raise page_error(_beginning(response), source, landed=response.url, status=status)
    if status == requests.codes.ok:
        return 0
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if not offset or found is None or int(found[1]) != offset or found[3] not in ("*", str(seen.total or found[3])):
        raise RestartNeeded(Message("The server does not continue the file where it broke off."))
    return offset


def _is_page(response: requests.Response) -> bool:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"


def _beginning(response: requests.Response) -> str:
    return next(response.iter_content(_PAGE), b"").decode("utf-8", errors="replace")


def _seen(response: requests.Response, offset: int) -> Seen:
    headers = response.headers
    packed = headers.get("Content-Encoding", "identity").lower() not in ("", "identity")
    length = None if packed else read_whole_number(headers.get("Content-Length", ""))
    total = None if length is None else offset + length
    return Seen(total, headers.get("ETag"), headers.get("Last-Modified"))


def _receive(
    source: WebSource, response: requests.Response, attempt: Attempt, part: Path, offset: int, total: int | None
) -> None:
    received = offset
    attempt.check()
    with part.open("ab" if offset else "wb") as stream:
        for piece in response.iter_content(PIECE):
            attempt.check()
            if received == 0 and begins_like_html(piece):
                raise page_error(piece.decode("utf-8", errors="replace"), source, landed=response.url)
            received += stream.write(piece)
            attempt.progress(received, total)
        stream.flush()
        os.fsync(stream.fileno())
    if total is not None and received != total:
        raise Interrupted(Message("the connection was cut"))


_NOT_UNDERSTOOD: Final = (LookupError, AssertionError, ValueError, AttributeError)
"""What gdown meets in a page whose form it does not know: it looks into the page without asking what it is."""

_NO_RANGE: Final = "byte range"
"""In the text, and only there, of gdown's error for a server that does not continue a file."""


def fetch_drive(source: DriveSource, attempt: Attempt) -> Path:
    """Bring the rest of a file from Google Drive and return where all of it is.

    Raises
    ------
    Interrupted, RestartNeeded, JobStopped
        See there.
    DownloadError
        If Google answers with something else than the file.
    """
    patience = attempt.patience
    try:
        gdown.download(
            id=source.file_id,
            output=str(attempt.partial.archive),
            quiet=True,
            resume=True,
            use_cookies=False,
            timeout=(patience.connect, patience.silence),
            progress=_watch(attempt),
            cancel=attempt.stop,
        )
    except gdown.DownloadCancelled as error:
        raise JobStopped from error
    except gdown.FileURLRetrievalError as error:
        raise _refusal(source, str(error), attempt) from error
    except gdown.DownloadError as error:
        raise _broken(error) from error
    except requests.HTTPError as error:
        raise _status(source, error) from error
    except requests.RequestException as error:
        raise Interrupted(reason(error)) from error
    except _NOT_UNDERSTOOD as error:
        raise _refusal(source, "", attempt) from error
    return attempt.partial.archive


def _watch(attempt: Attempt) -> Callable[[int, int | None], None]:
    """Return what gdown calls after every piece; whatever it raises ends the download."""
    before = attempt.partial.seen().total

    def watch(received: int, total: int | None) -> None:
        nonlocal before
        attempt.check()
        if before is not None and total is not None and total != before:
            raise RestartNeeded(Message("The file on the server has changed since its first part arrived."))
        if before is None and total is not None:
            attempt.partial.remember(Seen(total=total))
            before = total
        attempt.progress(received, total)

    return watch


def _broken(error: gdown.DownloadError) -> Exception:
    if _NO_RANGE in str(error):
        return RestartNeeded(Message("Google does not continue this file where it broke off."))
    return Interrupted(Message("the connection was cut"))


def _status(source: DriveSource, error: requests.HTTPError) -> Exception:
    response = error.response
    if response is None or response.status_code >= 500:
        return Interrupted(reason(error))
    return page_error(_text(response), source, landed=response.url, status=response.status_code)


def _text(response: requests.Response) -> str:
    # gdown reads as a stream and has closed it; what was not read by then is gone
    return response.text if response.raw is not None and not response.raw.closed else ""


def _refusal(source: DriveSource, said: str, attempt: Attempt) -> DownloadError:
    """Return what Google's page means: gdown quotes its error text, but of most pages says only that it is unknown."""
    quoted = page_error(said, source)
    if type(quoted) is not DownloadError:
        return quoted
    try:
        page = requests.get(
            f"https://drive.google.com/uc?id={source.file_id}&export=download&hl=en",
            headers={"Accept-Language": "en", "Range": "bytes=0-65535"},
            timeout=(attempt.patience.connect, attempt.patience.silence),
            stream=True,
        )
    except requests.RequestException:
        return quoted
    with page:
        text = next(page.iter_content(65536), b"").decode("utf-8", errors="replace")
        return page_error(text, source, landed=page.url, status=page.status_code)
