"""`web`: the browser demo and its REST door."""

from __future__ import annotations

import os
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from cli.console import stop_on_signal
from cli.derive import FOLDER
from core.cancel import CancelToken
from core.errors import UsageError
from core.message import Message
from core.utils.path_manager import PathManager

SHARING: Final = (
    "--share opens a public address through Gradio's servers. Everybody who knows it and the password reaches the page "
    "on this computer, for up to 72 hours, and everything that is uploaded passes through a third party."
)


@click.command(short_help="Serve the browser demo and its REST door.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve at; others than this computer's "
              "own need a password in ISICGUI_WEB_PASSWORD.")  # fmt: skip
@click.option("--port", default=7860, show_default=True, type=click.IntRange(1, 65535), help="Port to serve at.")
@click.option("--models", type=FOLDER, default=None, help="Folder of model packs [default: the starter models].")
@click.option("--share", is_flag=True, help="Also open a public address; it is explained and asked about first.")
def web(host: str, port: int, models: Path | None, share: bool) -> int:
    """Serve a page with the same jobs as the window, for browsers; end it with Ctrl-C.

    It needs an optional extra: pip install -r requirements-web.txt. The page is for this computer alone unless --host
    says otherwise. Uploads and images are deleted an hour after their visitor last used the page.
    """
    if find_spec("gradio") is None:
        raise UsageError(
            Message("The page needs Gradio, which is not installed."),
            remedy=Message("Install it: {command}", command="python -m pip install -r requirements-web.txt"),
        )
    from web.serve import PASSWORD_VARIABLE, Address, serve

    address = Address(host, port, os.environ.get(PASSWORD_VARIABLE, ""), share)
    if share:
        click.echo(SHARING, err=True)
        click.confirm("Open it?", abort=True, err=True)
    until = threading.Event()
    with stop_on_signal() as cancel:
        watch = threading.Thread(target=_wait, args=(cancel, until), daemon=True)
        watch.start()
        serve(models or PathManager().default_models_dir, address, lambda text: click.echo(text, err=True), until)
    return 0


def _wait(cancel: CancelToken, until: threading.Event) -> None:
    while cancel.mode is None and not until.wait(0.1):
        pass
    until.set()
