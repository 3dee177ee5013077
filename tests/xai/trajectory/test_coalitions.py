"""The tree of coalitions against the slow way: every coalition denoised from the very beginning."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.generator.sampler import ImageStreams, advance, build_scheduler, make_predictor
from core.jobs.stream import JobStopped
from tests.support.stopping_job import StoppingJob
from tests.xai.trajectory.builders import toy_root
from xai.explain import get_classifier
from xai.trajectory.coalitions import Actions, CoalitionTree, acting, hold, make_actions, root, split_steps
from xai.trajectory.target import make_target
from xai.trajectory.time_shap import time_shap

SAMPLERS = ("ddpm", "ddim", "dpmpp-2m-sde", "euler", "heun", "unipc")


def tree_of(source, groups, neutral="auto", **options):
    model = source.model
    streams = ImageStreams([source.planned.seed], (3, model.image_size, model.image_size))
    scheduler = build_scheduler(source.settings.sampler, model.scheduler_config, source.settings.steps)
    actions = make_actions(model, source.settings.guidance, neutral)
    return CoalitionTree(root(streams, scheduler, model.device), actions, groups, **options)


def played(tree, coalitions):
    with torch.no_grad():
        parts = [(names, samples.clone()) for names, samples in tree.play(coalitions)]
    return {name: sample for names, samples in parts for name, sample in zip(names, samples, strict=True)}


def denoise_slowly(source, groups, coalition, neutral):
    """Draw one coalition's image from scratch, step by step, with nothing shared and nothing batched."""
    model, settings = source.model, source.settings
    streams = ImageStreams([source.planned.seed], (3, model.image_size, model.image_size))
    scheduler = build_scheduler(settings.sampler, model.scheduler_config, settings.steps)
    ask = make_predictor(model, settings.guidance)
    ask_null = make_predictor(replace(model, class_label=model.null_label), 1.0)
    acts = [coalition >> number & 1 for number, group in enumerate(groups) for _ in group]
    sample = streams.initial * scheduler.init_noise_sigma
    last = torch.zeros_like(sample)
    for act, timestep in zip(acts, scheduler.timesteps, strict=True):
        if act or neutral == "null":
            sample, last = advance(ask if act else ask_null, scheduler, timestep, sample, streams.generators)
            continue
        kind = scheduler.config.prediction_type
        scheduler.register_to_config(prediction_type="sample")
        sample, _ = advance(lambda *_: last, scheduler, timestep, sample, streams.generators)  # noqa: B023
        scheduler.register_to_config(prediction_type=kind)
    return sample[0]


@pytest.mark.parametrize("neutral", ["null", "hold"])
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_coalition_is_what_denoising_it_from_the_beginning_gives(make_source, sampler, neutral):
    source = make_source(sampler=sampler, steps=7)
    groups = split_steps(7, 3)
    found = played(tree_of(source, groups, neutral), range(8))
    with torch.no_grad():
        for coalition in range(8):
            torch.testing.assert_close(
                found[coalition], denoise_slowly(source, groups, coalition, neutral), rtol=0, atol=0
            )
    assert len({found[coalition].numpy().tobytes() for coalition in range(8)}) == 8  # every group does something


@pytest.mark.parametrize("neutral", ["null", "hold"])
def test_time_shap_is_its_definition_worked_out_slowly(make_source, classifier, neutral):
    """Mean over all orders of what a group adds, every coalition denoised from the beginning and judged by itself."""
    source, target = make_source(sampler="ddpm", steps=5), make_target(get_classifier(classifier, "cpu"), "NV")
    groups = split_steps(5, 3)
    with torch.no_grad():
        images = [denoise_slowly(source, groups, coalition, neutral)[None] for coalition in range(8)]
    worth = [float(target.of_pictures(source.finish(image))[0]) for image in images]
    phi = np.zeros(3)
    for order in itertools.permutations(range(3)):
        joined = 0
        for player in order:
            phi[player] += (worth[joined | 1 << player] - worth[joined]) / 6
            joined |= 1 << player
    found = time_shap(source, target, 3, neutral)
    np.testing.assert_allclose(found.shapley.values, phi, atol=1e-9)
    np.testing.assert_allclose([found.values[coalition] for coalition in range(8)], worth, atol=1e-9)
    assert np.abs(phi).max() > 1e-4


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_all_steps_acting_give_the_very_image_that_the_sampler_draws(make_source, sampler):
    source = make_source(sampler=sampler, steps=9)
    *_, last = source.drawing().states()
    full = played(tree_of(source, split_steps(9, 4)), [15])[15]
    torch.testing.assert_close(full, last.sample[0], rtol=0, atol=0)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_branches_in_one_batch_are_what_they_are_alone(make_source, sampler):
    source = make_source(sampler=sampler, steps=6)
    groups = split_steps(6, 4)
    alone, together = played(tree_of(source, groups), range(16)), played(tree_of(source, groups, width=5), range(16))
    assert together.keys() == alone.keys()
    for coalition in alone:
        torch.testing.assert_close(together[coalition], alone[coalition], rtol=1e-3, atol=1e-4)


