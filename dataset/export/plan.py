"""The plan of an export: every file it will consist of, known before the first byte is written.

A curation file is obeyed: what it leaves out stays out, and the file goes along. Warnings are what a person should know
about an export before it is used.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from core.errors import DiskFullError, InputRefusedError, OutputError, UsageError
from core.files.atomic import output_errors
from core.files.opening import read_regular
from core.files.text import plain
from core.jobs.stream import JobContext
from core.message import Message
from core.taxonomy import CLASS_CODES
from dataset.curation import CURATION_FILE, Choice, read_curation
from dataset.export.archive import packed_size
from dataset.export.card import CARD_FILE, Facts, write_card
from dataset.export.forms import FORMS, Form, TextFile, manifest_csv
from dataset.export.pictures import Collection, Picture, Unusable, inspect
from dataset.export.request import PARTS, ExportOptions
from dataset.export.rows import Entry, make_entries
from dataset.ratings import Rating
from photographs.label_table import MAX_BYTES
from photographs.licence import UNKNOWN


@dataclass(frozen=True, slots=True)
class Curated:
    """What is left of some pictures.

    Attributes
    ----------
    warnings
        Damaged lines, and what was left out, one sentence each.
    table
        The curation file's bytes; None without one.
    """

    pictures: tuple[Picture, ...]
    warnings: tuple[str, ...] = ()
    table: bytes | None = None


def obey_curation(file: Path | None, pictures: Sequence[Picture]) -> Curated:
    """Return the pictures that a curation file, or the one in a folder, keeps; all of them if there is none.

    A picture that the file does not name, or that is no longer the one that was judged, was never judged: it is left
    out as well.

    Raises
    ------
    InputRefusedError
        If the file cannot be read, or names none of the pictures: it belongs to another folder.
    """
    if file is None:
        return Curated(tuple(pictures))
    file = file / CURATION_FILE if file.is_dir() else file
    curation = read_curation(file)
    known = {picture.path: curation.choices.get(f"{picture.code}/{picture.path.name}") for picture in pictures}
    if pictures and not any(known.values()):
        raise InputRefusedError(
            Message("{path} names none of these images.", path=file),
            remedy=Message("Name the curation file that was made for this folder, or repeat the curation."),
            path=file,
        )
    judged = [picture for picture in pictures if _is_same(picture, known[picture.path])]
    kept = tuple(picture for picture in judged if (choice := known[picture.path]) and choice.kept)
    told = (*curation.notes, *_warnings(len(pictures) - len(judged), len(judged) - len(kept)))
    return Curated(kept, told, read_regular(file, MAX_BYTES))


def _is_same(picture: Picture, choice: Choice | None) -> bool:
    return choice is not None and choice.sha256 == picture.sha256


def _warnings(unjudged: int, dropped: int) -> tuple[str, ...]:
    warnings = []
    if dropped:
        warnings.append(Message("Excluded by the curation: %n image(s).", n=dropped))
    if unjudged:
        words = Message(
            "Excluded because the curation did not evaluate them in their present state: %n image(s).", n=unjudged
        )
        warnings.append(words)
    return tuple(warnings)


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


SUMS_FILE: Final = "SHA256SUMS"
_SPARE_BYTES: Final = 16 << 20
"""Room that file systems need besides the bytes of the files."""


@dataclass(frozen=True, slots=True)
class ImageFile:
    """An image that is copied: where it goes, relative to the export with slashes, and which it is."""

    path: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """Everything that an export will write.

    Attributes
    ----------
    output
        The folder that is exported.
    texts
        All files that are no images: tables, card and checksums.
    left_out
        Files that would have been taken if they could be read.
    warnings
        What a person should know, one or two sentences each.
    """

    output: Path
    options: ExportOptions
    images: tuple[ImageFile, ...]
    texts: tuple[TextFile, ...]
    left_out: tuple[Unusable, ...] = ()
    warnings: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of every file, by its path."""

    @property
    def rows(self) -> int:
        """Images."""
        return len(self.images)

    @property
    def files(self) -> int:
        """All files, without the archive."""
        return len(self.sizes)

    @property
    def bytes(self) -> int:
        """Bytes of all files, without the archive."""
        return sum(self.sizes.values())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the names and contents of everything that will be written."""
        sums = next((file.data for file in self.texts if file.path == SUMS_FILE), b"")
        return hashlib.sha256(sums).hexdigest()

    @property
    def archive_bytes(self) -> int:
        """Bytes of the archive; 0 if none was asked for."""
        return packed_size(dict(self.sizes)) if self.options.zip else 0

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Images by part and class; without a split everything is in ``all``."""
        split = self.options.split is not None
        found = Counter((file.entry.part if split else "all", file.entry.code) for file in self.images)
        parts = PARTS if split else ("all",)
        return {part: {code: found[part, code] for code in CLASS_CODES if found[part, code]} for part in parts}

    @property
    def tree(self) -> dict[str, int]:
        """Number of files in each folder, by its path; the export itself is ``""``. Train comes before val and test."""
        found = Counter(path.rpartition("/")[0] for path in self.sizes)
        return dict(sorted(found.items(), key=lambda item: _rank(item[0])))


