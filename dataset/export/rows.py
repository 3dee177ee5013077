"""What is told about each exported image: where it is, what it shows, which part and group it is in, what made it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from core.taxonomy import CLASS_INDEX, class_name
from dataset.export.groups import assign_parts, seed_groups
from dataset.export.options import ExportOptions
from dataset.export.pictures import Picture

_DOUBLE_SUFFIX: Final = ".jpg.png"


@dataclass(frozen=True, slots=True)
class Entry:
    """One image of an export.

    Attributes
    ----------
    name
        File name in the export, unique in it whatever the case of its letters: class, number, ``.png``.
    part
        ``train``, ``val`` or ``test``; everything is ``train`` without a split.
    group
        Images of one group are always in the same part.
    """

    picture: Picture
    name: str
    part: str
    group: str

    @property
    def code(self) -> str:
        """Class code."""
        return self.picture.code


def make_entries(pictures: Sequence[Picture], options: ExportOptions) -> tuple[Entry, ...]:
    """Give every picture its name, group and part."""
    groups = seed_groups(pictures)
    parts = assign_parts(groups, [picture.code for picture in pictures], options.split, options.salt)
    names = _unique_names(pictures)
    return tuple(map(Entry, pictures, names, parts, groups))


def _unique_names(pictures: Sequence[Picture]) -> list[str]:
    taken: Counter[str] = Counter()
    names = []
    for picture in pictures:
        stem = f"{picture.code}_{_stem(picture.path.name)}"
        taken[stem.casefold()] += 1
        again = taken[stem.casefold()]
        names.append(f"{stem}.png" if again == 1 else f"{stem}_{again}.png")
    return names


def _stem(name: str) -> str:
    """Return a file name without suffix; ``.jpg.png`` of old versions becomes a part of the name."""
    return f"{name[: -len(_DOUBLE_SUFFIX)]}_jpg" if name.lower().endswith(_DOUBLE_SUFFIX) else name[:-4]


def caption(code: str) -> str:
    """Return what an image shows, as a training caption."""
    return f"dermatoscopic image of {class_name(code)[0].lower()}{class_name(code)[1:]}, synthetic"


def facts(entry: Entry) -> dict[str, Any]:
    """Return what is known of an image besides its path: plain JSON values, None where nothing is known."""
    record, picture = entry.picture.record, entry.picture
    return {
        "class": entry.code,
        "label": CLASS_INDEX[entry.code],
        "split": entry.part,
        "group": f"{entry.code}-{entry.group}",
        "seed_group": entry.group,
        "seed": record.seed,
        "index": record.index,
        "stars": picture.rating.stars,
        "sampler": record.sampler or None,
        "steps": record.steps,
        "guidance": record.guidance,
        "precision": record.precision or None,
        "noise_hash": record.noise_hash or None,
        "weights": record.weights or None,
        "weights_sha256": record.weights_sha256 or None,
        "product_version": picture.recipe.product_version if picture.recipe else None,
        "created": created(picture),
        "run_id": record.run_id or None,
        "source": record.source,
        "source_file": f"{entry.code}/{record.path.name}",
        "width": picture.width,
        "height": picture.height,
        "sha256": picture.passed_on,
    }


def created(picture: Picture) -> str:
    """Return when an image was made, ISO 8601."""
    if picture.recipe is not None and picture.recipe.created:
        return str(picture.recipe.created)
    made = datetime.fromtimestamp(picture.record.generated_at, timezone.utc)
    return made.isoformat(timespec="seconds")
