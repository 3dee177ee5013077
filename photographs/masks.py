"""Masks of lesions: which file belongs to which photograph, and what in it is inside. The one rule for all commands.

A mask belongs to a photograph by its path below the folder of masks (class folders and the like), or by its name alone
where that is unique on both sides. Endings such as `_segmentation`, `_mask`, `_expert` and `_lesion`, suffix and case
do not matter. A mask in the folder of another class is never taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.errors import InputRefusedError
from core.files.walking import NAMED, walk
from core.images import Stored, read_stored
from core.message import Message
from photographs.diagnoses import class_of
from photographs.files import base_of, is_picture
from photographs.labelled import PARTS

Mask = NDArray[np.bool_]

MASKS_FOLDER: Final = "masks"
"""Where masks are looked for next to photographs if nobody says where."""

_LABELS: Final = 8
"""So many values, or more, are shades of a soft edge."""

_DARK: Final = 16
"""A colour below this in every channel is black: the background of a coloured mask, JPEG's noise included."""

_HALF: Final = 128


@dataclass(frozen=True, slots=True)
class Masked:
    """One image that may have a mask.

    Attributes
    ----------
    name
        Its path inside its set, with slashes; or its id.
    code
        Its class, None where it is not known.
    path
        Its file.
    """

    name: str
    code: str | None
    path: Path


@dataclass(frozen=True, slots=True)
class FoundMasks:
    """The masks of a set of images.

    Attributes
    ----------
    of
        Mask by name of the image.
    images
        How many images were asked for.
    ambiguous
        Names of images for which several masks would do, or whose mask would do for several images.
    unused
        Masks that belong to none of the images.
    """

    of: Mapping[str, Path]
    images: int
    ambiguous: tuple[str, ...] = ()
    unused: tuple[Path, ...] = ()

    def sentence(self, empty: int | None = None) -> Message:
        """Return how many were found, how many of them are empty, and what cannot be distinguished."""
        parts = [Message("Masks: {n} of {total} images have one", n=len(self.of), total=self.images)]
        if empty is not None:
            parts.append(Message("{empty} are empty", empty=empty))
        if self.ambiguous:
            names = ", ".join(self.ambiguous[:NAMED]) + (", …" if len(self.ambiguous) > NAMED else "")
            parts.append(
                Message(
                    "{count} have ambiguous names and are left out ({names})",
                    count=len(self.ambiguous),
                    names=names,
                )
            )
        if self.unused:
            parts.append(Message("{count} belong to none of the images", count=len(self.unused)))
        return Message("{first}.", first=_listed(parts))


def find_masks(images: Iterable[Masked], folder: Path) -> FoundMasks:
    """Return the mask of each image that has one.

    Parameters
    ----------
    folder
        Folder of masks, looked through to the bottom; it may be that of the photographs themselves.

    Raises
    ------
    InputRefusedError
        If there is no such folder.
    """
    if not folder.is_dir():
        raise InputRefusedError(
            Message("There is no folder {path}.", path=folder), remedy=Message("Check the path."), path=folder
        )
    wanted = list(images)
    own = {image.path.resolve() for image in wanted}
    files = [path for path in walk(folder, is_picture).files if path.resolve() not in own]
    by_stem = _by_stem(folder, files)
    possible = {image.name: _possible(image, by_stem.get(_stem(image.name), [])) for image in wanted}
    by_path = {name: _best(masks) for name, masks in possible.items()}
    found, ambiguous = _one_for_each(by_path)
    namesakes = Counter(_stem(image.name) for image in wanted)
    taken = set(found.values())
    for image in wanted:
        left = [path for shared, path in possible[image.name] if shared == 0 and path not in taken]
        if image.name in found or not left or by_path[image.name]:
            continue
        if len(left) == 1 and namesakes[_stem(image.name)] == 1:
            found[image.name] = left[0]
        else:
            ambiguous.append(image.name)
    used = set(found.values())
    return FoundMasks(found, len(wanted), tuple(ambiguous), tuple(path for path in files if path not in used))


def find_mask(image: Path, folder: Path) -> Path | None:
    """Return the mask of one image whose set is not known: by the names of its folder and its file.

    Raises
    ------
    InputRefusedError
        If there is no such folder.
    """
    code = class_of(image.absolute().parent.name)
    name = f"{image.absolute().parent.name}/{image.name}" if code else image.name
    return find_masks([Masked(name, code, image)], folder).of.get(name)


def read_mask(path: Path) -> Mask:
    """Return what a mask shows as inside, (H, W); see `inside`.

    Raises
    ------
    InputRefusedError
        If it cannot be read, or has colours on a background that is not black.
    """
    stored = read_stored(path)
    found = _by_alpha(stored)
    if found is not None:
        return found
    values = stored.values
    if stored.alpha is not None:
        shown = stored.alpha >= _HALF
        values = np.where(shown[..., None] if values.ndim == 3 else shown, values, 0)
    if values.ndim == 3 and not (values == values[..., :1]).all():
        return _coloured(path, values)
    grey = values[..., 0] if values.ndim == 3 else values
    return ~inside(grey) if stored.white_is_zero and grey.dtype != np.bool_ else inside(grey)


