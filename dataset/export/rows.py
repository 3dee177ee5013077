"""What is told about each exported image: where it is, what it shows, which part and group it is in, what made it.

Groups are near relatives: images that share a seed, a starting noise, their pixels or a picture that they began from.
Two images that a model drew from one noise resemble each other, also in different classes. If one were trained on
and the other tested on, the test would be too easy, as with two photographs of one lesion.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Final

from core.taxonomy import CLASS_INDEX, class_name
from dataset.export.pictures import Picture
from dataset.export.request import PARTS, ExportOptions, Ratios
from photographs.labelled import lesion_rank

_ID_DIGITS: Final = 12
_FEWEST_TO_DIVIDE: Final = 3
"""Groups of a class from which on every part that is wanted gets at least one."""


def seed_groups(pictures: Sequence[Picture]) -> list[str]:
    """Return the name of each picture's group: ``seed-`` and its smallest seed, or ``file-`` and a digest.

    Groups are closed: whoever shares a seed, a noise, the pixels or a beginning with a member is a member.
    """
    leaders: dict[Hashable, int] = {}
    parents = list(range(len(pictures)))
    for index, picture in enumerate(pictures):
        for key in _keys(picture):
            _join(parents, index, leaders.setdefault(key, index))
    roots = [_root(parents, index) for index in range(len(pictures))]
    members: dict[int, list[Picture]] = {}
    for root, picture in zip(roots, pictures, strict=True):
        members.setdefault(root, []).append(picture)
    names = {root: _name(group) for root, group in members.items()}
    return [names[root] for root in roots]


def assign_parts(groups: Sequence[str], codes: Sequence[str], ratios: Ratios | None, salt: str) -> list[str]:
    """Return the part of each image: ``train``, ``val`` or ``test``; ``train`` for all without a split.

    Groups that hold the same classes are ordered by SHA-256 of the salt and their name; test takes the first of them,
    val the next, each the rounded share of the groups, and at least one where there are three or more.

    Parameters
    ----------
    groups, codes
        Group and class of each image.
    ratios
        Percentages of train, val and test.
    """
    if ratios is None:
        return [PARTS[0]] * len(groups)
    classes: dict[str, set[str]] = {}
    for group, code in zip(groups, codes, strict=True):
        classes.setdefault(group, set()).add(code)
    alike: dict[tuple[str, ...], list[str]] = {}
    for group, held in classes.items():
        alike.setdefault(tuple(sorted(held)), []).append(group)
    parts = {group: part for named in alike.values() for group, part in _divide(named, ratios, salt)}
    return [parts[group] for group in groups]


def _divide(groups: list[str], ratios: Ratios, salt: str) -> Iterator[tuple[str, str]]:
    ordered = sorted(groups, key=lambda group: lesion_rank(group, salt))
    _, val, test = (_count(len(ordered), percent) for percent in ratios)
    for place, group in enumerate(ordered):
        yield group, "test" if place < test else "val" if place < test + val else "train"


def _count(groups: int, percent: int) -> int:
    count = round(groups * percent / 100)
    return max(count, 1) if percent and groups >= _FEWEST_TO_DIVIDE else count


def _keys(picture: Picture) -> Iterator[Hashable]:
    yield "pixels", picture.pixels
    if picture.record.seed is not None:
        yield "seed", picture.record.seed
    if picture.record.noise_hash:
        yield "noise", picture.record.noise_hash
    yield "picture", picture.passed_on  # by which an image that begins from this one names it
    if picture.recipe is not None:
        yield from (("picture", one) for one in picture.recipe.start.get("images", ()))


def _name(group: Sequence[Picture]) -> str:
    seeds = [picture.record.seed for picture in group if picture.record.seed is not None]
    return f"seed-{min(seeds)}" if seeds else f"file-{min(picture.pixels for picture in group)[:_ID_DIGITS]}"


def _join(parents: list[int], one: int, other: int) -> None:
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first


def _root(parents: list[int], index: int) -> int:
    while parents[index] != index:
        parents[index] = index = parents[parents[index]]
    return index


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
