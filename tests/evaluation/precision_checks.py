"""Every number of the product beside an independent way to reach it: what docs/precision.md states and CI checks.

`python -m tests.evaluation.precision_checks` prints the table of that page with the errors measured here.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from PIL import Image, ImageStat
from scipy import ndimage, optimize, spatial, stats
from scipy.linalg import sqrtm, svdvals
from skimage import color
from skimage import metrics as pictures
from sklearn import metrics as sk

from classifier.scores import BINS, fit_temperature, probabilities_of, score, score_calibration
from diffusion.fidelity import balanced_accuracy
from evaluation.appearance import differences, image_numbers
from evaluation.diversity import vendi_score
from evaluation.masks.overlap import dice, iou
from evaluation.utility.statistics import interval_of
from measures.bootstrap import bootstrap_by_group
from measures.frechet import frechet_distance, gaussian_distance, measure_frechet
from measures.kid import kid, squared_mmd
from measures.likeness import mae, mse, psnr, ssim
from measures.lpips import Lpips, alexnet_trunk, read_heads
from measures.prdc import prdc
from tests.evaluation import nearness_checks as near
from tests.evaluation.precision_tools import absolute, images, relative, rng
from tests.evaluation.test_pairs import slow_ssim
from xai.attribution import integrated_gradients, rank_agreement
from xai.shapley import exact_shares, sampled_shares


@dataclass(frozen=True)
class Check:
    """A number, what it is compared with, how far it may be off, and how far it is.

    Attributes
    ----------
    error
        Computes the largest error of a case or several: relative where the values have a scale of their own, absolute
        for shares and correlations.
    """

    name: str
    reference: str
    allowed: float
    error: Callable[[], float]


def answers(n: int = 400, classes: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities and labels of unequal frequency."""
    labels = np.arange(n) % classes * (rng(1).random(n) < 0.6)
    return probabilities_of(rng(2).normal(0, 1, (n, classes)) + 1.5 * np.eye(classes)[labels]), labels


# --- distances between sets ---


def frechet_against_sqrtm() -> float:
    a, b = rng(1).normal(0, 1, (300, 24)), rng(2).normal(0.3, 1.4, (260, 24)) @ rng(3).normal(0, 0.3, (24, 24))
    root = sqrtm(np.cov(a, rowvar=False) @ np.cov(b, rowvar=False))
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(
        np.cov(a, rowvar=False) + np.cov(b, rowvar=False) - 2 * np.real(root)
    )
    return relative(frechet_distance(a, b), float(expected))


def frechet_closed_form() -> float:
    mean, scale, d = rng(1).normal(0, 1, 64), 1.7, 64
    found = gaussian_distance(np.zeros(d), np.eye(d), mean, scale**2 * np.eye(d))
    return relative(found, float(mean @ mean + d * (scale - 1) ** 2))


def frechet_to_itself() -> float:
    """In units of the total variance; fewer images than numbers, so that the covariance is singular."""
    a = rng(1).normal(0, 2, (40, 64))
    return frechet_distance(a, a) / float(np.trace(np.cov(a, rowvar=False)))


def frechet_for_endless_n() -> float:
    """Least squares by their normal equations, through distances by SciPy's root, over the same random subsets."""
    a, b = rng(1).normal(0, 1, (80, 5)), rng(2).normal(0.4, 1.3, (64, 5))
    draw, points = rng(7), []
    for share in (0.5, 0.625, 0.75, 0.875, 1.0):
        for _ in range(3):
            some = [x[draw.choice(len(x), size=int(share * len(x)), replace=False)] for x in (a, b)]
            covariances = [np.cov(x, rowvar=False) for x in some]
            root = np.real(sqrtm(covariances[0] @ covariances[1]))
            shift = np.square(some[0].mean(0) - some[1].mean(0)).sum()
            points.append((1 / (share * 64), shift + np.trace(sum(covariances) - 2 * root)))
    x, y = np.array(points).T
    slope = ((x - x.mean()) * (y - y.mean())).sum() / np.square(x - x.mean()).sum()
    found = measure_frechet(a, b, None, rng(7)).infinity
    assert found is not None
    return relative(found, float(y.mean() - slope * x.mean()))


