"""The card of an exported data set: what it is, how it was divided, where it comes from, on what terms, what not to do.

It depends on the images and the options alone, so that the same export is the same bytes on any day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.taxonomy import CLASS_CODES, class_name
from core.version import PRODUCT, __version__
from dataset.curation import CURATION_FILE
from dataset.export.options import FORMATS, PARTS, ExportOptions
from dataset.export.pictures import Unusable
from dataset.export.rows import Entry, created
from dataset.export.terms import ModelTerms
from dataset.png import DIGITAL_SOURCE_TYPE
from photographs.licence import UNKNOWN
from reports.inline import Span, Text, marked, parse
from reports.markdown import render_markdown
from reports.model import Authored, Block, Bullets, Code, Paragraph, Report, Section, Table

CARD_FILE: Final = "README.md"
NAMED: Final = 20

_LOADING: Final[Mapping[str, str]] = {
    "imagefolder": 'from torchvision.datasets import ImageFolder\nimages = ImageFolder("{folder}")',
    "csv": 'import pandas\ntable = pandas.read_csv("manifest.csv")  # image_path is relative to this folder',
    "jsonl": 'import json\nrows = [json.loads(line) for line in open("manifest.jsonl", encoding="utf-8")]',
    "hf": 'from datasets import load_dataset\nimages = load_dataset("imagefolder", data_dir=".")',
    "isic": 'import pandas\nlabels = pandas.read_csv("ISIC2018_Task3_Training_GroundTruth.csv")',
}
_COLUMNS: Final = (
    "`manifest.csv` has a row for each image, in every format: `image_path` (relative to this folder), `class`, "
    f"`label` (0 to 6 in the order {', '.join(CLASS_CODES)}), `split`, `group` and `seed_group` (see below), stars, "
    "seed, sampler, steps, guidance, weights and their SHA-256, the file it was copied from (`source_file`), size and "
    "SHA-256. PNGs are copied byte by byte. Those made by this program carry their whole recipe in the text chunk "
    "`isicgui:recipe`, and `python main.py reproduce IMAGE.png` makes them again. `sha256sum -c SHA256SUMS` "
    "checks every other file."
)

_LIMITS: Final = (
    "**For research and teaching only. No image shows a lesion of a real patient. Nobody may be examined, reassured or "
    "treated by these images, or by a model that has learnt from nothing else.**",
    "A label says which class the generator was asked for. No dermatologist or histology has confirmed it, and a "
    "generator draws some classes badly; measure it (`python main.py evaluate`) before you rely on it.",
    "The images can show no more than the photographs the generator has learnt from: their cameras, hospitals and "
    "patients, and mostly light skin if that is what they showed. They do not make a data set more diverse than its "
    "source.",
    "A generator may repeat training photographs. Keep the lesions it was trained on out of your test set.",
    "Do not pass them off as photographs, do not mix them into a test or validation set of real photographs, and do "
    "not report results on them as results on patients. Say in every publication that they are synthetic.",
    f"PNGs made by this program are marked: XMP `DigitalSourceType` = `{DIGITAL_SOURCE_TYPE}`. Keep the mark.",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card tells of: the options, the images, the models' terms by weights, and what was left out."""

    options: ExportOptions
    entries: Sequence[Entry]
    terms: Mapping[str, ModelTerms]
    left_out: Sequence[Unusable]


def write_card(facts: Facts) -> str:
    """Return the card, Markdown."""
    sections = [
        Section("Contents", list(_contents(facts))),
        Section("Parts", [Paragraph(_parts(facts))]),
        Section("Where the images come from", list(_provenance(facts))),
        Section("Terms", list(_terms(facts))),
        Section("Limits", [Bullets([parse(item) for item in _LIMITS])]),
    ]
    front = _front_matter(facts) if facts.options.format == "hf" else ""
    return render_markdown(Report(facts.options.target.name, [_lead(facts)], sections), front_matter=front)


def _lead(facts: Facts) -> Paragraph:
    dates = sorted(created(entry.picture)[:10] for entry in facts.entries)
    words = (
        "{n} **synthetic** dermatoscopic images, generated {when} and exported with {program}. For research and "
        "teaching only, never for a diagnosis."
    )
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    return Paragraph(marked(words, n=len(facts.entries), when=when, program=f"{PRODUCT} {__version__}"))


def _contents(facts: Facts) -> Iterator[Block]:
    options = facts.options
    yield Paragraph(parse(FORMATS[options.format]))
    yield _counts(facts)
    yield Paragraph(("Taken were ", *_choice(options), ".", *_left_out(facts)))
    yield Code(_LOADING[options.format].format(folder="." if options.split is None else "train"), "python")
    yield Paragraph(parse(_COLUMNS))


def _counts(facts: Facts) -> Table:
    """Return how many images there are of each class, in each part if they are divided."""
    parts = PARTS if facts.options.split is not None else ()
    counts = Counter((entry.code, entry.part) for entry in facts.entries)
    codes = [code for code in CLASS_CODES if any(counts[code, part] for part in PARTS)]
    rows = [
        (code, class_name(code), *(counts[code, part] for part in parts), sum(counts[code, part] for part in PARTS))
        for code in codes
    ]
    rows.append(("all", "", *(sum(counts[code, part] for code in codes) for part in parts), len(facts.entries)))
    cells = [tuple(map(str, row)) for row in rows]
    return Table(("class", "", *parts, "images"), cells, words=frozenset({0, 1}))


