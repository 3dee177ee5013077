"""How near images are to each other, copies and near-duplicates: independent ways to those of docs/precision.md."""

from __future__ import annotations

import math

import numpy as np
from scipy import optimize, spatial, stats
from skimage.measure import block_reduce
from sklearn.neighbors import NearestNeighbors

from measures.duplicates import near_duplicates
from measures.features import PIXELS, Extractor
from measures.memorisation import judge_memorisation, margins
from measures.memorisation_support import Share, chance_of_less, interval_of_chance, z_of_chance
from measures.neighbours import NEIGHBOURS, all_views, distances, nearest, view
from tests.evaluation.precision_tools import absolute, images, relative, rng

RAW = Extractor("raw", lambda pixels: pixels.flatten(1))


def distances_by_scipy() -> float:
    queries, reference = (images(count, seed, 8).transpose(0, 3, 1, 2) for count, seed in ((12, 1), (15, 2)))
    expected = np.min(
        [spatial.distance.cdist(RAW(view(queries, number)), RAW(reference)) for number in range(8)], axis=0
    )
    return relative(distances(all_views(queries, RAW), RAW(reference)), expected)


def relative_by_sklearn() -> float:
    queries, reference = rng(1).normal(0, 1, (8, 20, 16)), rng(2).normal(0, 1, (120, 16))
    best = np.min([spatial.distance.cdist(queries[number], reference) for number in range(8)], axis=0)
    one = NearestNeighbors(n_neighbors=NEIGHBOURS, metric="precomputed").fit(np.zeros((120, 120)))
    near, _ = one.kneighbors(best)
    return relative(nearest(queries, reference).relative, near[:, 0] / near.mean(axis=1))


def lower_quantile(values: np.ndarray, share: float) -> float:
    """Return the order statistic of rank share (n + 1), written out."""
    ordered, rank = sorted(values.tolist()), share * (len(values) + 1)
    below = min(max(int(rank), 1), len(ordered))
    above = min(below + 1, len(ordered))
    return ordered[below - 1] + max(rank - below, 0) * (ordered[above - 1] - ordered[below - 1])


