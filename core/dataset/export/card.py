"""The card of an exported data set: what it is, how it was divided, where it comes from, on what terms, what not to do.

It depends on the images and the options alone, so that the same export is the same bytes on any day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.dataset.curation import CURATION_FILE
from core.dataset.export.options import FORMATS, PARTS, ExportOptions
from core.dataset.export.pictures import Unusable
from core.dataset.export.rows import Entry, created
from core.dataset.export.terms import ModelTerms
from core.dataset.png import DIGITAL_SOURCE_TYPE
from core.taxonomy import CLASS_CODES, class_name
from core.training.licence import UNKNOWN
from core.version import PRODUCT, __version__

CARD_FILE: Final = "README.md"
NAMED: Final = 20

_LOADING: Final[Mapping[str, str]] = {
    "imagefolder": 'from torchvision.datasets import ImageFolder\nimages = ImageFolder("{folder}")',
    "csv": 'import pandas\ntable = pandas.read_csv("manifest.csv")  # image_path is relative to this folder',
    "jsonl": 'import json\nrows = [json.loads(line) for line in open("manifest.jsonl", encoding="utf-8")]',
    "hf": 'from datasets import load_dataset\nimages = load_dataset("imagefolder", data_dir=".")',
    "isic": 'import pandas\nlabels = pandas.read_csv("ISIC2018_Task3_Training_GroundTruth.csv")',
}
_COLUMNS: Final = f"""\
`manifest.csv` has a row for each image, in every format: `image_path` (relative to this folder), `class`, `label` (0 to
6 in the order {", ".join(CLASS_CODES)}), `split`, `group` and `seed_group` (see below), stars, seed,
sampler, steps, guidance, weights and their SHA-256, the file it was copied from (`source_file`), size and SHA-256. PNGs
are copied byte by byte. Those made by this program carry their whole recipe in the text chunk `isicgui:recipe`, and
`python main.py reproduce IMAGE.png` makes them again. `sha256sum -c SHA256SUMS` checks every other file."""

_LIMITS: Final = f"""\
- **For research and teaching only. No image shows a lesion of a real patient. Nobody may be examined, reassured or
  treated by these images, or by a model that has learnt from nothing else.**
- A label says which class the generator was asked for. No dermatologist or histology has confirmed it, and a generator
  draws some classes badly; measure it (`python main.py evaluate`) before you rely on it.
- The images can show no more than the photographs the generator has learnt from: their cameras, hospitals and patients,
  and mostly light skin if that is what they showed. They do not make a data set more diverse than its source.
- A generator may repeat training photographs. Keep the lesions it was trained on out of your test set.
- Do not pass them off as photographs, do not mix them into a test or validation set of real photographs, and do not
  report results on them as results on patients. Say in every publication that they are synthetic.
- PNGs made by this program are marked: XMP `DigitalSourceType` = `{DIGITAL_SOURCE_TYPE}`. Keep the mark."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card tells of: the options, the images, the models' terms by weights, and what was left out."""

    options: ExportOptions
    entries: Sequence[Entry]
    terms: Mapping[str, ModelTerms]
    left_out: Sequence[Unusable]


def write_card(facts: Facts) -> str:
    """Return the card, Markdown."""
    sections = (
        ("Contents", _contents(facts)),
        ("Parts", _parts(facts)),
        ("Where the images come from", _provenance(facts)),
        ("Terms", _terms(facts)),
        ("Limits", _LIMITS),
    )
    front = _front_matter(facts) if facts.options.format == "hf" else ""
    return front + _title(facts) + "".join(f"\n## {title}\n{text}\n" for title, text in sections)


def _title(facts: Facts) -> str:
    name = _plain(facts.options.target.name)
    dates = sorted(created(entry.picture)[:10] for entry in facts.entries)
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    return (
        f"# {name}\n\n{len(facts.entries)} **synthetic** dermatoscopic images, generated {when} and exported with "
        f"{PRODUCT} {__version__}. For research and teaching only, never for a diagnosis.\n"
    )


def _contents(facts: Facts) -> str:
    options = facts.options
    split = options.split is not None
    parts = PARTS if split else ()
    counts = Counter((entry.code, entry.part) for entry in facts.entries)
    codes = [code for code in CLASS_CODES if any(counts[code, part] for part in PARTS)]
    rows = [
        (code, class_name(code), *(counts[code, part] for part in parts), sum(counts[code, part] for part in PARTS))
        for code in codes
    ]
    rows.append(("all", "", *(sum(counts[code, part] for code in codes) for part in parts), len(facts.entries)))
    loading = _LOADING[options.format].format(folder="train" if split else ".")
    chosen = f"Taken were {_choice(options)}."
    table = _table(("class", "", *parts, "images"), rows, numbers=len(parts) + 1)
    return (
        f"{FORMATS[options.format]}\n\n{table}\n\n{chosen}{_left_out(facts)}\n\n```python\n{loading}\n```\n\n{_COLUMNS}"
    )


