"""A Google Drive of our own: its hosts, its redirections, its pages and its quota, on this computer.

It is reached as Google is from behind an office's network: through a proxy (`HTTPS_PROXY`), with certificates of an
authority that this computer is told to trust (`REQUESTS_CA_BUNDLE`). So what is tested is gdown itself, untouched.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import trustme

from tests.support.file_server import FileServer

HOSTS = ("drive.google.com", "drive.usercontent.google.com", "docs.google.com", "accounts.google.com")

WARNING = """<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
<div class="uc-main"><p class="uc-warning-caption">Google Drive can't scan this file for viruses.</p>
<p class="uc-warning-subcaption"><span class="uc-name-size"><a href="/open?id={id}">models_checkpoints.zip</a> (709M)
</span> is too large for Google to scan for viruses. Would you still like to download this file?</p>
<form id="download-form" action="https://drive.usercontent.google.com/download" method="get">
<input type="submit" id="uc-download-link" value="Download anyway"/><input type="hidden" name="id" value="{id}">
<input type="hidden" name="export" value="download"><input type="hidden" name="confirm" value="t">
<input type="hidden" name="uuid" value="1b6a63e1"></form></div></body></html>""".replace(
    "\n", " "
)  # as Google: one line

QUOTA = """<!DOCTYPE html><html><head><title>Google Drive - Quota exceeded</title></head><body>
<p class="uc-error-caption">Sorry, you can&#39;t view or download this file at this time.</p>
<p class="uc-error-subcaption">Too many users have viewed or downloaded this file recently. Please try accessing
the file again later.</p></body></html>""".replace("\n", " ")

SIGN_IN = """<!doctype html><html lang="en"><head><title>Google Drive: Sign-in</title></head>
<body><form><input type="email" name="identifier"></form></body></html>"""

GONE = """<!DOCTYPE html><html><head><title>Google Drive - Page Not Found</title></head>
<body><p class="errorMessage">Sorry, the file you have requested does not exist.</p></body></html>"""


@dataclass
class GoogleDrive:
    """What it answers.

    Attributes
    ----------
    mood
        `warning`: the confirmation page, then the file; `direct`: the file; `quota`: the quota page at once;
        `quota_later`: after the confirmation; `sign_in`, `gone`: those pages; `endless`: confirmation for ever;
        `strange`: a page that nobody knows.
    """

    file: FileServer
    mood: str = "warning"
    asked: list[str] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler, host: str) -> None:
        url = urlsplit(request.path)
        self.asked.append(f"{host}{request.path}")
        confirmed = parse_qs(url.query).get("confirm") == ["t"]
        if host == "accounts.google.com":
            _page(request, SIGN_IN)
        elif self.mood == "sign_in":
            _redirect(request, "https://accounts.google.com/v3/signin/identifier?continue=drive")
        elif host == "drive.google.com" and url.path == "/uc" and self.mood != "gone":
            _redirect(request, f"https://drive.usercontent.google.com/download?{url.query}")
        elif self.mood == "direct" or (confirmed and self.mood == "warning"):
            self.file.disposition = 'attachment; filename="models_checkpoints.zip"'
            self.file.answer(request)
        elif self.mood == "quota" or (confirmed and self.mood == "quota_later"):
            _page(request, QUOTA)
        elif self.mood == "gone":
            _page(request, GONE, 404)
        elif self.mood == "strange":
            _page(request, "<html><head><title>Something new</title></head></html>")
        else:
            _page(request, WARNING.format(id=parse_qs(url.query).get("id", [""])[0]))


def _page(request: BaseHTTPRequestHandler, text: str, status: int = 200) -> None:
    data = text.encode()
    request.send_response(status)
    request.send_header("Content-Type", "text/html; charset=utf-8")
    request.send_header("Content-Length", str(len(data)))
    request.end_headers()
    request.wfile.write(data)


def _redirect(request: BaseHTTPRequestHandler, to: str) -> None:
    request.send_response(303)
    request.send_header("Location", to)
    request.send_header("Content-Type", "text/html")
    request.send_header("Content-Length", "0")
    request.end_headers()


@contextmanager
def serving_drive(drive: GoogleDrive, folder: Path) -> Iterator[dict[str, str]]:
    """Yield the environment variables under which Google's addresses lead here; certificates go into `folder`."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    bundle = folder / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        host = ""

        def do_CONNECT(self):
            self.host = self.path.partition(":")[0]
            self.send_response(200)
            self.end_headers()
            try:
                self.connection = context.wrap_socket(self.connection, server_side=True)
            except (ssl.SSLError, ConnectionError):
                self.close_connection = True
                return
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
            self.close_connection = False

        def do_GET(self):
            try:
                drive.answer(self, self.host)
            except (ConnectionError, ssl.SSLError):
                pass  # who asked has gone
            finally:
                self.close_connection = True
                drop(self.connection)

        def log_message(self, *arguments):
            pass

    def drop(connection: ssl.SSLSocket) -> None:
        try:
            connection.unwrap().close()
        except (OSError, ValueError):
            connection.close()

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{listener.server_port}"
    try:
        yield {"HTTPS_PROXY": address, "https_proxy": address, "REQUESTS_CA_BUNDLE": str(bundle), "NO_PROXY": "",
               "no_proxy": ""}  # fmt: skip
    finally:
        drive.file.closing.set()
        listener.shutdown()
        thread.join()
        listener.server_close()
