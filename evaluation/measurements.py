"""Everything that is measured of a synthetic set, in the order of the report."""

from __future__ import annotations

from typing import Final

from core.jobs.stream import JobContext
from core.message import Message
from evaluation.appearance import appearance_section
from evaluation.context import Context, Measurement
from evaluation.distribution import compare
from evaluation.distribution_section import distribution_section
from evaluation.diversity import diversity
from evaluation.fidelity import fidelity_section
from evaluation.finding import Finding
from evaluation.masks.section import follow_masks
from evaluation.masks.segmenter import load_segmenter
from evaluation.memorisation import memorisation
from evaluation.pairs import compare_pairs
from evaluation.sets import ImageSet, read_set


def measure_distribution(context: Context, synthetic: ImageSet, job: JobContext) -> Finding:
    """Compare the features of a set with those of real photographs in every space."""
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


def measure_fidelity(context: Context, synthetic: ImageSet, job: JobContext) -> Finding:
    """Ask the classifier."""
    return fidelity_section(context.network, synthetic, context.real, context.side, job)


def measure_appearance(context: Context, synthetic: ImageSet, job: JobContext) -> Finding:
    """Compare colour and sharpness."""
    return appearance_section(synthetic, context.real, context.side, context.request.seed)


def measure_memorisation(context: Context, synthetic: ImageSet, job: JobContext) -> Finding | None:
    """Look for copies of training photographs."""
    if context.train is None:
        return None
    folder = context.folder_of(synthetic)
    with context.cache.remembering(context.spaces[0].extractor) as extractor:
        return memorisation(synthetic, context.train, context.real, extractor, folder, job)


def measure_diversity(context: Context, synthetic: ImageSet, job: JobContext) -> Finding:
    """Ask whether the set repeats itself."""
    with context.cache.remembering(context.spaces[0].extractor) as extractor:
        return diversity(synthetic, context.real, extractor, context.request.seed, job)


def measure_pairs(context: Context, synthetic: ImageSet, job: JobContext) -> Finding | None:
    """Compare images with the references of their names."""
    reference = context.request.reference
    return None if reference is None else compare_pairs(synthetic, read_set(reference), job, context.lpips)


def measure_masks(context: Context, synthetic: ImageSet, job: JobContext) -> Finding | None:
    """Ask whether images follow the masks of their names."""
    masks = context.request.masks
    return None if masks is None else follow_masks(synthetic, masks, load_segmenter())


MEASUREMENTS: Final = (
    Measurement("distribution", Message("Distance to real photographs"), 5.0, measure_distribution),
    Measurement("fidelity", Message("Class fidelity"), 2.0, measure_fidelity),
    Measurement("memorisation", Message("Memorisation"), 12.0, measure_memorisation),
    Measurement("diversity", Message("Diversity"), 8.0, measure_diversity),
    Measurement("appearance", Message("Colour and sharpness"), 1.0, measure_appearance),
    Measurement("pairs", Message("Image pairs"), 1.0, measure_pairs),
    Measurement("masks", Message("Following masks"), 1.0, measure_masks),
)