def counting(cost):
    def step(branches, timestep):
        cost.append((branches.coalitions, int(timestep)))
        return replace(branches, sample=branches.sample + 1)

    return step


@pytest.mark.parametrize(("steps", "players"), [(20, 8), (5, 5), (11, 4)])
def test_what_two_coalitions_share_is_computed_once(steps, players):
    cost = []
    groups = split_steps(steps, players)
    tree = CoalitionTree(toy_root(steps), Actions(counting(cost), counting(cost), "hold"), groups)
    assert len(played(tree, range(1 << players))) == 1 << players
    assert tree.cost.segments == 2 ** (players + 1) - 2
    assert tree.cost.steps == len(cost) == sum(2 ** (depth + 1) * len(group) for depth, group in enumerate(groups))
    assert tree.cost.steps < (1 << players) * steps / 2  # what playing each alone would take


def test_a_wider_batch_computes_no_more_and_never_more_than_its_width():
    cost = []
    tree = CoalitionTree(toy_root(10), Actions(counting(cost), counting(cost), "hold"), split_steps(10, 5), width=3)
    played(tree, range(32))
    assert tree.cost.segments == 62
    assert max(len(names) for names, _ in cost) <= 3


def test_only_what_is_asked_for_is_walked():
    cost = []
    tree = CoalitionTree(toy_root(8), Actions(counting(cost), counting(cost), "hold"), split_steps(8, 4))
    assert set(played(tree, [0b0000, 0b1000])) == {0, 8}
    assert tree.cost.segments == 5  # three shared, then one each


@pytest.mark.parametrize("asked", [{0b1010}, {0b0110, 0b1011}, {0b1111, 0b0001, 0b0100}])
def test_any_set_of_coalitions_is_played_and_no_other(asked):
    tree = CoalitionTree(toy_root(8), Actions(counting([]), counting([]), "hold"), split_steps(8, 4))
    assert set(played(tree, asked)) == asked


def test_playing_again_gives_the_same(make_source):
    tree = tree_of(make_source(steps=4), split_steps(4, 2))
    first, second = played(tree, range(4)), played(tree, range(4))
    assert all(torch.equal(first[coalition], second[coalition]) for coalition in range(4))


def test_a_stop_is_seen_before_the_next_step():
    calls = itertools.count()
    tree = CoalitionTree(
        toy_root(6),
        Actions(counting([]), counting([]), "hold"),
        split_steps(6, 3),
        context=StoppingJob(lambda: next(calls) == 4),
    )
    with pytest.raises(JobStopped):
        played(tree, range(8))
    assert next(calls) == 5


def test_a_held_step_asks_nobody_and_leaves_the_scheduler_as_it_was(make_source):
    source = make_source(sampler="ddim", steps=3)
    scheduler = build_scheduler("ddim", source.model.scheduler_config, 3)
    branch = root(ImageStreams([1], (3, 16, 16)), scheduler, torch.device("cpu"))
    kind = scheduler.config.prediction_type
    after = hold(hold(hold(branch, scheduler.timesteps[0]), scheduler.timesteps[1]), scheduler.timesteps[2])
    assert scheduler.config.prediction_type == kind
    torch.testing.assert_close(after.sample, torch.zeros_like(after.sample))  # nothing was ever predicted: mid-grey


@pytest.mark.parametrize("steps", [1, 2, 7, 20, 1000])
@pytest.mark.parametrize("groups", [1, 2, 8, 30])
def test_groups_cover_all_steps_once_and_the_longer_ones_come_first(steps, groups):
    parts = split_steps(steps, groups)
    assert list(itertools.chain.from_iterable(parts)) == list(range(steps))
    lengths = [len(part) for part in parts]
    assert len(parts) == min(groups, steps)
    assert sorted(lengths, reverse=True) == lengths
    assert max(lengths) - min(lengths) <= 1


def test_a_planted_pattern_comes_from_its_step_in_a_real_sampler():
    """The network predicts a pattern in the last group alone: only that group may matter, in all samplers."""
    pattern = torch.linspace(-0.8, 0.8, 48).reshape(1, 3, 4, 4)
    for sampler in SAMPLERS:
        scheduler = build_scheduler(sampler, {"prediction_type": "sample", "beta_schedule": "squaredcos_cap_v2"}, 8)
        late = set(scheduler.timesteps[-2:].tolist())
        act = acting(lambda noisy, t: (pattern if t.item() in late else 0 * pattern).expand_as(noisy))  # noqa: B023
        neutral = acting(lambda noisy, _t: torch.zeros_like(noisy))
        tree = CoalitionTree(
            root(ImageStreams([3], (3, 4, 4)), scheduler, torch.device("cpu")),
            Actions(act, neutral, "null"),
            split_steps(8, 4),
        )
        found = played(tree, range(16))
        for coalition, sample in found.items():
            expected = pattern[0] if coalition & 8 else torch.zeros(3, 4, 4)
            np.testing.assert_allclose(sample, expected, atol=0.02 if sampler == "ddpm" else 1e-5)