def _choice(options: ExportOptions) -> str:
    which = ", ".join(options.classes) if options.classes else "all classes"
    stars = f"images with at least {options.rating} of 5 stars" if options.rating else "all finished images"
    curated = (
        f" and that the curation keeps (`{CURATION_FILE}` says why the others are out)" if options.curation else ""
    )
    return f"{stars} of {which} that nobody has rejected{curated}"


def _left_out(facts: Facts) -> str:
    if not facts.left_out:
        return ""
    names = ", ".join(f"`{item.code}/{_plain(item.path.name)}`" for item in facts.left_out[:NAMED])
    more = f" and {len(facts.left_out) - NAMED} more" if len(facts.left_out) > NAMED else ""
    return f" Unusable and left out: {len(facts.left_out)} ({names}{more})."


def _parts(facts: Facts) -> str:
    groups = {entry.group for entry in facts.entries}
    related = (
        f"Images that share a seed, a starting noise or their pixels are one **seed group** (`seed_group`; here "
        f"{len(groups)} groups of {len(facts.entries)} images). They resemble each other, also across classes and runs"
    )
    if facts.options.split is None:
        return f"The images are not divided. {related}: never divide a group when you divide them."
    ratios = "/".join(map(str, facts.options.split))
    return (
        f"Train, val and test hold {ratios} % of each class's seed groups, and at least one where a class has three. "
        f"{related}, so **no group lies in two parts**. Who is where follows from the groups and the salt "
        f"`{_plain(facts.options.salt)}` alone. `group` is the seed group within its class, for readers that allow a "
        "group one class only."
    )


def _provenance(facts: Facts) -> str:
    made = Counter(_origin(entry, facts.terms) for entry in facts.entries)
    head = ("model", "weights, SHA-256 begins", "sampler", "steps", "guidance", "colour statistics", "images")
    rows = [(*origin, count) for origin, count in sorted(made.items())]
    table = _table(head, rows, numbers=1)
    seeds = [entry.picture.record.seed for entry in facts.entries if entry.picture.record.seed is not None]
    known = f"Seeds: {len(set(seeds))} different ones for {len(seeds)} images; each is in `manifest.csv`."
    versions = "\n".join(f"- {line}: {count} images" for line, count in _circumstances(facts.entries))
    return f"{table}\n\n{known}\n\n{versions}"


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
    return _plain(f"{PRODUCT} {recipe.product_version}, {recipe.device}, {recipe.precision}; {versions}".rstrip("; "))


def _terms(facts: Facts) -> str:
    used = {entry.picture.recipe.weights_sha256 for entry in facts.entries if entry.picture.recipe is not None}
    known = {facts.terms[sha256] for sha256 in used}
    paragraphs = [_paragraph(terms) for terms in sorted(known, key=lambda terms: (terms.name, terms.licence))]
    if any(entry.picture.recipe is None for entry in facts.entries):
        paragraphs.append("Images without a recipe: nobody has said on what terms they may be used; ask first.")
    return "\n\n".join(paragraphs)


def _paragraph(terms: ModelTerms) -> str:
    if terms.licence == UNKNOWN:
        said = (
            "its card, or its weights, are no longer there: the terms are **unknown**; ask before you pass images on."
        )
        return f"Images of `{_plain(terms.name)}`: {said}"
    quoted = "".join(f"\n> {line}".rstrip() for line in terms.text.splitlines())
    return (
        f"Images of `{_plain(terms.name)}`: the model's terms are **{_plain(terms.licence)}**. Treat its images "
        f"likewise." + (f" Its card says:\n{quoted}" if quoted else "")
    )


def _front_matter(facts: Facts) -> str:
    used = {entry.picture.recipe.weights_sha256 if entry.picture.recipe else "" for entry in facts.entries}
    licences = {facts.terms[sha256].licence if sha256 else UNKNOWN for sha256 in used}
    is_by_nc = all(licence.upper().startswith("CC BY-NC 4.0") for licence in licences)
    lines = (f"license: {'cc-by-nc-4.0' if is_by_nc else 'other'}", "task_categories:", "- image-classification")
    tags = ("tags:", "- synthetic", "- dermatoscopy", "- medical")
    return "\n".join(("---", *lines, *tags, "---", "", ""))


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: int) -> str:
    """Return a Markdown table whose last `numbers` columns are numbers."""
    marks = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    return "\n".join(_lines((head, marks, *rows)))


def _lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    for row in rows:
        yield "| " + " | ".join(_plain(str(cell)).replace("|", "\\|") for cell in row) + " |"


def _plain(text: str) -> str:
    """Return a text that cannot leave its line or its code marks."""
    return " ".join(text.replace("`", "'").split())
