"""Every method: values worked out by hand, nothing left behind or changed, cancelling, one result for one seed."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch
from captum.attr import ShapleyValues

from core.jobs.stream import JobStopped
from core.models.classification.loading import Preprocessing
from tests.support.stopping_job import StoppingJob
from tests.xai.toys import Linear, TwoLayers, hooks_of, picture
from xai.attribution import agreement_map, guarded, integrated_gradients, rank_agreement
from xai.gradcam import grad_cam, layer_cam
from xai.occlusion import occlusion
from xai.shapley import EXACT_PLAYERS, _play, shapley_values
from xai.smoothgrad import smoothgrad

SEGMENTS = (np.arange(9)[:, None] // 3 * 2 + np.arange(7) // 4).astype(np.int32)
"""Six superpixels of 3 x 4 or 3 x 3 pixels."""


def combined(score, image, baselines, **_):
    return agreement_map(
        integrated_gradients(score, image, baselines),
        shapley_values(score, image, baselines, segments=SEGMENTS, seed=0),
    )


def _cam(method, name):
    return lambda score, image, baselines, net: method(score, image, baselines, layer=net.get_submodule(name))


METHODS = {
    "ig": lambda s, i, b, net: integrated_gradients(s, i, b),
    "shapley": lambda s, i, b, net: shapley_values(s, i, b, segments=SEGMENTS, seed=0),
    "combined": lambda s, i, b, net: combined(s, i, b),
    "gradcam": _cam(grad_cam, "relu2"),
    "layercam": _cam(layer_cam, "relu"),
    "occlusion": lambda s, i, b, net: occlusion(s, i, b, chunk=3),
    "smoothgrad": lambda s, i, b, net: smoothgrad(s, i, b, seed=0, samples=6, chunk=2),
}


@pytest.fixture(params=METHODS)
def method(request):
    return METHODS[request.param]


@pytest.fixture
def net():
    return TwoLayers()


@pytest.mark.parametrize("name", ["gradcam", "layercam", "occlusion", "smoothgrad"])
def test_methods_that_do_not_add_up_claim_no_gap(name, net):
    found = METHODS[name](net.score(), picture(1), [picture(2)], net)
    assert (found.delta, found.relative_delta) == (0, None)


def test_shape_type_ends_and_finite_values(method, net):
    image, baselines = picture(1), [picture(2), picture(3)]
    found = method(net.score(), image, baselines, net)
    assert found.values.shape == (9, 7, 3)
    assert found.values.dtype == np.float32
    assert np.isfinite(found.values).all()
    assert found.values.any()
    with torch.no_grad():
        assert found.score == pytest.approx(net.score()(image).item(), rel=1e-5)
        start = np.mean([net.score()(b).item() for b in baselines])
        assert found.baseline_score == pytest.approx(start, rel=1e-5)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_leaves_no_trace(method, net, mode):
    image, baseline = picture(1), picture(2)
    before = image.clone(), baseline.clone()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    stream = torch.random.get_rng_state()
    with mode():
        enabled = torch.is_grad_enabled()
        method(net.score(), image, [baseline], net)
        assert torch.is_grad_enabled() == enabled
    assert torch.equal(image, before[0])
    assert torch.equal(baseline, before[1])
    assert not image.requires_grad
    assert image.grad is None
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in net.parameters())
    assert torch.equal(torch.random.get_rng_state(), stream), "the process's own random stream is not touched"
    assert not hooks_of(net)
    assert not net.training


@pytest.mark.parametrize("failing_call", [0, 1, 3])
def test_no_hook_is_left_after_an_error(method, net, failing_call):
    calls = []

    def score(pixels):
        calls.append(1)
        answer = net.score()(pixels)
        if len(calls) > failing_call:
            raise MemoryError
        return answer

    with pytest.raises(MemoryError):
        method(score, picture(1), [picture(2), picture(3)], net)
    assert not hooks_of(net)


def test_no_hook_is_left_after_a_wrong_target(method, net):
    with pytest.raises(IndexError):
        method(net.score(index=99), picture(1), [picture(2)], net)
    assert not hooks_of(net)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_stops_before_the_next_forward_pass(method, net, after):
    passes = []

    def score(pixels):
        passes.append(len(pixels))
        return net.score()(pixels)

    with pytest.raises(JobStopped):
        method(guarded(score, StoppingJob(lambda: len(passes) >= after)), picture(1), [picture(2), picture(3)], net)
    assert len(passes) == after
    assert not hooks_of(net)


def test_the_same_call_gives_the_same_bits(method, net):
    first, second = (method(net.score(), picture(1), [picture(2)], net) for _ in range(2))
    assert np.array_equal(first.values, second.values)
    assert first.parameters == second.parameters


def test_memory_does_not_grow(method, net):
    image, baseline = picture(1, 6, 6), picture(2, 6, 6)
    small = {"shapley": SEGMENTS[:6, :6]}

    def once():
        if method in (METHODS["shapley"], METHODS["combined"]):
            shapley_values(net.score(), image, [baseline], segments=small["shapley"], seed=0)
        else:
            method(net.score(), image, [baseline], net)

    def alive():
        gc.collect()
        return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())

    once()
    before = alive()
    for _ in range(100):
        once()
    assert alive() <= before


@pytest.mark.parametrize("name", ["ig", "shapley", "occlusion"])
def test_several_baselines_give_the_mean(name, net):
    image, baselines = picture(1), [picture(2), picture(3)]
    parts = [METHODS[name](net.score(), image, [b], net).values for b in baselines]
    both = METHODS[name](net.score(), image, baselines, net).values
    np.testing.assert_allclose(both, np.mean(parts, axis=0), atol=1e-6)


# Shapley


def test_shapley_of_a_linear_score_is_the_sum_of_the_contributions():
    score, image, baseline = Linear(), picture(1), picture(2)
    found = shapley_values(score, image, [baseline], segments=SEGMENTS, seed=0)
    sums = np.bincount(SEGMENTS.ravel(), score.contributions(image, baseline).ravel())
    assert found.parameters["values"] == pytest.approx(sums.tolist(), abs=1e-4)
    shown = found.values.sum(axis=2, dtype=np.float64)
    for segment, total in enumerate(sums):
        inside = shown[segment == SEGMENTS]
        assert inside.sum() == pytest.approx(total, abs=1e-4)
        assert np.ptp(inside) < 1e-6, "spread evenly"
    assert found.relative_delta < 1e-5
    assert found.steps == 64
    assert found.parameters["exact"] is True
    assert found.standard_error is None
    assert np.array_equal(found.segments, SEGMENTS)


def slow_shapley(score, image, baseline, segments):
    """Walk through all orders and paint the picture of each coalition pixel by pixel."""
    import itertools

    players = range(segments.max() + 1)
    phi, orders = np.zeros(len(players)), list(itertools.permutations(players))
    worths = {}

    def worth(coalition):
        if coalition not in worths:
            painted = baseline.clone()
            for y, x in np.ndindex(segments.shape):
                if segments[y, x] in coalition:
                    painted[0, :, y, x] = image[0, :, y, x]
            worths[coalition] = score(painted).item()
        return worths[coalition]

    for order in orders:
        for place, player in enumerate(order):
            phi[player] += worth(frozenset(order[: place + 1])) - worth(frozenset(order[:place]))
    return phi / len(orders)


@pytest.mark.parametrize("resize", [torch.clone, Preprocessing(12, (0.5, 0.4, 0.3), (0.2, 0.3, 0.2))])
def test_shapley_of_a_network_agrees_with_pictures_painted_by_hand(net, resize):
    image, baseline = picture(4), picture(5)
    found = shapley_values(net.score(), image, [baseline], segments=SEGMENTS, seed=0, resize=resize)
    expected = slow_shapley(lambda pixels: net.score()(resize(pixels)), image, baseline, SEGMENTS)
    np.testing.assert_allclose(found.parameters["values"], expected, atol=2e-5)


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_chunks_do_not_change_shapley_values(net, chunk):
    whole = shapley_values(net.score(), picture(1), [picture(2)], segments=SEGMENTS, seed=0, chunk=1000)
    parts = shapley_values(net.score(), picture(1), [picture(2)], segments=SEGMENTS, seed=0, chunk=chunk)
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-6)


def test_shapley_values_are_those_of_captum(net):
    image, baseline = picture(8), picture(9)
    segments = SEGMENTS.clip(max=4)
    found = shapley_values(net.score(), image, [baseline], segments=segments, seed=0)
    mask = torch.from_numpy(segments).long()[None, None]
    theirs = ShapleyValues(net.score()).attribute(image, baseline, feature_mask=mask)[0, 0].numpy()
    ours = np.array(found.parameters["values"])[segments]
    assert np.abs(ours).min() > 1e-3
    assert np.allclose(ours, theirs, atol=1e-5)


def test_superpixels_that_do_nothing_and_superpixels_that_do_the_same():
    # The score multiplies the brightness of segments 0 and 1, and looks at nothing else.
    masks = [torch.from_numpy(i == SEGMENTS) for i in range(2)]

    def score(pixels):
        bright = [pixels[:, :, mask].mean((1, 2)) for mask in masks]
        return 50 * bright[0] * bright[1]

    image, baseline = torch.full((1, 3, 9, 7), 0.8), torch.full((1, 3, 9, 7), 0.2)
    values = shapley_values(score, image, [baseline], segments=SEGMENTS, seed=0).parameters["values"]
    assert values[0] == pytest.approx(values[1])
    assert values[0] == pytest.approx(50 * (0.64 - 0.04) / 2)
    assert values[2:] == pytest.approx([0.0] * 4, abs=1e-5)


def test_more_than_twelve_superpixels_are_sampled_with_standard_errors(net):
    segments = (np.arange(9)[:, None] // 2 * 3 + np.arange(7) // 3).astype(np.int32)
    found = shapley_values(net.score(factor=300), picture(1), [picture(2)], segments=segments, seed=1)
    assert found.parameters["players"] == 15
    assert found.parameters["exact"] is False
    assert found.parameters["permutations"] >= 32
    assert found.parameters["relative_standard_error"] < 0.05
    assert found.relative_delta < 1e-4, "efficiency holds whatever the sample"
    errors = np.array(found.parameters["standard_errors"]) / np.bincount(segments.ravel())
    np.testing.assert_allclose(found.standard_error, errors[segments], rtol=1e-5)
    other = shapley_values(net.score(factor=300), picture(1), [picture(2)], segments=segments, seed=2)
    assert not np.array_equal(found.values, other.values)
    difference = np.abs(np.array(found.parameters["values"]) - other.parameters["values"])
    both = np.hypot(found.parameters["standard_errors"], other.parameters["standard_errors"])
    assert (difference < 4 * both + 1e-6).all()


# Class activation maps


def slow_cam(net, image, layer, index, factor, elementwise):
    """Take the derivative for every cell and channel by itself, from the weights after the layer."""
    parts = [net.conv, net.relu, net.second, net.relu2]
    names = ["conv", "relu", "second", "relu2"]
    cut = names.index(layer) + 1
    cells = image
    for part in parts[:cut]:
        cells = part(cells)
    cells = cells.detach().requires_grad_()
    rest = cells
    for part in parts[cut:]:
        rest = part(rest)
    (factor * net.fc(rest.mean((2, 3)))[0, index]).backward()
    channels, height, width = cells.shape[1:]
    small = np.zeros((height, width))
    for k in range(channels):
        gradient, activation = cells.grad[0, k].numpy(), cells.detach()[0, k].numpy()
        weight = np.maximum(gradient, 0) if elementwise else np.full((height, width), gradient.mean())
        small += weight * activation
    return np.maximum(small, 0) if elementwise else small


def slow_enlarge(small, shape):
    """Bilinear, half a cell from each edge, one pixel at a time."""
    large = np.zeros(shape)
    for y, x in np.ndindex(shape):
        v = np.clip((y + 0.5) * small.shape[0] / shape[0] - 0.5, 0, small.shape[0] - 1)
        u = np.clip((x + 0.5) * small.shape[1] / shape[1] - 0.5, 0, small.shape[1] - 1)
        top, left = int(v), int(u)
        down, right = min(top + 1, small.shape[0] - 1), min(left + 1, small.shape[1] - 1)
        b, a = v - top, u - left
        large[y, x] = (1 - b) * ((1 - a) * small[top, left] + a * small[top, right]) + b * (
            (1 - a) * small[down, left] + a * small[down, right]
        )
    return large


@pytest.mark.parametrize(("method", "elementwise"), [(grad_cam, False), (layer_cam, True)])
@pytest.mark.parametrize("layer", ["relu", "second", "relu2"])
@pytest.mark.parametrize("index", [0, 2])
def test_class_activation_maps_agree_with_a_slow_one(net, method, elementwise, layer, index):
    image = picture(6)
    found = method(net.score(index), image, [picture(7)], layer=net.get_submodule(layer))
    small = slow_cam(net, image, layer, index, 20.0, elementwise)
    np.testing.assert_allclose(found.values.sum(axis=2), slow_enlarge(small, (9, 7)), atol=1e-5)
    assert found.cell == (9 / 5, 7 / 4)
    assert found.parameters["cells"] == [5, 4]
    assert found.relative_delta is None


def test_grad_cam_keeps_what_speaks_against_and_layer_cam_does_not(net):
    signed = [grad_cam(net.score(i), picture(6), [picture(7)], layer=net.relu2).values for i in range(3)]
    assert min(values.min() for values in signed) < 0
    positive = [layer_cam(net.score(i), picture(6), [picture(7)], layer=net.relu).values for i in range(3)]
    assert min(values.min() for values in positive) >= 0


def test_grad_cam_before_pooling_and_a_linear_head_adds_up_to_the_logit_without_its_bias(net):
    # sum over cells of sum_k mean(dF/dA_k) A_k = sum_k w_k mean(A_k) = F - bias
    image = torch.rand(1, 3, 10, 8)  # 5 x 4 cells of exactly 2 x 2 pixels
    found = grad_cam(net.score(), image, [picture(7, 10, 8)], layer=net.relu2)
    assert found.values.sum() / 4 == pytest.approx(
        found.score - 20 * net.fc.bias[1].item(), abs=0.05 * abs(found.score)
    )


# Occlusion


def test_disjunct_windows_give_a_sum_back():
    image, baseline = picture(1, 12, 8), picture(2, 12, 8)
    found = occlusion(lambda x: x.sum((1, 2, 3)), image, [baseline], window=(3, 4), stride=(3, 4), chunk=3)
    assert found.values.sum() == pytest.approx((image - baseline).sum().item(), abs=1e-3)
    shown = found.values.sum(axis=2)
    for top in range(0, 12, 3):
        for left in range(0, 8, 4):
            window = np.s_[top : top + 3, left : left + 4]
            assert shown[window] == pytest.approx((image - baseline)[0].sum(0).numpy()[window].mean(), abs=1e-5)
    assert found.steps == 8


def test_overlapping_windows_give_each_pixel_the_mean_of_its_windows():
    score, image, baseline = Linear(height=9, width=7), picture(1), picture(2)
    found = occlusion(score, image, [baseline], window=(3, 3), stride=(2, 2), chunk=4)
    contributions = score.contributions(image, baseline)
    total, count = np.zeros((9, 7)), np.zeros((9, 7))
    for top in range(0, 7, 2):
        for left in range(0, 5, 2):
            total[top : top + 3, left : left + 3] += contributions[top : top + 3, left : left + 3].sum() / 9
            count[top : top + 3, left : left + 3] += 1
    np.testing.assert_allclose(found.values.sum(axis=2), total / count, atol=1e-5)
    assert count.min() > 0
    assert found.parameters == {"window": [3, 3], "stride": [2, 2]}
    assert found.steps == 12


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (2, 33), (31, 47), (128, 100), (9, 7)])
def test_windows_end_where_the_picture_ends(shape):
    image = torch.ones(1, 3, *shape)
    found = occlusion(lambda x: x.sum((1, 2, 3)), image, [torch.zeros_like(image)])
    assert found.values == pytest.approx(1.0, abs=1e-5), "a window that is cut off would count for less"
    for side, window, stride in zip(shape, *found.parameters.values(), strict=True):
        assert (side - window) % stride == 0
        assert 1 <= window <= min(side, max(2, side // 4))


@pytest.mark.parametrize("chunk", [1, 5, 100])
def test_chunks_do_not_change_occlusion(net, chunk):
    whole = occlusion(net.score(), picture(1), [picture(2)], chunk=1000)
    parts = occlusion(net.score(), picture(1), [picture(2)], chunk=chunk)
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-6)


# SmoothGrad


def test_smoothgrad_of_a_linear_score_is_its_weights():
    score = Linear()
    found = smoothgrad(score, picture(1), [picture(2)], seed=0)
    np.testing.assert_allclose(found.values, score.weights.permute(1, 2, 0).numpy(), atol=1e-5)


def test_smoothgrad_of_a_square_is_twice_the_picture_and_its_noise():
    # The gradient of x^2 at x + e is 2x + 2e: the mean of the noise is left over, and is as large as it should be.
    image = picture(1, 40, 40)
    found = smoothgrad(lambda x: x.pow(2).sum((1, 2, 3)), image, [image], seed=0, samples=100)
    noise = found.values - 2 * image[0].permute(1, 2, 0).numpy()
    deviation = found.parameters["noise"]
    assert deviation == pytest.approx(0.15 * (image.max() - image.min()).item())
    assert noise.std() == pytest.approx(2 * deviation / 10, rel=0.1)
    assert abs(noise.mean()) < 4 * 2 * deviation / 10 / np.sqrt(noise.size)


def test_another_seed_gives_other_noise(net):
    image = picture(1, 16, 16)

    def square(x):
        return x.pow(2).sum((1, 2, 3))

    first, other = (smoothgrad(square, image, [image], seed=seed).values for seed in (1, 2))
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("chunk", [1, 3, 50])
def test_chunks_do_not_change_smoothgrad(net, chunk):
    image = picture(1, 16, 16)  # a multiple of 16 numbers, so that torch draws them alike however they are grouped
    whole = smoothgrad(net.score(), image, [image], seed=0, samples=10, chunk=10)
    parts = smoothgrad(net.score(), image, [image], seed=0, samples=10, chunk=chunk)
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-5)


# The agreement map


def test_the_agreement_map_is_the_mean_of_shares_on_the_same_superpixels():
    score, image, baseline = Linear(), picture(1), picture(2)
    found = combined(score, image, [baseline])
    difference = abs(found.score - found.baseline_score)
    sums = np.bincount(SEGMENTS.ravel(), score.contributions(image, baseline).ravel())
    shown = found.values.sum(axis=2, dtype=np.float64)
    assert np.bincount(SEGMENTS.ravel(), shown.ravel()) == pytest.approx(sums / difference, abs=1e-5)
    assert found.parameters["rank_agreement"] == pytest.approx(1.0), "both are right about a linear score"
    assert found.parameters["note"] == "agreement map (no completeness)"


def test_the_agreement_map_weighs_both_methods_alike(net):
    image, baseline = picture(1), picture(2)
    gradients = integrated_gradients(net.score(), image, [baseline])
    shapley = shapley_values(net.score(), image, [baseline], segments=SEGMENTS, seed=0)
    found = agreement_map(gradients, shapley)
    per_segment = np.bincount(SEGMENTS.ravel(), gradients.values.sum(axis=2, dtype=np.float64).ravel())
    difference = abs(found.score - found.baseline_score)
    expected = (per_segment / difference + np.array(shapley.parameters["values"]) / difference) / 2
    shown = found.values.sum(axis=2, dtype=np.float64)
    assert np.bincount(SEGMENTS.ravel(), shown.ravel()) == pytest.approx(expected, abs=1e-5)
    ranks = [np.argsort(np.argsort(v)) for v in (per_segment, shapley.parameters["values"])]
    squares = ((ranks[0] - ranks[1]) ** 2).sum()
    assert found.parameters["rank_agreement"] == pytest.approx(1 - 6 * squares / (6 * 35))


def test_the_defaults_that_the_guide_names():
    image = picture(1, 16, 16)
    assert smoothgrad(Linear(height=16, width=16), image, [image], seed=0).steps == 50
    sizes = []

    def score(pixels):
        sizes.append(len(pixels))
        return pixels.sum((1, 2, 3))

    smoothgrad(score, image, [image], seed=0, samples=5, chunk=100)
    assert max(sizes) == 5, "no more copies than asked for"


def test_rank_agreement_needs_three_values_that_differ():
    assert rank_agreement(np.array([1.0, 2.0, 5.0]), np.array([3.0, 4.0, 9.0])) == pytest.approx(1)
    assert rank_agreement(np.array([1.0, 2.0, 5.0]), np.array([9.0, 4.0, 3.0])) == pytest.approx(-1)
    assert rank_agreement(np.array([1.0, 2.0]), np.array([3.0, 4.0])) is None
    for constant in range(2):
        values = [np.array([1.0, 2.0, 5.0]), np.array([3.0, 4.0, 9.0])]
        values[constant] = np.full(3, 2.0)
        assert rank_agreement(*values) is None


def test_how_many_pictures_each_method_asked_about(net):
    image, baseline = picture(1), picture(2)
    asked = {name: method(net.score(), image, [baseline], net).steps for name, method in METHODS.items()}
    assert asked["gradcam"] == asked["layercam"] == 1
    assert asked["shapley"] == 64
    assert asked["combined"] == asked["ig"] + 64
    assert asked["smoothgrad"] == 6


@pytest.mark.parametrize(("players", "is_exact"), [(EXACT_PLAYERS, True), (EXACT_PLAYERS + 1, False)])
def test_up_to_12_superpixels_nothing_is_sampled(players, is_exact):
    worths = np.arange(players, dtype=float)
    shares = _play(lambda coalitions: coalitions @ worths, players, seed=0)
    assert (shares.permutations == 0) == is_exact
    np.testing.assert_allclose(shares.values, worths, atol=1e-9)