def kid_interval_one_by_one() -> float:
    """The same random halves, taken out and measured one by one; in units of the interval's width."""
    a, b = rng(1).normal(0, 1, (60, 12)), rng(2).normal(0.4, 1, (41, 12))
    draw, values = rng(5), []
    for _ in range(100):
        values.append(squared_mmd(*(x[draw.choice(len(x), size=len(x) // 2, replace=False)] for x in (a, b))))
    low, high = (squared_mmd(a, b) + np.percentile(values, share) - np.mean(values) for share in (2.5, 97.5))
    found = kid(a, b, seed=5)
    return absolute(np.array([found.low, found.high]), np.array([low, high])) / (high - low)


def kid_by_pairs() -> float:
    a, b = rng(1).normal(0, 1, (30, 12)), rng(2).normal(0.4, 1, (25, 12))

    def kernel(x: np.ndarray, y: np.ndarray) -> float:
        return (math.fsum((x * y).tolist()) / 12 + 1) ** 3

    def within(x: np.ndarray) -> float:
        pairs = (kernel(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j)
        return math.fsum(pairs) / (len(x) * (len(x) - 1))

    cross = math.fsum(kernel(one, other) for one in a for other in b) / (len(a) * len(b))
    return relative(squared_mmd(a, b), within(a) + within(b) - 2 * cross)


def prdc_by_loops() -> float:
    real, fake, k = rng(1).normal(0, 1, (60, 6)), rng(2).normal(0.3, 1.2, (45, 6)), 5

    def radius(own: np.ndarray) -> np.ndarray:
        return np.sort(spatial.distance.cdist(own, own), axis=1)[:, k]

    between, real_radius, fake_radius = spatial.distance.cdist(real, fake), radius(real), radius(fake)
    inside = [[between[i, j] <= real_radius[i] for j in range(45)] for i in range(60)]
    expected = [
        np.mean([any(inside[i][j] for i in range(60)) for j in range(45)]),
        np.mean([any(between[i, j] <= fake_radius[j] for j in range(45)) for i in range(60)]),
        sum(inside[i][j] for i in range(60) for j in range(45)) / (k * 45),
        np.mean([between[i].min() <= real_radius[i] for i in range(60)]),
    ]
    found = prdc(real, fake, k)
    return absolute(np.array([found.precision, found.recall, found.density, found.coverage]), np.array(expected))


def vendi_by_singular_values() -> float:
    features = rng(1).normal(0, 1, (50, 80))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    values = svdvals(unit / math.sqrt(50)) ** 2
    return relative(vendi_score(features), math.exp(stats.entropy(values)))


# --- a classifier's scores ---


def fidelity_by_sklearn() -> float:
    chances, labels = answers()
    seen = chances.argmax(axis=1)
    found = balanced_accuracy(labels, seen, range(len(labels)))
    return absolute(found.value, float(sk.balanced_accuracy_score(labels, seen)))


def scores_by_sklearn() -> float:
    chances, labels = answers()
    found = {name: values[0] for name, values in score(chances, labels, np.ones((1, len(labels)))).items()}
    seen = chances.argmax(axis=1)
    expected = {
        "balanced_accuracy": sk.balanced_accuracy_score(labels, seen),
        "f1_macro": sk.f1_score(labels, seen, average="macro"),
        "auc_macro": sk.roc_auc_score(labels, chances, multi_class="ovr"),
        "accuracy": sk.accuracy_score(labels, seen),
        "precision_macro": sk.precision_score(labels, seen, average="macro"),
    }
    return max(absolute(found[name], value) for name, value in expected.items())


def sensitivity_by_roc() -> float:
    chances, labels = answers()
    found = score(chances, labels, np.ones((1, len(labels))))["sensitivity_at_90_specificity"][0]
    expected = []
    for label in range(7):
        false, true, _ = sk.roc_curve(labels == label, chances[:, label], drop_intermediate=False)
        expected.append(true[false <= 0.1 + 1e-12].max())
    return absolute(found, np.array(expected))


def weights_by_repetition() -> float:
    """A resample as weights equals the resample written out."""
    chances, labels = answers(150)
    counts = rng(3).integers(0, 4, 150)
    rows = np.repeat(np.arange(150), counts)
    by_weights = score(chances, labels, counts[None])
    by_rows = score(chances[rows], labels[rows], np.ones((1, len(rows))))
    return max(absolute(by_weights[name][0], by_rows[name][0]) for name in ("balanced_accuracy", "auc_macro", "f1"))


def calibration_by_loops() -> float:
    chances, labels = answers()
    found = score_calibration(chances, labels, np.ones((1, len(labels))))
    confidence, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    gaps = []
    for low in range(BINS):
        held = [i for i in range(len(labels)) if min(int(confidence[i] * BINS), BINS - 1) == low]
        gaps.append(abs(math.fsum(confidence[i] - right[i] for i in held)) / len(labels))
    brier = math.fsum(
        (chances[i, k] - (labels[i] == k)) ** 2 for i, k in itertools.product(range(len(labels)), range(7))
    )
    log_loss = sk.log_loss(labels, chances)
    expected = np.array([math.fsum(gaps), brier / len(labels), log_loss])
    return absolute(np.array([found["ece"][0], found["brier"][0], found["log_loss"][0]]), expected)


def temperature_by_root() -> float:
    """The minimum is where the derivative of the loss by 1/T vanishes."""
    labels = rng(1).integers(0, 7, 500)
    logits = 3 * (rng(2).normal(0, 1, (500, 7)) + np.eye(7)[labels])

    def slope(inverse: float) -> float:
        chances = probabilities_of(logits * inverse)
        return float(((chances * logits).sum(axis=1) - logits[np.arange(500), labels]).mean())

    return relative(fit_temperature(logits, labels), 1 / float(optimize.brentq(slope, 0.1, 10, xtol=1e-14)))


# --- how sure ---


def bootstrap_by_enumeration() -> float:
    """Against all 7^7 resamples, in units of the interval's width; the rest is the chance of 2,000 draws."""
    values = np.array([0.12, 0.35, 0.41, 0.58, 0.66, 0.83, 0.97])
    means, weights = [], []
    for counts in itertools.product(range(8), repeat=6):
        last = 7 - sum(counts)
        if last >= 0:
            every = (*counts, last)
            means.append(float(np.dot(every, values)) / 7)
            weights.append(math.factorial(7) / math.prod(map(math.factorial, every)) / 7**7)
    order = np.argsort(means)
    cumulated = np.cumsum(np.array(weights)[order])
    low, high = (float(np.array(means)[order][np.searchsorted(cumulated, share)]) for share in (0.025, 0.975))
    found = np.mean(
        [bootstrap_by_group(lambda rows: float(values[rows].mean()), range(7), seed=seed) for seed in range(5)], axis=0
    )
    return absolute(found, np.array([low, high])) / (high - low)


def interval_by_scipy() -> float:
    """Without any uncertainty from lesions it is Student's interval over the seeds."""
    seeds = rng(1).normal(0.5, 0.02, 6)
    found = interval_of(np.column_stack([seeds, *[seeds] * 8]))
    expected = stats.t.interval(0.95, 5, seeds.mean(), stats.sem(seeds))
    return relative(np.array([found.low, found.high]), np.array(expected))


# --- pictures and masks ---


def psnr_by_skimage() -> float:
    a, b = images(2, 1)
    return relative(psnr(a, b), pictures.peak_signal_noise_ratio(a, b, data_range=255))


def errors_by_fractions() -> float:
    a, b = images(2, 1, 12)
    pairs = [int(x) - int(y) for x, y in zip(a.ravel(), b.ravel(), strict=True)]
    expected = [Fraction(sum(d * d for d in pairs), len(pairs)), Fraction(sum(map(abs, pairs)), len(pairs))]
    return max(relative(mse(a, b), float(expected[0])), relative(mae(a, b), float(expected[1])))


def ssim_by_definition() -> float:
    a = images(1, 1, 32)[0]
    b = np.clip(a.astype(int) + rng(2).integers(-60, 60, a.shape), 0, 255).astype(np.uint8)
    return absolute(ssim(a, b), slow_ssim(a, b))


def overlap_by_sklearn() -> float:
    first, second = rng(1).random((5, 9, 9)) < 0.4, rng(2).random((5, 9, 9)) < 0.6
    pairs = [(a.ravel(), b.ravel()) for a, b in zip(first, second, strict=True)]
    found = np.stack([dice(first, second), iou(first, second)])
    return absolute(found, np.array([[sk.f1_score(*p) for p in pairs], [sk.jaccard_score(*p) for p in pairs]]))


def lpips_by_definition() -> float:
    """Equation 1 of the paper in double precision, with a trunk of random weights; LPIPS itself computes in single."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        trunk = alexnet_trunk()
    a, b = images(2, 1, 64)
    pairs = zip(_layers_of(trunk, a), _layers_of(trunk, b), read_heads(), strict=True)
    expected = sum(float((((x - y) ** 2).mean((1, 2)) * head.numpy().astype(np.float64)).sum()) for x, y, head in pairs)
    return relative(Lpips(trunk, read_heads())(a, b), expected)


def _layers_of(trunk: torch.nn.Sequential, image: np.ndarray) -> list[np.ndarray]:
    shift, scale = np.array([-0.030, -0.088, -0.188]), np.array([0.458, 0.448, 0.450])
    seen, found = ((image / 255 * 2 - 1 - shift) / scale).transpose(2, 0, 1), []
    for layer in trunk[:12]:
        if isinstance(layer, torch.nn.Conv2d):
            seen = _convolved(seen, layer)
        elif isinstance(layer, torch.nn.MaxPool2d):
            seen = np.lib.stride_tricks.sliding_window_view(seen, (3, 3), (1, 2))[:, ::2, ::2].max((3, 4))
        else:
            seen = np.maximum(seen, 0)
            found.append(seen / np.linalg.norm(seen, axis=0))
    return found


def _convolved(seen: np.ndarray, layer: torch.nn.Conv2d) -> np.ndarray:
    edge, step = layer.padding[0], layer.stride[0]
    padded = np.pad(seen, ((0, 0), (edge, edge), (edge, edge)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, layer.kernel_size, (1, 2))[:, ::step, ::step]
    weight, bias = (tensor.detach().numpy().astype(np.float64) for tensor in (layer.weight, layer.bias))
    return np.einsum("chwij,ocij->ohw", windows, weight, optimize=True) + bias[:, None, None]


def colours_by_pillow() -> float:
    pixels = images(3, 1)
    found = image_numbers(pixels.transpose(0, 3, 1, 2))
    expected = []
    for picture in pixels:
        grey = picture.astype(np.float64).mean(axis=2).ravel().tolist()
        expected.append([*ImageStat.Stat(Image.fromarray(picture)).mean, statistics.pstdev(grey)])
    return relative(found[:, :4], np.array(expected))


def saturation_by_skimage() -> float:
    pixels = images(3, 1)
    expected = [color.rgb2hsv(picture)[..., 1].mean() for picture in pixels]
    return absolute(image_numbers(pixels.transpose(0, 3, 1, 2))[:, 4], np.array(expected))


def deviations_by_statistics() -> float:
    synthetic, real = rng(1).normal(0.4, 1, (40, 6)), rng(2).normal(0, 2, (50, 6))
    found = differences(synthetic, real, [str(i) for i in range(40)], [str(i) for i in range(50)])
    expected = [
        (statistics.fmean(a) - statistics.fmean(b)) / statistics.pstdev(b)
        for a, b in zip(synthetic.T.tolist(), real.T.tolist(), strict=True)
    ]
    return relative(np.array([one.difference for one in found.values()]), np.array(expected))


def sharpness_by_scipy() -> float:
    pixels = images(3, 1).transpose(0, 3, 1, 2)
    grey = pixels.mean(axis=1)
    edges = [ndimage.laplace(picture)[1:-1, 1:-1].var() for picture in grey]
    return absolute(image_numbers(pixels)[:, 5], np.log10(np.array(edges) + 1))


# --- explanations ---


def _worth(coalitions: np.ndarray) -> np.ndarray:
    """A game of seven players with interactions of every order."""
    values = rng(1).normal(0, 1, 128)
    return values[coalitions.astype(int) @ (1 << np.arange(7))]


def _by_every_order() -> np.ndarray:
    totals = [[] for _ in range(7)]
    table = {subset: float(_worth(_row(subset))[0]) for n in range(8) for subset in itertools.combinations(range(7), n)}
    for order in itertools.permutations(range(7)):
        for place, player in enumerate(order):
            before, after = tuple(sorted(order[:place])), tuple(sorted(order[: place + 1]))
            totals[player].append(table[after] - table[before])
    return np.array([math.fsum(total) / math.factorial(7) for total in totals])


def _row(players: tuple[int, ...]) -> np.ndarray:
    row = np.zeros((1, 7), dtype=bool)
    row[0, list(players)] = True
    return row


def shapley_by_every_order() -> float:
    return relative(exact_shares(_worth, 7).values, _by_every_order())


def sampled_shapley_in_standard_errors() -> float:
    """Largest error of the estimate in units of its own standard error."""
    found = sampled_shares(_worth, 7, 3)
    return float(np.max(np.abs(found.values - exact_shares(_worth, 7).values) / found.standard_error))


def gradients_by_primitive() -> float:
    """Of sin(w x) the integrated gradient is sin(w x) - sin(w b), pixel by pixel; float32."""
    make = torch.Generator().manual_seed(0)
    image, baseline, weight = (torch.rand(1, 3, 6, 5, generator=make) for _ in range(3))
    found = integrated_gradients(lambda x: torch.sin(5 * weight * x).sum((1, 2, 3)), image, [baseline])
    expected = (torch.sin(5 * weight * image) - torch.sin(5 * weight * baseline))[0].permute(1, 2, 0)
    return relative(found.values, expected.numpy())


def ranks_by_scipy() -> float:
    a, b = rng(1).integers(0, 20, 256).astype(float), rng(2).normal(0, 1, 256)
    found = rank_agreement(a, b)
    assert found is not None
    return absolute(found, float(stats.spearmanr(a, b).statistic))


CHECKS = (
    Check("Fréchet distance", "matrix square root of SciPy (`sqrtm`)", 1e-10, frechet_against_sqrtm),
    Check("Fréchet distance of known Gaussians", "closed form", 1e-12, frechet_closed_form),
    Check("Fréchet distance of a set to itself, over its variance", "0", 1e-7, frechet_to_itself),
    Check("Fréchet distance, infinite n", "normal equations, `sqrtm`, same subsets", 1e-9, frechet_for_endless_n),
    Check("CI of the kernel distance, over its width", "the same halves one by one", 1e-9, kid_interval_one_by_one),
    Check("kernel distance (MMD²)", "double sum over all pairs, `math.fsum`", 1e-10, kid_by_pairs),
    Check("precision, recall, density, coverage", "loops over all pairs", 1e-12, prdc_by_loops),
    Check("Vendi score", "entropy of singular values (SciPy)", 1e-10, vendi_by_singular_values),
    Check("nearest-neighbour distance", "SciPy `cdist`, eight orientations", 1e-9, near.distances_by_scipy),
    Check("relative distance (memorisation)", "scikit-learn `NearestNeighbors`", 1e-9, near.relative_by_sklearn),
    Check("copy threshold", "SciPy `cdist`, order statistics written out", 1e-9, near.threshold_of_copies),
    Check("near-duplicate threshold", "order statistics written out", 1e-12, near.threshold_of_duplicates),
    Check("positive control of copy detection", "a search for each lesion", 1e-12, near.control_by_loops),
    Check("AuthPct", "SciPy `cdist`, loops", 1e-12, near.authentic_by_loops),
    Check("probability of a smaller distance, its CI", "SciPy `mannwhitneyu`, `bisect`", 1e-9, near.nearer_by_scipy),
    Check("C_T", "p-value of SciPy `mannwhitneyu`", 1e-9, near.c_t_by_scipy),
    Check("CI of a share (near-duplicates, control)", "Wilson's formula", 1e-9, near.share_by_wilson),
    Check("pixels averaged to 32 x 32 (single precision)", "scikit-image `block_reduce`", 1e-6, near.pixels_by_blocks),
    Check("CI of the excess of copies", "Newcombe's method 10 written out", 1e-9, near.excess_by_newcombe),
    Check("balanced accuracy of class fidelity", "scikit-learn", 1e-12, fidelity_by_sklearn),
    Check("accuracies, precision, F1, AUC", "scikit-learn", 1e-12, scores_by_sklearn),
    Check("sensitivity at 90 % specificity", "scikit-learn `roc_curve`", 1e-12, sensitivity_by_roc),
    Check("scores of a bootstrap resample", "the resample written out", 1e-12, weights_by_repetition),
    Check("ECE, Brier score, log loss", "loops with `math.fsum`; scikit-learn", 1e-12, calibration_by_loops),
    Check("temperature", "root of the derivative (SciPy `brentq`)", 1e-4, temperature_by_root),
    Check("limits of a bootstrap CI, over its width", "all 823,543 resamples", 0.03, bootstrap_by_enumeration),
    Check("CI over seeds", "SciPy `t.interval`", 1e-12, interval_by_scipy),
    Check("PSNR", "scikit-image", 1e-12, psnr_by_skimage),
    Check("MSE, MAE", "exact fractions", 1e-15, errors_by_fractions),
    Check("SSIM", "its definition, channel by channel", 1e-9, ssim_by_definition),
    Check("Dice, IoU", "scikit-learn `f1_score`, `jaccard_score`", 1e-15, overlap_by_sklearn),
    Check("LPIPS (single precision)", "its definition in double precision, random trunk", 1e-5, lpips_by_definition),
    Check("mean colours, standard deviations", "Pillow `ImageStat`, Python `statistics`", 1e-12, colours_by_pillow),
    Check("saturation", "scikit-image `rgb2hsv`", 1e-12, saturation_by_skimage),
    Check("differences in standard deviations", "Python `statistics`", 1e-12, deviations_by_statistics),
    Check("sharpness", "SciPy `laplace`", 1e-12, sharpness_by_scipy),
    Check("exact Shapley values", "every order of the superpixels", 1e-12, shapley_by_every_order),
    Check(
        "sampled Shapley values, in their standard errors", "exact values", 4.0, sampled_shapley_in_standard_errors
    ),
    Check("Integrated Gradients", "antiderivative of the gradient", 1e-5, gradients_by_primitive),
    Check("rank correlation of maps", "SciPy `spearmanr`", 1e-12, ranks_by_scipy),
)  # fmt: skip


def row_of(check: Check) -> str:
    """Return the page's line for a check, up to the measured error."""
    return f"| {check.name} | {check.reference} | {check.allowed:g} |"


if __name__ == "__main__":
    for one in CHECKS:
        print(f"{row_of(one)} {one.error():.1g} |")
