"""Everything that is measured of a synthetic set, in the order of the report; no library is imported by naming it.

A new measure is one decorated function here, or in any module that is imported: its docstring is the hint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.message import Message
from core.registry import Column, Registry, hint_of

if TYPE_CHECKING:
    from core.jobs.stream import JobContext
    from evaluation.context import Context
    from evaluation.finding import Finding
    from evaluation.sets import ImageSet

    Measure = Callable[[Context, ImageSet, JobContext], Finding | None]


@dataclass(frozen=True, slots=True)
class Measurement:
    """One thing that is measured of every synthetic set.

    Attributes
    ----------
    key, title
        Those of its `Finding`.
    weight
        Its share of the time, by experience; for the progress bar.
    measure
        Returns None where it was not asked for (no training photographs, no masks, ...).
    """

    key: str
    title: str
    hint: str
    weight: float
    measure: Measure


MEASUREMENTS: Final[Registry[Measurement]] = Registry(
    "measure", "measures", columns=[Column("Share of the time", lambda one: f"{one.weight:g}")]
)


def measurement(key: str, *, title: str, weight: float) -> Callable[[Measure], Measure]:
    """Declare, as a decorator of the function that computes it, a measure."""

    def declare(measure: Measure) -> Measure:
        MEASUREMENTS.add(Measurement(key, title, hint_of(measure), weight, measure))
        return measure

    return declare


def parse_measures(text: str) -> tuple[str, ...]:
    """Return the keys that a text names, joined by commas.

    Raises
    ------
    UsageError
        If there is no such measure.
    """
    return tuple(MEASUREMENTS.check(name.strip()) for name in text.split(",") if name.strip())


@measurement("distribution", title=Message("Distance to real photographs"), weight=5.0)
def measure_distribution(context: Context, synthetic: ImageSet, job: JobContext) -> Finding:
    """Kernel and Fréchet distance, precision, recall, density and coverage against real photographs."""
    from evaluation.distribution import compare
    from evaluation.distribution_section import distribution_section

    sides, found = {}, {}
    share = 1 / len(context.spaces)
    known = len(context.real) / (len(context.real) + len(synthetic))
    for place, space in enumerate(context.spaces):
        part = job.part(place * share, share)
        real = context.features(context.real, space, part.part(0, known))
        drawn = context.features(synthetic, space, part.part(known, 1 - known))
        sides[space.name] = (drawn, real)
        found[space.name] = compare(drawn, real, context.request.seed)
    return distribution_section({space.name: space for space in context.spaces}, sides, found)


@measurement("fidelity", title=Message("Class fidelity"), weight=2.0)
def measure_fidelity(context: Context, synthetic: ImageSet, job: JobContext) -> Finding:
    """Balanced accuracy with which an independent classifier recovers the target class."""
    from evaluation.fidelity import fidelity_section

    return fidelity_section(context.network, synthetic, context.real, context.side, job)


@measurement("memorisation", title=Message("Memorisation"), weight=12.0)
def measure_memorisation(context: Context, synthetic: ImageSet, job: JobContext) -> Finding | None:
    """Suspected copies of training photographs; needs `--train`."""
    from evaluation.memorisation import memorisation

    if context.train is None:
        return None
    folder = context.folder_of(synthetic)
    with context.cache.remembering(context.spaces[0].extractor) as extractor:
        return memorisation(synthetic, context.train, context.real, extractor, folder, job)


@measurement("diversity", title=Message("Diversity"), weight=8.0)
def measure_diversity(context: Context, synthetic: ImageSet, job: JobContext) -> Finding:
    """Near-duplicates within the set, and the Vendi score beside that of photographs."""
    from evaluation.diversity import diversity

    with context.cache.remembering(context.spaces[0].extractor) as extractor:
        return diversity(synthetic, context.real, extractor, context.request.seed, job)


@measurement("appearance", title=Message("Colour and sharpness"), weight=1.0)
def measure_appearance(context: Context, synthetic: ImageSet, job: JobContext) -> Finding:
    """Distributions of colour and sharpness beside those of photographs."""
    from evaluation.appearance import appearance_section

    return appearance_section(synthetic, context.real, context.side, context.request.seed)


@measurement("pairs", title=Message("Image pairs"), weight=1.0)
def measure_pairs(context: Context, synthetic: ImageSet, job: JobContext) -> Finding | None:
    """SSIM, PSNR and LPIPS against references of the same names; needs `--reference`."""
    from evaluation.pairs import compare_pairs
    from evaluation.sets import read_set

    reference = context.request.reference
    return None if reference is None else compare_pairs(synthetic, read_set(reference), job, context.lpips)


@measurement("masks", title=Message("Agreement with the masks"), weight=1.0)
def measure_masks(context: Context, synthetic: ImageSet, job: JobContext) -> Finding | None:
    """Dice and IoU between the masks asked for and the lesions found; needs `--masks`."""
    from evaluation.masks.section import follow_masks
    from evaluation.masks.segmenter import load_segmenter

    masks = context.request.masks
    return None if masks is None else follow_masks(synthetic, masks, load_segmenter())