def plan_export(output: Path, options: ExportOptions, context: JobContext | None = None) -> ExportPlan:
    """Return what an export of an output folder would write; nothing is written.

    Parameters
    ----------
    context
        Told how many pictures have been looked at; stops the look.

    Raises
    ------
    InputRefusedError
        If there is no such folder.
    OutputError
        If it cannot be read.
    JobStopped
        If that was asked for.
    """
    return plan_of(inspect(output, context), options)


def plan_of(collection: Collection, options: ExportOptions) -> ExportPlan:
    """Return what an export of pictures that have been looked at would write."""
    wanted = [p for p in collection.pictures if _is_wanted(p.code, p.rating, options)]
    curated = obey_curation(options.curation, wanted)
    left_out = tuple(u for u in collection.unusable if _is_wanted(u.code, u.rating, options))
    entries = make_entries(curated.pictures, options)
    warnings = (*curated.warnings, *warnings_of(collection, options, entries, left_out))
    form, split = FORMS[options.format], options.split is not None
    images = tuple(ImageFile(form.place(entry, split), entry) for entry in entries)
    facts = Facts(options, entries, collection.terms, left_out)
    texts = _texts(form, entries, facts, curated.table) if entries else ()
    sizes = {file.path: file.entry.picture.size for file in images} | {file.path: len(file.data) for file in texts}
    return ExportPlan(collection.folder, options, images, texts, left_out, warnings, sizes)


def check_plan(plan: ExportPlan) -> None:
    """Check that a plan can be carried out as things are now.

    Raises
    ------
    InputRefusedError
        If it has no image.
    UsageError
        If the target lies inside the folder that is exported.
    OutputError
        If the target holds something already, or cannot be written.
    DiskFullError
        If there is too little space.
    """
    if not plan.images:
        raise InputRefusedError(
            Message(
                "There is nothing to export: no finished image of '{folder}' matches the choices.", folder=plan.output
            ),
            remedy=Message(
                "Choose fewer stars or more classes, or generate images first. Rejected images are never exported."
            ),
            path=plan.output,
        )
    target = plan.options.target
    if target == plan.output or plan.output in target.parents:
        raise UsageError(
            Message("The export would be inside the exported folder, '{folder}'.", folder=plan.output),
            remedy=Message("Choose a folder outside it."),
            path=target,
        )
    check_target(plan.options)
    with output_errors(target):
        _check_space(plan, target)


def check_target(options: ExportOptions) -> None:
    """Check that nothing lies where an export, and its archive, will be.

    Raises
    ------
    OutputError
        If something does; an empty folder is nothing.
    """
    with output_errors(options.target):
        _check_free(options.target)
        if options.zip:
            _check_free(options.archive)


def _rank(path: str) -> list[tuple[int, str]]:
    order = (*PARTS, *CLASS_CODES)
    return [(order.index(name) if name in order else len(order), name) for name in path.split("/") if name]


def _is_wanted(code: str, rating: Rating, options: ExportOptions) -> bool:
    wanted = not options.classes or code in options.classes
    return wanted and not rating.rejected and rating.stars >= options.rating


def _texts(form: Form, entries: tuple[Entry, ...], facts: Facts, curation: bytes | None) -> tuple[TextFile, ...]:
    split = facts.options.split is not None
    decisions = () if curation is None else (TextFile(CURATION_FILE, curation),)
    tables = (manifest_csv(form, entries, split), *form.texts(entries, split), *decisions)
    card = TextFile(CARD_FILE, plain(write_card(facts)).encode())
    sums = {file.path: hashlib.sha256(file.data).hexdigest() for file in (*tables, card)}
    sums |= {form.place(entry, split): entry.picture.passed_on for entry in entries}
    return (*tables, card, TextFile(SUMS_FILE, plain(_sums(sums.items())).encode()))


def _sums(digests: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(digests))


def _check_free(target: Path) -> None:
    is_folder = target.is_dir() and not target.is_symlink()
    if not os.path.lexists(target) or (is_folder and not any(target.iterdir())):
        return
    raise OutputError(
        Message("There is something at '{path}' already; nothing is overwritten.", path=target),
        remedy=Message("Choose another name, or move it away."),
        path=target,
    )


def _check_space(plan: ExportPlan, target: Path) -> None:
    place = next(parent for parent in target.parents if parent.is_dir())
    needed, free = plan.bytes + plan.archive_bytes + _SPARE_BYTES, shutil.disk_usage(place).free
    if needed > free:
        message = Message(
            "The export needs {needed:.0f} MB, and the drive of '{path}' has {free:.0f} MB left.",
            needed=needed / 1e6,
            path=target,
            free=free / 1e6,
        )
        raise DiskFullError(
            message,
            remedy=Message("Free some space, or choose another drive."),
            path=target,
        )
