"""One published file, fetched once, and never used unless its SHA-256 begins as published.

`torch.hub.download_url_to_file` does it: torch is required anyway, and it takes the eight digits that torchvision
publishes in its file names. pooch wants the whole SHA-256, which nobody publishes for these files.
"""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError

import torch

from core.errors import ModelMissingError, ModelRefusedError, ModelTruncatedError
from core.files.atomic import output_errors
from core.message import Message
from core.models.safe_weights import sha256_of

TIMEOUT: Final = 30.0
"""Seconds that the server may be silent."""

_NETWORK: Final = (URLError, HTTPException, TimeoutError, ConnectionError, socket.gaierror, ssl.SSLError)


def fetch(url: str, sha256: str, folder: Path, *, remedy: str, timeout: float = TIMEOUT) -> Path:
    """Return the file of that address in `folder`, downloaded unless it is there already.

    The file appears under its name complete and checked, or not at all.

    Parameters
    ----------
    sha256
        The first digits of its SHA-256, or all of them.
    folder
        Created if it is not there.
    remedy
        What to do if the file cannot be had.

    Raises
    ------
    ModelMissingError
        If the server cannot be reached or refuses.
    ModelTruncatedError
        If what arrives is not the published file.
    OutputError
        If it cannot be written.
    """
    target = folder / url.rpartition("/")[2]
    if target.is_file() and sha256_of(target).startswith(sha256):
        return target
    with output_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with _silence_limited(timeout):
                torch.hub.download_url_to_file(url, str(target), sha256, progress=sys.stderr.isatty())
        except _NETWORK as error:
            raise ModelMissingError(
                Message(
                    "{name} cannot be downloaded from {url}: {reason}.",
                    name=target.name,
                    url=url,
                    reason=_reason(error),
                ),
                remedy=remedy,
                path=target,
            ) from error
        except RuntimeError as error:  # torch's only word for a wrong checksum
            raise _wrong_content(target, url, sha256, remedy) from error
    return target


@contextmanager
def _silence_limited(seconds: float) -> Iterator[None]:
    # torch.hub has no timeout of its own, and urllib without one waits for ever for a server that says nothing.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: BaseException) -> str:
    if isinstance(error, HTTPError):
        return f"the server answers {error.code} {error.reason}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return "the server does not answer"
    if isinstance(cause, socket.gaierror):
        return "the server's name is not known here, as without a network"
    return f"the connection failed ({cause})"


def _wrong_content(target: Path, url: str, sha256: str, remedy: str) -> ModelRefusedError:
    return ModelTruncatedError(
        Message(
            "The download from {url} is not {name}: its SHA-256 does not begin with {sha256}. It "
            "was cut short, or a sign-in page answered instead. It was discarded.",
            url=url,
            name=target.name,
            sha256=sha256,
        ),
        remedy=Message("Try again. If that does not help: {remedy}", remedy=remedy),
        path=target,
    )
