"""Starts the server: on this computer alone unless a host is given, and then only with a password."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.errors import UsageError
from core.message import Message

LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
USER: Final = "isicgui"
PASSWORD_VARIABLE: Final = "ISICGUI_WEB_PASSWORD"
LEAST_PASSWORD: Final = 8


@dataclass(frozen=True, slots=True)
class Address:
    """Where the page is served, and who may see it.

    Attributes
    ----------
    password
        Asked for together with the name `USER`; "" for nobody.
    share
        Whether a public address is opened through Gradio's servers.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    password: str = ""
    share: bool = False

    def __post_init__(self) -> None:
        is_open = self.share or self.host not in LOCAL
        if is_open and not self.password:
            raise UsageError(
                Message("Without a password the page is served to this computer alone."),
                remedy=Message("Set the environment variable {name} to a password.", name=PASSWORD_VARIABLE),
            )
        if self.password and len(self.password) < LEAST_PASSWORD:
            raise UsageError(
                Message("The password has fewer than {least} characters.", least=LEAST_PASSWORD),
                remedy=Message("Choose a longer one."),
            )


def serve(models: Path, address: Address, tell: Callable[[str], None], until: threading.Event) -> None:
    """Serve the page until an event is set; what visitors uploaded and generated is deleted at the end.

    Raises
    ------
    UsageError
        If Gradio is not installed, or the port is taken.
    """
    with tempfile.TemporaryDirectory(prefix="isicgui-web-", ignore_cleanup_errors=True) as root:
        os.environ["GRADIO_TEMP_DIR"] = str(Path(root) / "shown")
        os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
        _serve(Path(root), models, address, tell, until)


def _serve(root: Path, models: Path, address: Address, tell: Callable[[str], None], until: threading.Event) -> None:
    from web.door import build_router, guard_of
    from web.page import build_page
    from web.studio import MOST_UPLOAD, Studio

    studio = Studio(root / "visitors", models)
    page, words = build_page(studio)
    try:
        app, local, public = page.launch(
            server_name=address.host, server_port=address.port, share=address.share, quiet=True,
            auth=(USER, address.password) if address.password else None, max_file_size=MOST_UPLOAD,
            prevent_thread_lock=True, inbrowser=False, i18n=words, footer_links=[],
        )  # fmt: skip
        router = build_router(studio, guard_of(USER, address.password) if address.password else None)
        app.router.routes[:0] = router.routes  # before Gradio's own, which answer everything
        tell(f"The page is at {public or local}; scripts find their door at {local.rstrip('/')}/api/docs.")
        until.wait()
    except OSError as error:
        raise UsageError(
            Message("The page cannot be served at {host}:{port}: {error}.", host=address.host, port=address.port,
                    error=str(error).rstrip(".")),
            remedy=Message("Choose another --port."),
        ) from error  # fmt: skip
    finally:
        page.close(verbose=False)
        studio.close()