def inside(values: NDArray[Any]) -> Mask:
    """Return where a mask of any values is inside.

    Parameters
    ----------
    values
        (H, W): truths, whole numbers or floats. Of labels (a few small values, or a few in equal steps) everything but
        0 is inside; shades are inside from half of their range on. Negative values and those that are no number are
        outside.
    """
    if values.dtype == np.bool_:
        return values
    known = np.where(np.isfinite(values), values, 0)
    if _are_labels(known):
        return np.asarray(known > 0)
    return np.asarray(known >= _half_of(known))


def _are_labels(values: NDArray[Any]) -> bool:
    """Whether values are labels: few and small, or few in equal steps such as 85, 170, 255; others are shades."""
    found = np.unique(values[values > 0]).astype(np.float64)
    if len(found) < 2 or len(found) >= _LABELS or found[-1] < _HALF:
        return len(found) < _LABELS
    steps = (found / found[0]).round()
    return bool(found[0] >= _DARK and (np.abs(found - steps * found[0]) <= steps / 2).all())


def _half_of(values: NDArray[Any]) -> float:
    high = float(values.max(initial=0))
    if high < _HALF:
        return high / 2
    return float(_HALF) if high < 2 * _HALF else 2.0 ** (int(high).bit_length() - 1)


def _by_alpha(stored: Stored) -> Mask | None:
    """Return what is opaque where transparency alone tells the lesion, or None."""
    alpha = stored.alpha
    if alpha is None or alpha.min() == alpha.max():
        return None
    opaque = alpha >= _HALF
    shown = stored.values[opaque]
    if not len(shown) or (shown == shown[:1]).all():
        return np.asarray(opaque)
    return None


def _coloured(path: Path, values: NDArray[Any]) -> Mask:
    outside = (values < _DARK).all(axis=2)
    if not outside.any():
        raise InputRefusedError(
            Message("The mask {path} has colours and no black, so the outside is unknown.", path=path),
            remedy=Message("Save it with black outside the lesion."),
            path=path,
        )
    return np.asarray(~outside)


def _by_stem(folder: Path, files: Sequence[Path]) -> dict[str, list[tuple[tuple[str, ...], Path]]]:
    """Return the masks, each with its folders, by the stem of the photograph that they belong to."""
    found: dict[str, list[tuple[tuple[str, ...], Path]]] = {}
    for path in files:
        folders = _folders(path.relative_to(folder).parent.parts)
        for stem in {base_of(path.stem), path.stem.lower()}:
            found.setdefault(stem, []).append((folders, path))
    return found


def _possible(image: Masked, masks: Sequence[tuple[tuple[str, ...], Path]]) -> list[tuple[int, Path]]:
    """Return the masks that have an image's name, each with the number of innermost folders that it shares with it."""
    folders = _folders(PurePosixPath(image.name.replace("\\", "/")).parent.parts)
    return [(_shared(folders, theirs), path) for theirs, path in masks if _may_be(image, theirs)]


def _best(masks: Sequence[tuple[int, Path]]) -> list[Path]:
    """Return the masks that share most folders with their image, none if they share none."""
    best = max((shared for shared, _ in masks), default=0)
    return [path for shared, path in masks if shared == best] if best else []


def _one_for_each(chosen: Mapping[str, Sequence[Path]]) -> tuple[dict[str, Path], list[str]]:
    """Return the masks of the images that have exactly one, which no other image has; and the other images' names."""
    users = Counter(path for masks in chosen.values() for path in masks)
    found = {name: masks[0] for name, masks in chosen.items() if len(masks) == 1 and users[masks[0]] == 1}
    return found, [name for name, masks in chosen.items() if masks and name not in found]


def _may_be(image: Masked, folders: Sequence[str]) -> bool:
    """Whether a mask in these folders may be that of an image: not where it is in another class's folder."""
    codes = {code for folder in folders if (code := class_of(folder))}
    return image.code is None or not codes or image.code in codes


def _shared(first: Sequence[str], second: Sequence[str]) -> int:
    """Return how many folders, from the innermost on, are the same."""
    count = 0
    for one, other in zip(reversed(first), reversed(second), strict=False):
        if one != other:
            break
        count += 1
    return count


def _folders(parts: Sequence[str]) -> tuple[str, ...]:
    """Return names of folders in one spelling: classes by their codes, parts of data sets by theirs."""
    return tuple(class_of(part) or PARTS.get(part.lower()) or part.lower() for part in parts)


def _stem(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).stem.lower()


def _listed(parts: Sequence[Message]) -> Message:
    values = {f"part{number}": part for number, part in enumerate(parts)}
    return Message("; ".join(f"{{{key}}}" for key in values), **values)
