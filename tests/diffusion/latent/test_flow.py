"""Rectified flow in training: the loss, the times, and a learning rate that waits."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from diffusion.config import DiffusionConfig
from diffusion.draws import Draw, timestep_at
from diffusion.loss import diffusion_loss
from diffusion.model import build_scheduler
from training.runtime import plateau_rate


class Spy(nn.Module):
    """Answers with a fixed multiple of what it sees, and remembers it."""

    config = SimpleNamespace(num_class_embeds=8)

    def forward(self, x: Tensor, timestep: Tensor, class_labels: Tensor) -> SimpleNamespace:
        self.seen = x, timestep, class_labels
        return SimpleNamespace(sample=0.3 * x)


def test_loss_is_the_squared_error_of_the_velocity():
    config = DiffusionConfig(prediction_type="flow")
    torch.manual_seed(0)
    image, noise = torch.randn(2, 4, 3, 3), torch.randn(2, 4, 3, 3)
    draw = Draw(image, torch.tensor([1, 7]), torch.tensor([0.25, 0.9]), noise)
    net = Spy()
    found = diffusion_loss(net, build_scheduler(config), draw, 5.0)
    for number, share in enumerate((0.25, 0.9)):
        at = (1 - share) * image[number] + share * noise[number]
        assert torch.allclose(net.seen[0][number], at)
        error = 0.3 * at - (noise[number] - image[number])
        assert float(found[number]) == pytest.approx(float((error**2).mean()), rel=1e-5)
    assert net.seen[1].tolist() == pytest.approx([250, 900])
    assert net.seen[2].tolist() == [1, 7]


def test_times_are_logit_normal_and_spread_evenly():
    config = DiffusionConfig(prediction_type="flow", time_location=0.5, time_spread=1.5)
    times = torch.stack([timestep_at(123, position, config) for position in range(4000)]).double()
    logits = torch.logit(times)
    assert float(logits.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(logits.std()) == pytest.approx(1.5, rel=0.02)
    some = torch.special.ndtr((torch.logit(times[:32]) - 0.5) / 1.5).sort().values
    assert float((some - (torch.arange(32) + 0.5) / 32).abs().max()) < 2 / 32  # chance would leave gaps


def test_other_objectives_have_whole_timesteps():
    timestep = timestep_at(5, 9, DiffusionConfig())
    assert timestep.dtype == torch.int64
    assert 0 <= int(timestep) < 1000


def test_the_rate_waits_and_then_falls_in_a_straight_line():
    rate = [plateau_rate(progress, 2.0, 0.1, 0.25, 0.2) for progress in (0.0, 0.05, 0.1, 0.5, 0.75, 0.875, 1.0)]
    assert rate == pytest.approx([0.02, 1.0, 2.0, 2.0, 2.0, 1.2, 0.4])


def test_a_raised_budget_takes_the_fall_back():
    assert plateau_rate(0.95 / 2, 1.0, 0.02, 0.2) == 1.0


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"augmentation": 0.1}, "augmentation"),
        ({"half_size_share": 0.5, "image_size": 128}, "half_size_share"),
        ({"kind": "per_class"}, "per_class"),
    ],
)
def test_what_latent_images_cannot_do_is_refused_by_name(changes: dict[str, object], word: str):
    with pytest.raises(ValueError, match=word):
        DiffusionConfig.model_validate({"autoencoder": "vae", **changes})
