"""A web server on this computer that hands out one file: whole, in parts, slowly, cut off, exchanged, or not at all."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 64 * 1024


@dataclass
class FileServer:
    """What it does; may be changed between two requests.

    Attributes
    ----------
    cuts
        After how many bytes the connections break, one after the other; then none does.
    obeys_range
        Whether it continues a file where it is asked to.
    announce
        Whether it says how long the file is.
    silent_after
        From which byte on it says nothing any more, without closing.
    pause
        Seconds between two pieces of 64 KiB.
    statuses
        Status codes of the next answers, instead of the file.
    page
        A web page that it sends instead of the file, with the content type `kind`.
    asked
        The `Range` of every request so far (None: none), and `ranges_if` their `If-Range`.
    """

    data: bytes
    etag: str | None = '"first"'
    kind: str = "application/zip"
    cuts: list[int] = field(default_factory=list)
    obeys_range: bool = True
    announce: bool = True
    silent_after: int | None = None
    pause: float = 0.0
    statuses: list[int] = field(default_factory=list)
    page: str | None = None
    send_on_to: str | None = None
    disposition: str | None = None
    asked: list[str | None] = field(default_factory=list)
    ranges_if: list[str | None] = field(default_factory=list)
    sent: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        self.ranges_if.append(request.headers.get("If-Range"))
        if self.send_on_to is not None:
            request.send_response(302)
            request.send_header("Location", self.send_on_to)
            request.end_headers()
        elif self.statuses:
            request.send_error(self.statuses.pop(0))
        elif self.page is not None:
            self._begin(request, 200, len(self.page.encode()))
            request.wfile.write(self.page.encode())
        else:
            self._send_file(request, self._start(request, wanted))

    def _start(self, request: BaseHTTPRequestHandler, wanted: str | None) -> int:
        found = re.fullmatch(r"bytes=(\d+)-", wanted or "")
        still_the_same = request.headers.get("If-Range") in (None, self.etag)
        return int(found[1]) if found and self.obeys_range and still_the_same else 0

    def _send_file(self, request: BaseHTTPRequestHandler, start: int) -> None:
        total = len(self.data)
        if start >= total > 0:
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{total}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        extra = {"Content-Range": f"bytes {start}-{total - 1}/{total}"} if start else {}
        self._begin(request, 206 if start else 200, total - start, extra)
        self._pour(request, start, self.cuts.pop(0) if self.cuts else None)

    def _begin(self, request: BaseHTTPRequestHandler, status: int, length: int, extra: dict[str, str] | None = None):
        request.send_response(status)
        request.send_header("Content-Type", self.kind)
        if self.etag is not None:
            request.send_header("ETag", self.etag)
        if self.disposition is not None:
            request.send_header("Content-Disposition", self.disposition)
        if self.announce:
            request.send_header("Content-Length", str(length))
        for name, value in (extra or {}).items():
            request.send_header(name, value)
        request.end_headers()

    def _pour(self, request: BaseHTTPRequestHandler, start: int, cut: int | None) -> None:
        stop = len(self.data) if cut is None else min(len(self.data), start + cut)
        for place in range(start, stop, PIECE):
            if self.silent_after is not None and place >= self.silent_after:
                self.closing.wait()
                return
            piece = self.data[place : min(place + PIECE, stop)]
            request.wfile.write(piece)
            self.sent += len(piece)
            if self.pause:
                time.sleep(self.pause)


@contextmanager
def serving_file(server: FileServer) -> Iterator[str]:
    """Yield the address of the file."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with suppress(ConnectionError):  # who asked has gone
                server.answer(self)

        def log_message(self, *arguments):
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.server_port}/models/checkpoints.zip"
    finally:
        server.closing.set()
        listener.shutdown()
        thread.join()
        listener.server_close()
