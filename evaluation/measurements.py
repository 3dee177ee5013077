"""Everything that is measured of a synthetic set, in the order of the report."""

from __future__ import annotations

from typing import Final

from evaluation.appearance import appearance_section
from evaluation.context import Context, Measurement, Tick
from evaluation.distribution import compare
from evaluation.distribution_section import distribution_section
from evaluation.fidelity import fidelity_section
from evaluation.section import Section
from evaluation.sets import ImageSet


def measure_distribution(context: Context, synthetic: ImageSet, tick: Tick) -> Section:
    """Compare the features of a set with those of real photographs in every space."""
    sides, found = {}, {}
    total = len(context.spaces) * (len(synthetic) + len(context.real))
    done = 0
    for space in context.spaces:

        def step(count: int, _: int, before: int = done) -> None:
            tick(before + count, total)

        real = context.features(context.real, space, step)
        done += len(context.real)

        def further(count: int, _: int, before: int = done) -> None:
            tick(before + count, total)

        drawn = context.features(synthetic, space, further)
        done += len(synthetic)
        sides[space.name] = (drawn, real)
        found[space.name] = compare(drawn, real, context.request.seed)
    return distribution_section({space.name: space for space in context.spaces}, sides, found)


def measure_fidelity(context: Context, synthetic: ImageSet, tick: Tick) -> Section:
    """Ask the classifier."""
    return fidelity_section(context.network, synthetic, context.real, context.side)


def measure_appearance(context: Context, synthetic: ImageSet, tick: Tick) -> Section:
    """Compare colour and sharpness."""
    return appearance_section(synthetic, context.real, context.side, context.request.seed)


MEASUREMENTS: Final = (
    Measurement("distribution", "Distance to real photographs", 5.0, measure_distribution),
    Measurement("fidelity", "Class fidelity", 2.0, measure_fidelity),
    Measurement("appearance", "Colour and sharpness", 1.0, measure_appearance),
)