def _choice(options: ExportOptions) -> Iterator[str | Span]:
    which = ", ".join(options.classes) if options.classes else "all classes"
    stars = f"images with at least {options.rating} of 5 stars" if options.rating else "all finished images"
    yield f"{stars} of {which} that nobody has rejected"
    if options.curation:
        yield from marked(" and that the curation keeps (`{file}` says why the others are out)", file=CURATION_FILE)


def _left_out(facts: Facts) -> Iterator[str | Span]:
    if not facts.left_out:
        return
    yield f" Unusable and left out: {len(facts.left_out)} ("
    for place, item in enumerate(facts.left_out[:NAMED]):
        yield ", " if place else ""
        yield Span(f"{item.code}/{item.path.name}", "code")
    yield f" and {len(facts.left_out) - NAMED} more)." if len(facts.left_out) > NAMED else ")."


def _parts(facts: Facts) -> Text:
    groups = {entry.group for entry in facts.entries}
    related = marked(
        "Images that share a seed, a starting noise or their pixels are one **seed group** (`seed_group`; here "
        "{groups} groups of {images} images). They resemble each other, also across classes and runs",
        groups=len(groups),
        images=len(facts.entries),
    )
    if facts.options.split is None:
        never = ": never divide a group when you divide them."
        return ("The images are not divided. ", *related, never)
    ratios = "/".join(map(str, facts.options.split))
    where = marked(
        ", so **no group lies in two parts**. Who is where follows from the groups and the salt `{salt}` alone. "
        "`group` is the seed group within its class, for readers that allow a group one class only.",
        salt=facts.options.salt,
    )
    held = (
        f"Train, val and test hold {ratios} % of each class's seed groups, and at least one where a class has three. "
    )
    return (held, *related, *where)


def _provenance(facts: Facts) -> Iterator[Block]:
    made = Counter(_origin(entry, facts.terms) for entry in facts.entries)
    head = ("model", "weights, SHA-256 begins", "sampler", "steps", "guidance", "colour statistics", "images")
    rows = [(*origin, str(count)) for origin, count in sorted(made.items())]
    yield Table(head, rows, words=frozenset(range(6)))
    seeds = [entry.picture.record.seed for entry in facts.entries if entry.picture.record.seed is not None]
    known = "Seeds: {different} different ones for {n} images; each is in `manifest.csv`."
    yield Paragraph(marked(known, different=len(set(seeds)), n=len(seeds)))
    yield Bullets([f"{line}: {count} images" for line, count in _circumstances(facts.entries)])


def _origin(entry: Entry, terms: Mapping[str, ModelTerms]) -> tuple[str, str, str, str, str, str]:
    record, recipe = entry.picture.record, entry.picture.recipe
    model = terms[recipe.weights_sha256].name if recipe else record.weights or "unknown"
    color = "unknown" if recipe is None else "no" if recipe.color is None else "yes"
    cells = (model, record.weights_sha256, record.sampler, record.steps, record.guidance)
    model, sha256, sampler, steps, guidance = ("unknown" if cell in (None, "") else str(cell) for cell in cells)
    return model, sha256[:16], sampler, steps, guidance, color


def _circumstances(entries: Iterable[Entry]) -> list[tuple[str, int]]:
    return sorted(Counter(_circumstance(entry) for entry in entries).items())


def _circumstance(entry: Entry) -> str:
    recipe = entry.picture.recipe
    if recipe is None:
        return "no recipe inside; device and versions unknown"
    versions = ", ".join(f"{name} {version}" for name, version in sorted(recipe.versions.items()))
    return f"{PRODUCT} {recipe.product_version}, {recipe.device}, {recipe.precision}; {versions}".rstrip("; ")


def _terms(facts: Facts) -> Iterator[Block]:
    used = {entry.picture.recipe.weights_sha256 for entry in facts.entries if entry.picture.recipe is not None}
    for terms in sorted({facts.terms[sha256] for sha256 in used}, key=lambda terms: (terms.name, terms.licence)):
        yield from _terms_of(terms)
    if any(entry.picture.recipe is None for entry in facts.entries):
        yield Paragraph("Images without a recipe: nobody has said on what terms they may be used; ask first.")


def _terms_of(terms: ModelTerms) -> Iterator[Block]:
    if terms.licence == UNKNOWN:
        words = (
            "Images of `{name}`: its card, or its weights, are no longer there: the terms are **unknown**; ask before "
            "you pass images on."
        )
        yield Paragraph(marked(words, name=terms.name))
        return
    words = "Images of `{name}`: the model's terms are **{licence}**. Treat its images likewise."
    quotes = " Its card says:" if terms.text else ""
    yield Paragraph((*marked(words, name=terms.name, licence=terms.licence), quotes))
    yield Authored(terms.text, quoted=True)


def _front_matter(facts: Facts) -> str:
    used = {entry.picture.recipe.weights_sha256 if entry.picture.recipe else "" for entry in facts.entries}
    licences = {facts.terms[sha256].licence if sha256 else UNKNOWN for sha256 in used}
    is_by_nc = all(licence.upper().startswith("CC BY-NC 4.0") for licence in licences)
    lines = (f"license: {'cc-by-nc-4.0' if is_by_nc else 'other'}", "task_categories:", "- image-classification")
    tags = ("tags:", "- synthetic", "- dermatoscopy", "- medical")
    return "\n".join((*lines, *tags))