def copies() -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Return samples, training images, held-out ones and their lesions, of which 20 have a second photograph."""
    sets = [images(count, seed, 32).transpose(0, 3, 1, 2) for count, seed in ((12, 1), (30, 2), (110, 3))]
    sets[2][90:105] = sets[2][:15] ^ 1
    return sets[0], sets[1], sets[2], [f"L{row % 90}" for row in range(110)]


def relative_by_scipy(queries: np.ndarray, reference: np.ndarray) -> np.ndarray:
    found = np.sort(
        np.min([spatial.distance.cdist(PIXELS(view(queries, v)), PIXELS(reference)) for v in range(8)], axis=0)
    )
    return found[:, 0] / found[:, :NEIGHBOURS].mean(axis=1)


def threshold_of_copies() -> float:
    samples, train, held_out, _ = copies()
    seen = relative_by_scipy(held_out, train)
    expected = lower_quantile(seen / np.quantile(seen, 0.01), 0.01)
    return relative(judge_memorisation(samples, train, held_out).threshold, expected)


def threshold_of_duplicates() -> float:
    """Of two spaces: the lower quantile of the smaller of both distances, each in units of its first percentile."""
    spaces = [np.abs(rng(seed).normal(5, 1, (150, 150))) + np.diag([np.inf] * 150) for seed in (1, 2)]
    shortest = [[min(row) for row in space.tolist()] for space in spaces]
    scores = [np.array(one) / np.quantile(one, 0.01) for one in shortest]
    return relative(near_duplicates(spaces, spaces).threshold, 0.75 * lower_quantile(np.minimum(*scores), 0.01))


def control_by_loops() -> float:
    """One search for each lesion, its second photograph added to the training images."""
    samples, train, held_out, lesions = copies()
    found = judge_memorisation(samples, train, held_out, lesions=lesions)
    unit, hits = np.quantile(relative_by_scipy(held_out, train), 0.01), []
    for row in range(20):
        with_it = np.concatenate([train, held_out[row + 90 : row + 91]])
        hits.append(relative_by_scipy(held_out[row : row + 1], with_it)[0] / unit < found.threshold)
    assert found.control is not None
    assert 0 < sum(hits) < 20
    return absolute(found.control.share, sum(hits) / 20)


def authentic_by_loops() -> float:
    samples, train, held_out, lesions = copies()
    level = judge_memorisation(samples, train, held_out, lesions=lesions).set_level[PIXELS.name]
    own = spatial.distance.cdist(PIXELS(train), PIXELS(train)) + np.diag([np.inf] * len(train))
    expected = []
    for queries in (samples, held_out[:90]):
        views = [spatial.distance.cdist(PIXELS(view(queries, v)), PIXELS(train)) for v in range(8)]
        expected.append(np.mean([row.min() > own[row.argmin()].min() for row in np.min(views, axis=0)]))
    return absolute(np.array([level.authentic.share, level.authentic_held_out.share]), np.array(expected))


def nearer_by_scipy() -> float:
    """With the variance of Hanley and McNeil as they wrote it."""
    a, b = rng(1).normal(0, 1, 40), rng(2).normal(0.5, 1, 30)
    chance = chance_of_less(a, b)

    def surplus(true: float, sign: int) -> float:
        first, second = true / (2 - true), 2 * true**2 / (1 + true)
        variance = true * (1 - true) + 34 * (first - true**2) + 34 * (second - true**2)
        return true - chance - sign * stats.norm.ppf(0.975) * math.sqrt(variance / 1200)

    expected = (
        float(stats.mannwhitneyu(b, a).statistic) / 1200,
        float(optimize.bisect(surplus, 1e-6, chance, args=(-1,), xtol=1e-14)),
        float(optimize.bisect(surplus, chance, 1 - 1e-6, args=(1,), xtol=1e-14)),
    )
    return absolute(np.array([chance, *interval_of_chance(chance, 40, 30)]), np.array(expected))


def c_t_by_scipy() -> float:
    """Its two-sided p-value against that of SciPy."""
    a, b = rng(1).normal(0, 1, 40), rng(2).normal(0.5, 1, 30)
    one = stats.mannwhitneyu(a, b, method="asymptotic", use_continuity=False)
    return absolute(2 * float(stats.norm.sf(abs(z_of_chance(chance_of_less(a, b), 40, 30)))), float(one.pvalue))


def share_by_wilson() -> float:
    found, z = Share.of(np.arange(140) < 7), stats.norm.ppf(0.975)
    middle, half = (7 + z * z / 2) / (140 + z * z), z * math.sqrt(7 * 133 / 140 + z * z / 4) / (140 + z * z)
    return relative(np.array([found.low, found.high]), np.array([middle - half, middle + half]))


def pixels_by_blocks() -> float:
    pixels = images(3, 1, 128)
    expected = [block_reduce(picture / 255, (4, 4, 1), np.mean).transpose(2, 0, 1).ravel() for picture in pixels]
    return absolute(PIXELS(pixels.transpose(0, 3, 1, 2)), np.array(expected))


def excess_by_newcombe() -> float:
    """Method 10 written out: Wilson's limits of both shares, their distances squared and added."""
    found = margins((7, 140), (7, 734))

    def wilson(hits: int, n: int) -> tuple[float, float]:
        z, share = stats.norm.ppf(0.975), hits / n
        half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return ((share + z * z / (2 * n) - half) / (1 + z * z / n), (share + z * z / (2 * n) + half) / (1 + z * z / n))

    (low, high), (other_low, other_high) = wilson(7, 140), wilson(7, 734)
    expected = (math.hypot(7 / 140 - low, other_high - 7 / 734), math.hypot(high - 7 / 140, 7 / 734 - other_low))
    return relative(np.array(found), np.array(expected))
