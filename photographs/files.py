"""Which files of a folder are photographs: the one rule for every command, for training and for the window.

Photographs are regular files with the suffix of a kind that is read. Left out are hidden files (`._X.jpg` among them),
folders of pictures that are none (maps, trajectories, masks), and helper pictures beside the photographs that they
belong to, such as `X_superpixels.png` or `X_segmentation.png`. Links are followed, each folder and file is taken once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from core.files.walking import EXPLANATIONS_DIR, NAMED, PassedOver, Walk, walk
from core.message import Message, joined

PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp"})
KINDS_READ: Final = "PNG, JPEG, BMP, TIFF or WebP"

NOT_PHOTOGRAPHS: Final = frozenset({EXPLANATIONS_DIR, "trajectories", "masks", "__macosx"})
"""Folders of pictures that are none, in lower case; hidden folders are left out as well."""

UNREAD_KINDS: Final = {
    ".dcm": "DICOM", ".dicom": "DICOM", ".heic": "HEIC", ".heif": "HEIC", ".avif": "AVIF", ".gif": "GIF",
    ".jp2": "JPEG 2000", ".j2k": "JPEG 2000", ".jxl": "JPEG XL", ".psd": "PSD", ".svs": "SVS", ".nef": "raw",
    ".cr2": "raw", ".cr3": "raw", ".arw": "raw", ".dng": "raw", ".raw": "raw",
}  # fmt: skip
"""Kinds of pictures that are recognised and not read, by suffix."""

_CLOUD: Final = re.compile(r"\.(?P<name>.+)\.icloud", re.IGNORECASE)
_SURE: Final = re.compile(
    r"(?P<base>.+)[ _-](superpixels?|segmentations?|attribute_(globules|milia_like_cyst|negative_network|"
    r"pigment_network|streaks))",
    re.IGNORECASE,
)
_BESIDE: Final = re.compile(
    r"(?P<base>.+?)[ _-](superpixels?|segmentations?|segmented|segm?|masks?|experts?|novice|lesion|contour|gt|"
    r"ground[ _-]?truth|annotations?|labels?|overlay|roi|attribute_\w+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Pictures:
    """The photographs in a folder, and what was left out.

    Attributes
    ----------
    files
        The photographs, by folder and name.
    helpers
        Pictures that belong to a photograph and are none.
    in_the_cloud
        Placeholders of files that iCloud has not downloaded.
    unread
        Pictures of kinds that are not read; see `UNREAD_KINDS`.
    passed_over
        What has the name of a picture and is no file, and folders that cannot be read.
    """

    files: tuple[Path, ...]
    helpers: tuple[Path, ...] = ()
    in_the_cloud: tuple[Path, ...] = ()
    unread: tuple[Path, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    @property
    def notes(self) -> tuple[Message, ...]:
        """What a person should know, one sentence each."""
        return tuple(self._sentences())

    @property
    def remedy(self) -> Message:
        """What to do where no photograph was found."""
        wanted = Message("Name a folder of {kinds} files.", kinds=KINDS_READ)
        return joined([*self.notes[:1], wanted])

    def _sentences(self) -> Iterator[Message]:
        yield from Walk((), self.passed_over).notes
        if self.helpers:
            yield Message(
                "Helper pictures such as superpixels and masks are no photographs: %n left out ({names}).",
                n=len(self.helpers), names=named(self.helpers),
            )  # fmt: skip
        if self.in_the_cloud:
            yield Message(
                "Still in the cloud: %n photograph(s) ({names}). Let iCloud download them to use them.",
                n=len(self.in_the_cloud), names=named(self.in_the_cloud),
            )  # fmt: skip
        if self.unread:
            yield unread_words(self.unread)


def find_photographs(folder: Path) -> Pictures:
    """Return the photographs in a folder and in those inside it."""
    return sort_pictures(walk(folder, is_wanted, may_hold_photographs))


def sort_pictures(found: Walk) -> Pictures:
    """Tell photographs from helper pictures, placeholders and kinds that are not read."""
    pictures = [path for path in found.files if is_picture(path.name)]
    helps = helper_rule(path.stem for path in pictures)
    return Pictures(
        tuple(path for path in pictures if not helps(path.stem)),
        tuple(path for path in pictures if helps(path.stem)),
        tuple(path for path in found.files if _CLOUD.fullmatch(path.name)),
        tuple(path for path in found.files if not path.name.startswith(".") and path.suffix.lower() in UNREAD_KINDS),
        found.passed_over,
    )


def is_picture(name: str) -> bool:
    """Whether a file of this name is a picture of a kind that is read, hidden files left out."""
    return PurePath(name).suffix.lower() in PICTURE_SUFFIXES and not name.startswith(".")


def is_wanted(name: str) -> bool:
    """Whether a file of this name is a picture or has to be told of."""
    if name.startswith("."):
        match = _CLOUD.fullmatch(name)
        return match is not None and PurePath(match["name"]).suffix.lower() in PICTURE_SUFFIXES
    return PurePath(name).suffix.lower() in PICTURE_SUFFIXES | UNREAD_KINDS.keys()


def may_hold_photographs(name: str) -> bool:
    """Whether a folder of this name is looked into."""
    return not name.startswith(".") and name.lower() not in NOT_PHOTOGRAPHS


def helper_rule(stems: Iterator[str] | Sequence[str]) -> Callable[[str], bool]:
    """Return whether the picture of a stem helps one of the pictures of these stems."""
    known = {stem.lower() for stem in stems}

    def helps(stem: str) -> bool:
        return _SURE.fullmatch(stem) is not None or (base_of(stem) != stem.lower() and base_of(stem) in known)

    return helps


def base_of(stem: str) -> str:
    """Return, in lower case, the stem of the photograph that a picture such as `X_segmentation` belongs to.

    The endings may be several, as in `X_lesion_mask`; a stem without one is returned as it is.
    """
    base = stem
    while match := _BESIDE.fullmatch(base):
        base = match["base"]
    return base.lower()


def unread_words(files: Sequence[Path]) -> Message:
    """Return one sentence about pictures of kinds that are not read, and how to convert them."""
    kinds = Counter(UNREAD_KINDS[path.suffix.lower()] for path in files)
    counted = ", ".join(f"{kind}: {count}" for kind, count in sorted(kinds.items()))
    if "DICOM" in kinds:
        return Message(
            "Pictures of kinds that are not read are left out ({counted}). Convert DICOM to PNG first, such as with "
            "dcm2img of DCMTK or pydicom.",
            counted=counted,
        )
    return Message(
        "Pictures of kinds that are not read are left out ({counted}). Save them as PNG first.", counted=counted
    )


def named(files: Sequence[Path]) -> str:
    """Return the names of the first few files."""
    return ", ".join(path.name for path in files[:NAMED]) + (", …" if len(files) > NAMED else "")
