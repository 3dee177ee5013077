"""What a download of models is asked for; nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from core.errors import UsageError
from core.jobs.options import option
from core.jobs.registry import Request, job
from core.message import Message
from core.utils.path_manager import PathManager
from download.source import ORIGINALS, DriveSource, Source, checked_sum, local_source, remote_source


@job("download.job:run_download")
@dataclass(frozen=True, slots=True)
class DownloadRequest(Request):
    """Models to be fetched or imported.

    Attributes
    ----------
    target
        The models folder that they go into.
    file, url
        A zip archive or folder on this computer, or the address of an archive; ISICGenerator's archive without both.
    sha256
        What the archive must have, in 64 hexadecimal digits; None if its first arrival is remembered.
    """

    command: ClassVar[tuple[str, ...]] = ("models", "download")

    target: Path = option(
        "--to", "Models folder to fill.", kind="folder", fallback=lambda: PathManager().checkpoints_dir,
        default_words="checkpoints", writes=True,
    )  # fmt: skip
    file: Path | None = option(
        "--from-file",
        "Import this archive or folder, without a download.",
        kind="path",
        metavar="ZIP|FOLDER",
        default=None,
    )
    url: str | None = option(
        "--url", "Address of another zip archive.", default=None, default_words="ISICGenerator's, on Google Drive"
    )
    sha256: str | None = option(
        "--sha256", "Expected SHA-256 [default: that of the first download].", metavar="SUM",
        default=None,
    )  # fmt: skip

    @property
    def source(self) -> Source:
        """Where they come from.

        Raises
        ------
        UsageError
            If two places are named, or what is named cannot be one.
        ModelMissingError
            If there is nothing at the place on this computer.
        """
        if self.file is not None and self.url is not None:
            raise UsageError(
                Message("The models can come from --from-file or from --url, not from both."),
                remedy=Message("Leave one out."),
            )
        if self.file is not None:
            return local_source(self.file, self.sha256)
        if self.url is not None:
            return remote_source(self.url, self.sha256)
        return DriveSource(ORIGINALS.file_id, checked_sum(self.sha256))
