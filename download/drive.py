"""One attempt to fetch a file from Google Drive; gdown knows its confirmation pages, links and ranges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import gdown
import requests

from core.errors import DownloadError
from core.jobs.stream import JobStopped
from core.message import Message
from download.attempt import Attempt, Interrupted, RestartNeeded
from download.pages import page_error
from download.partial import Seen
from download.source import DriveSource
from download.web import reason

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
