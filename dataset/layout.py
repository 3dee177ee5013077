"""Where things lie in an output folder, and how image files are named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.files.walking import EXPLANATIONS_DIR

CSV_NAME: Final = "synthetic_dataset.csv"
STATE_DIR: Final = ".isicgui"
TRAJECTORIES_DIR: Final = "trajectories"

MAX_STARS: Final = 5

MAX_NUMBER: Final = 999_999_999_999
"""Of an image: what is read back as one has seven to twelve digits."""

_IMAGE_NAME: Final = re.compile(r"ISIC_(\d{7,12})(?:\.jpe?g)?\.png", re.IGNORECASE)
_NUMBERED_NAME: Final = re.compile(r"ISIC_(\d{7,12})\.", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths inside one output folder."""

    folder: Path

    @property
    def table(self) -> Path:
        """`synthetic_dataset.csv`."""
        return self.folder / CSV_NAME

    @property
    def state(self) -> Path:
        """The program's own folder."""
        return self.folder / STATE_DIR

    @property
    def journal(self) -> Path:
        """The append-only journal."""
        return self.state / "journal.jsonl"

    @property
    def temporary(self) -> Path:
        """All temporary files; removed at open and at the end of a run."""
        return self.state / "tmp"

    @property
    def ratings(self) -> Path:
        """What a person thinks of the images."""
        return self.state / "ratings.jsonl"

    @property
    def trash(self) -> Path:
        """What was deleted: a folder for each deletion, built like an output folder."""
        return self.state / "trash"

    def trashed(self, trash_id: str) -> Layout:
        """Return the paths inside the folder of a deletion."""
        return Layout(self.trash / trash_id)

    def image(self, key: tuple[str, str]) -> Path:
        """Return the file of an image, given its class and file name."""
        return self.folder.joinpath(*key)

    def class_dir(self, class_code: str) -> Path:
        """Return the folder of a class's images."""
        return self.folder / class_code

    @property
    def trajectories(self) -> Path:
        """The denoising trajectories, a folder for each class."""
        return self.folder / TRAJECTORIES_DIR

    @property
    def explanations(self) -> Path:
        """What explains the images."""
        return self.folder / EXPLANATIONS_DIR

    def trajectory(self, class_code: str, stem: str) -> Path:
        """Return the file with the denoising trajectory of an image."""
        return self.trajectories / class_code / f"{stem}.npz"


def image_number(file_name: str) -> int | None:
    """Return the number of an image file, or None if it is not named as one (``.jpg.png`` of old versions is)."""
    match = _IMAGE_NAME.fullmatch(file_name)
    return int(match[1]) if match else None


def taken_number(file_name: str) -> int | None:
    """Return the number that a file of any kind occupies (image, sidecar, picture put there by hand), or None."""
    match = _NUMBERED_NAME.match(file_name)
    return int(match[1]) if match else None
