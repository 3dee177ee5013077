"""Are synthetic images copies of training images? What `measures.memorisation` finds, as a section with its files.

Writes `memorisation.json`, `memorisation_pairs.csv` and `memorisation_pairs.png` into a folder.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Final

from core.errors import InputRefusedError
from core.files.atomic import output_errors
from core.jobs.stream import JobContext
from core.message import Message
from core.taxonomy import CLASS_CODES
from evaluation.counted import counted, in_all_views
from evaluation.finding import Finding
from evaluation.sets import ImageSet
from measures.features import Extractor
from measures.memorisation import Memorisation, Pair, judge_memorisation
from measures.memorisation_files import PICTURE_NAME, Names, save_memorisation
from measures.memorisation_support import SetLevel, Share
from reports.model import Block, Figure, Level, Paragraph, Table

KEY: Final = "memorisation"
SIDE: Final = 128
"""Side of the squares that are compared, in pixels."""

SHOWN: Final = 10
MUCH: Final = 0.05
"""An interval that reaches above this share is too wide to say that nothing is copied."""


def memorisation(
    synthetic: ImageSet,
    train: ImageSet,
    held_out: ImageSet,
    extractor: Extractor,
    folder: Path,
    context: JobContext | None = None,
) -> Finding:
    """Search for copies of training images, in pixels and features, in eight orientations; write the files.

    Parameters
    ----------
    held_out
        Photographs of lesions that the generator has not seen: they say what is near by chance.
    folder
        Where the table of pairs and the picture go.
    context
        Told how many pictures the extractor has seen, and of how many.

    Raises
    ------
    OutputError
        If the files cannot be written.
    """
    samples, training = synthetic.pixels(SIDE), train.pixels(SIDE)
    pictures = len(train) + in_all_views(len(synthetic), len(held_out))
    told = counted(extractor, pictures, context or JobContext())
    try:
        found = judge_memorisation(samples, training, held_out.pixels(SIDE), told, held_out.lesions)
    except InputRefusedError as error:
        return Finding(KEY, Message("Memorisation"), "unknown", Message("{why}", why=error.message))
    names = Names(*([image.name for image in images.images] for images in (synthetic, train, held_out)))
    with output_errors(folder):
        save_memorisation(found, folder, samples, training, names)
    per_class = _by_class(found, synthetic)
    picture = Figure(
        (folder / PICTURE_NAME).read_bytes(),
        Message(
            "The most suspicious images, each with the most similar training image to its right, "
            "rotated to match. This shows training photographs: mind their licence."
        ),
    )
    data = {**found.to_json(), "classes": per_class, "pairs": [_pair(pair, names) for pair in found.pairs[:SHOWN]]}
    return Finding(KEY, Message("Memorisation"), _level(found), _verdict(found), (*_parts(found, data), picture), data)


def _level(found: Memorisation) -> Level:
    if found.low > 0:
        return "bad"
    return "doubt" if found.high > MUCH else "good"


def _verdict(found: Memorisation) -> Message:
    words = {
        "bad": Message("Some images are likely copies; inspect the pairs."),
        "doubt": Message("There are too few images to rule copies out."),
        "good": Message("No more images resemble training images than expected by chance."),
    }[_level(found)]
    return Message(

            "{words} {flagged} of {n} images exceed the copy threshold (1 % of held-out photographs "
            "do); expected by chance {expected:.1%}. Excess {excess:+.1%} (95 % CI {low:+.1%} to "
            "{high:+.1%}).",
        words=words, flagged=found.flagged, n=found.n, expected=found.expected, excess=found.excess, low=found.low,
        high=found.high,
    )  # fmt: skip


def _by_class(found: Memorisation, synthetic: ImageSet) -> dict[str, dict[str, int]]:
    codes = [image.code for image in synthetic.images]
    flagged = Counter(codes[pair.sample] for pair in found.pairs if pair.flagged)
    return {code: {"n": codes.count(code), "flagged": flagged[code]} for code in CLASS_CODES if code in codes}


def _pair(pair: Pair, names: Names) -> dict[str, Any]:
    return {
        "synthetic": names.samples[pair.sample],
        "nearest_train": names.train[pair.train],
        "nearest_heldout": names.held_out[pair.held_out],
        "space": pair.space,
        "relative_distance": pair.relative_distance,
        "score": pair.score,
        "flagged": pair.flagged,
    }


def _parts(found: Memorisation, data: dict[str, Any]) -> list[Block]:
    parts: list[Block] = [
        Paragraph(
            Message(
                "Each image is compared with {train} training images in eight rotations and "
                "reflections, by {spaces}. The threshold is calibrated on {held_out} held-out "
                "photographs.",
                train=found.train,
                spaces=", ".join(found.spaces),
                held_out=found.held_out,
            ),
            "muted",
        )
    ]
    if found.left_out:
        same = Message(
            "Left out of the threshold: %n photograph(s) named as held out that are training photographs.",
            n=found.left_out,
        )
        parts.append(Paragraph(same, "muted"))
    parts.append(Paragraph(_control(found), "muted"))
    if len(data["classes"]) > 1:
        rows = [(code, str(one["flagged"]), str(one["n"])) for code, one in data["classes"].items()]
        parts.append(Table(("", "flagged", "images"), rows, Message("By class"), folded=True))
    suspects = [
        (p["synthetic"], p["nearest_train"], p["nearest_heldout"], f"{p['score']:.3g}", "yes" if p["flagged"] else "no")
        for p in data["pairs"]
    ]
    head = ("synthetic", "nearest training image", "nearest held-out image", "score", "flagged")
    parts.append(
        Table(
            head,
            suspects,
            Message("The most suspicious images; a score well below 1 suggests a copy"),
            words=frozenset({0, 1, 2}),
            folded=True,
        )
    )
    parts.append(_whole_set(found))
    return parts


def _control(found: Memorisation) -> str:
    control = found.control
    if control is None:
        return "No held-out lesion is known to have a second photograph, so copy detection has no positive control."
    return (
        f"Positive control: a second photograph of a held-out lesion, added to the training images, is flagged for "
        f"{control.share:.1%} of {control.n} lesions (95 % CI {control.low:.1%} to {control.high:.1%}). So the search "
        "finds copies of an image, but only this share of new images of a training lesion."
    )


def _whole_set(found: Memorisation) -> Table:
    rows = [row for space, level in found.set_level.items() for row in _rows_of(space, level)]
    caption = (
        "Set-level numbers, insensitive below about 10 % of copies. AuthPct: share of images farther from their "
        "nearest training image than that is from its own nearest training neighbour; a value far below that of "
        "held-out lesions suggests copies. Nearer: probability that an image is more similar to the training images "
        "than a held-out lesion is, 50 % without copies. C_T: z of the Mann-Whitney test, below -1.96 if images "
        "are more similar. Soft and typical images, and other class proportions, change them too, so inspect the pairs."
    )
    return Table(("", "synthetic", "held-out lesions"), rows, caption, folded=True)


def _rows_of(space: str, level: SetLevel) -> list[tuple[str, str, str]]:
    nearer = f"{level.nearer:.1%} ({level.low:.1%} to {level.high:.1%})"
    return [
        (f"AuthPct, {space}", _share(level.authentic), _share(level.authentic_held_out)),
        (f"nearer, {space}", nearer, "50 %"),
        (f"C_T, {space}", f"{level.c_t:+.2f}", "-1.96 to +1.96"),
    ]


def _share(one: Share) -> str:
    return f"{one.share:.1%} ({one.low:.1%} to {one.high:.1%}, n = {one.n})"
