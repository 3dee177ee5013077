"""Learning rates over a run, and the moving average of the weights against its closed form."""

from __future__ import annotations

import torch
from torch import nn

from classifier.learner import average_weights, build_schedule
from tests.classifier.training_builders import batch, make_learner, tiny, vector


def two_groups() -> torch.optim.Optimizer:
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": rate, "peak": rate} for rate in (1e-2, 1e-3)]
    return torch.optim.AdamW(groups)


def rates(optimizer: torch.optim.Optimizer) -> list[float]:
    return [group["lr"] for group in optimizer.param_groups]


def test_cosine_takes_every_group_from_its_own_peak_to_two_percent_of_it():
    optimizer = two_groups()
    schedule = build_schedule(tiny(), optimizer)
    schedule.before_step(0.02)
    assert rates(optimizer) == [1e-2, 1e-3]
    schedule.before_step(0.5)
    middle = rates(optimizer)
    schedule.before_step(1.0)
    assert all(abs(end - 0.02 * peak) < 1e-9 for end, peak in zip(rates(optimizer), (1e-2, 1e-3), strict=True))
    assert 1e-2 > middle[0] > 2e-4


def test_plateau_halves_after_half_the_patience_and_stops_at_its_floor():
    optimizer = two_groups()
    schedule = build_schedule(tiny(schedule="plateau", early_stopping_patience=4), optimizer)
    for score in (0.3, 0.5, 0.4, 0.4):
        schedule.after_epoch(score)
    assert rates(optimizer) == [1e-2, 1e-3]
    schedule.after_epoch(0.4)  # the third epoch without a better one
    assert rates(optimizer) == [5e-3, 5e-4]

    other = two_groups()
    resumed = build_schedule(tiny(schedule="plateau", early_stopping_patience=4), other)
    resumed.load_state_dict(schedule.state_dict())
    other.load_state_dict(optimizer.state_dict())
    for _ in range(60):
        resumed.after_epoch(0.4)
    assert rates(other) == [1e-7, 1e-7]
    assert resumed.state_dict()["best"] == 0.5


def test_moving_average_has_its_closed_form():
    net = nn.Linear(1, 1, bias=False)
    average = average_weights(net, decay=0.9)
    expected, values = 0.0, [3.0, -1.0, 4.0, 1.0, -5.0, 9.0] * 20
    for count, value in enumerate(values):
        nn.init.constant_(net.weight, value)
        average.update_parameters(net)
        decay = min(0.9, (1 + count) / (10 + count)) if count else 0.0
        expected = decay * expected + (1 - decay) * value
    assert abs(average.module.weight.item() - expected) < 1e-4
    late = sum(0.1 * 0.9**age * value for age, value in enumerate(reversed(values)))
    assert abs(average.module.weight.item() - late) < 0.05, "after many updates it is the plain moving average"


def test_batch_norm_statistics_are_averaged_and_its_counter_is_the_networks():
    net = nn.BatchNorm1d(1)
    average = average_weights(net, decay=0.5)
    for value in (1.0, 2.0, 3.0):
        net.running_mean.fill_(value)
        net.num_batches_tracked.fill_(int(value))
        average.update_parameters(net)
    assert 1.0 < average.module.running_mean.item() < 3.0
    assert average.module.num_batches_tracked.item() == 3


def test_the_average_is_what_is_kept_and_it_lags_behind():
    learner = make_learner(tiny(ema_decay=0.9))
    learner.train()
    for _ in range(3):
        learner.step(learner.loss(batch(size=16))[0])
    assert learner.best_net is not learner.net
    assert not torch.equal(vector(learner.best_net), vector(learner.net))
    assert make_learner(tiny()).best_net.__class__ is learner.net.__class__
