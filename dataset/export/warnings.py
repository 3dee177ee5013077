"""What a person should know about an export before it is used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from core.message import Message
from core.taxonomy import CLASS_CODES
from dataset.export.options import PARTS, ExportOptions
from dataset.export.pictures import Collection, Unusable
from dataset.export.rows import Entry
from photographs.licence import UNKNOWN

NAMED: Final = 3


def warnings_of(
    collection: Collection, options: ExportOptions, entries: Sequence[Entry], left_out: Sequence[Unusable]
) -> tuple[str, ...]:
    """Return what speaks against using an export without a second look, one or two sentences each."""
    return (
        *_about_folder(collection, left_out),
        *_about_choice(options, entries),
        *_about_pictures(entries),
        *_about_terms(collection, entries),
    )


def _about_folder(collection: Collection, left_out: Sequence[Unusable]) -> Iterator[str]:
    if left_out:
        names = ", ".join(f"{item.code}/{item.path.name}" for item in left_out[:NAMED])
        more = ", …" if len(left_out) > NAMED else ""
        yield Message("Skipped as unusable: %n file(s) ({names}).", n=len(left_out), names=names + more)
    if collection.damaged_ratings:
        lines = ", ".join(map(str, collection.damaged_ratings[:NAMED]))
        yield Message("Ratings passed over because damaged: %n line(s) (line {lines} of ratings.jsonl).",
                      n=len(collection.damaged_ratings), lines=lines)  # fmt: skip
    if collection.is_growing:
        yield Message("A run is writing into this folder: images that it finishes later will not be in the export.")


def _about_choice(options: ExportOptions, entries: Sequence[Entry]) -> Iterator[str]:
    held = {entry.code for entry in entries}
    empty = [code for code in CLASS_CODES if code in options.classes and code not in held]
    if entries and empty:
        yield Message("No image of {codes} matches.", codes=", ".join(empty))
    if entries and options.split is not None:
        parts = {entry.part for entry in entries}
        for part, percent in zip(PARTS, options.split, strict=True):
            if percent and part not in parts:
                yield Message("The split {part} is empty: too few images with different seeds.", part=part)


def _about_pictures(entries: Sequence[Entry]) -> Iterator[str]:
    unknown = sum(entry.picture.recipe is None for entry in entries)
    if unknown:
        yield Message("Without a recipe inside: %n image(s). How they were generated is not fully known.", n=unknown)
    copies = len(entries) - len({entry.picture.pixels for entry in entries})
    if copies:
        yield Message("Exact copies of another image: %n. Copies always go to the same split.", n=copies)
    sizes = Counter((entry.picture.width, entry.picture.height) for entry in entries)
    if len(sizes) > 1:
        named = ", ".join(f"{width}×{height} ({count})" for (width, height), count in sizes.most_common(NAMED))
        yield Message("The images differ in size: {sizes}.", sizes=named)


def _about_terms(collection: Collection, entries: Sequence[Entry]) -> Iterator[str]:
    recipes = [entry.picture.recipe for entry in entries if entry.picture.recipe is not None]
    terms = {recipe.weights_sha256: collection.terms[recipe.weights_sha256] for recipe in recipes}
    unknown = sorted({term.name for term in terms.values() if term.licence == UNKNOWN})
    if unknown:
        names = ", ".join(unknown)
        yield Message("The licence of {models} is unknown: ask before you redistribute the images.", models=names)
