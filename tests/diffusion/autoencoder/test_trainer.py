"""The loop: it learns, stopping and resuming change nothing, and the discriminator comes when it is said to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.cancel import CancelToken, StopMode
from core.errors import ModelNotFiniteError, ModelRefusedError, UsageError
from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.autoencoder.data import PictureData
from diffusion.autoencoder.events import Reconstructed
from diffusion.autoencoder.pack import write_autoencoder
from diffusion.autoencoder.reconstruct import reconstruct
from diffusion.autoencoder.statistics import LatentStatistics
from diffusion.autoencoder.trainer import AutoencoderTrainer
from diffusion.draws import ImageSet
from diffusion.events import TrainingStep
from tests.diffusion.autoencoder.conftest import parameters
from tests.support.tiny_classifier import write_tiny_classifier
from training.runtime import CHECKPOINT, save_checkpoint

pytestmark = pytest.mark.slow

MakeConfig = Callable[..., AutoencoderConfig]
Make = Callable[..., AutoencoderTrainer]


@pytest.fixture
def make(data: PictureData, tmp_path: Path) -> Make:
    def build(config: AutoencoderConfig, output: Path = tmp_path, **changes: Any) -> AutoencoderTrainer:
        return AutoencoderTrainer(config, PictureData(**{**vars(data), **changes}), output, torch.device("cpu"))

    return build


def no_export(*_: object) -> None:
    """Write no model."""


def run(trainer: AutoencoderTrainer, until: int | None = None) -> list[Any]:
    """Train to the end, or stop after so many images as a signal would; return the events."""
    cancel, events = CancelToken(), []
    for event in trainer.run(cancel, no_export):
        events.append(event)
        if until is not None and trainer.learner.images_seen >= until:
            cancel.request(StopMode.NOW)
    return events


def losses(events: list[Any]) -> list[float]:
    return [event.loss for event in events if isinstance(event, TrainingStep)]


def rows(folder: Path, event: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [row for row in found if row["event"] == event]


def curve(folder: Path) -> list[tuple[Any, ...]]:
    names = ("images", "pixels", "features", "divergence", "realness", "discriminator", "gradient_norm", "rate")
    return [tuple(row[name] for name in names) for row in rows(folder, "loss")]


def test_it_learns_to_repeat_pictures(make_config: MakeConfig, make: Make):
    """From random weights to two fifths of the loss, on flat pictures of two colours each."""
    generator = torch.Generator().manual_seed(0)
    colours = torch.randint(30, 225, (8, 2, 3, 1, 1), generator=generator, dtype=torch.uint8)
    inside = (torch.arange(16) - 7.5).abs() < 4
    shown = torch.where(inside[:, None] & inside, colours[:, 0], colours[:, 1])
    config = make_config(
        images=1600, latent_channels=4, widths=(16, 16), equivariance_share=0.1, adversarial_weight=0.0, ema_decay=0.9,
        learning_rate=5e-3, whole_share=0.5,
    )  # fmt: skip
    trainer = make(config, train=ImageSet(shown, torch.zeros(8, dtype=torch.int64)))
    found = losses(run(trainer))
    assert sum(found[-20:]) < 0.4 * sum(found[:20])
    made = reconstruct(trainer.learner.average(), shown)
    assert (made.float() - shown.float()).abs().mean() < 15


@pytest.mark.parametrize(
    "changes",
    [{"adversarial_start": 0.2}, {"whole_share": 0.4, "equivariance_share": 1.0, "adversarial_start": 0.6}],
)
def test_resumed_run_equals_uninterrupted_run(
    make_config: MakeConfig, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
):
    """Weights of both networks, average and the loss curve that is written down; the stop falls between two rows."""
    monkeypatch.setattr("diffusion.autoencoder.trainer.LOG_EVERY_STEPS", 2)
    classifier = write_tiny_classifier(tmp_path / "classifier", trained=False)
    config = make_config(perceptual_weight=0.3, perceptual_network=classifier, evaluate_images=8, **changes)
    whole = make(config, tmp_path / "whole")
    expected = run(whole)
    begun = run(make(config, tmp_path / "parts"), until=12)
    second = make(config, tmp_path / "parts")
    second.resume()
    finished = run(second)
    for name in ("net", "discriminator"):
        ours, theirs = (parameters(getattr(one.learner, name)) for one in (second, whole))
        assert torch.equal(ours, theirs)
    assert torch.equal(parameters(second.learner.average()), parameters(whole.learner.average()))
    assert losses(begun) + losses(finished) == losses(expected)
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")
    looks = [[event.images for event in events if isinstance(event, Reconstructed)] for events in (expected, begun)]
    assert looks[0] == [8, 16, 24]
    assert looks[1] == [8]


def test_the_discriminator_begins_when_said_and_its_weight_rises(
    make_config: MakeConfig, make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("diffusion.autoencoder.trainer.LOG_EVERY_STEPS", 1)
    shares: list[float] = []

    def spy(gradient: torch.Tensor, reference: torch.Tensor, share: float) -> torch.Tensor:
        shares.append(share)
        return torch.zeros_like(gradient)

    monkeypatch.setattr("diffusion.autoencoder.learner.scaled_to", spy)
    config = make_config(images=40, adversarial_start=0.5, adversarial_ramp=0.2, adversarial_weight=0.25)
    trainer = make(config)
    before = parameters(trainer.learner.discriminator).clone()
    run(trainer)
    judged = [row["images"] for row in rows(tmp_path, "loss") if row["discriminator"] > 0]
    assert judged == [24, 28, 32, 36, 40]  # the step that begins at 20 of 40 images is the first
    assert shares == pytest.approx([0.0, 0.125, 0.25, 0.25, 0.25])
    assert not torch.equal(parameters(trainer.learner.discriminator), before)


def test_before_its_time_the_discriminator_changes_nothing(make_config: MakeConfig, make: Make, tmp_path: Path):
    late, none = (
        make(make_config(**changes), tmp_path / name)
        for name, changes in (("late", {"adversarial_start": 1.0}), ("none", {"adversarial_weight": 0.0}))
    )
    assert losses(run(late)) == losses(run(none))
    assert torch.equal(parameters(late.learner.net), parameters(none.learner.net))


def test_crops_first_then_whole_images(make_config: MakeConfig, make: Make, monkeypatch: pytest.MonkeyPatch):
    trainer = make(make_config(images=24, whole_share=0.5, equivariance_share=0.0))
    sizes = []
    original = trainer.learner._reconstruct

    def spy(pictures: torch.Tensor, stream: torch.Generator) -> Any:
        sizes.append(tuple(pictures.shape))
        return original(pictures, stream)

    monkeypatch.setattr(trainer.learner, "_reconstruct", spy)
    run(trainer)
    assert sizes == [(16, 3, 8, 8)] * 3 + [(4, 3, 16, 16)] * 3


def test_a_frozen_encoder_stays_to_the_bit_while_the_decoder_learns(
    make_config: MakeConfig, make: Make, tmp_path: Path
):
    """Denoisers that have learnt its latents go on to work, and the pack's statistics stay."""
    first = make(make_config(images=8), tmp_path / "first")
    run(first)
    second = make(make_config(frozen_encoder=True, images=16, adversarial_start=0.3), tmp_path / "second")
    second.initialise(tmp_path / "first" / CHECKPOINT)
    run(second)
    before, after = first.learner.average(), second.learner.average()
    for part in ("encoder", "quant_conv"):
        assert torch.equal(parameters(getattr(before, part)), parameters(getattr(after, part)))
    assert not torch.equal(parameters(before.decoder), parameters(after.decoder))


def test_the_average_warms_up_and_is_the_textbooks(make_config: MakeConfig, make: Make):
    trainer = make(make_config(ema_decay=0.25, images=20))
    expected, k = parameters(trainer.learner.net).clone(), 0
    for event in trainer.run(CancelToken(), no_export):
        if isinstance(event, TrainingStep):
            decay = 0.0 if k == 0 else min(0.25, (1 + k) / (10 + k))
            expected = decay * expected + (1 - decay) * parameters(trainer.learner.net)
            k += 1
    assert k == 5
    assert torch.allclose(parameters(trainer.learner.average()), expected, atol=1e-6)


def test_a_stop_leaves_a_checkpoint_and_a_model(make_config: MakeConfig, make: Make, tmp_path: Path):
    cancel, exported = CancelToken(), []
    cancel.request(StopMode.NOW)
    list(make(make_config()).run(cancel, lambda *args: exported.append(args)))
    assert len(exported) == 1
    assert (tmp_path / CHECKPOINT).is_file()


def test_a_loss_that_is_no_number_ends_the_run_and_spares_the_checkpoint(
    make_config: MakeConfig, make: Make, tmp_path: Path
):
    run(make(make_config(images=8)))
    before = (tmp_path / CHECKPOINT).read_bytes()
    trainer = make(make_config(images=16))
    trainer.resume()
    with torch.no_grad():
        next(trainer.learner.net.parameters()).fill_(float("nan"))
    with pytest.raises(ModelNotFiniteError, match=r"after 8 images"):
        run(trainer)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_a_changed_setting_is_named_and_a_longer_budget_is_not(make_config: MakeConfig, make: Make):
    run(make(make_config(images=8)))
    with pytest.raises(UsageError, match=r"kl_weight was 0\.0005 and is 0\.1"):
        make(make_config(images=8, kl_weight=0.1)).resume()
    longer = make(make_config(images=12))
    longer.resume()
    run(longer)
    assert longer.learner.images_seen == 12


def test_other_photographs_are_refused(make_config: MakeConfig, make: Make):
    run(make(make_config(images=8)))
    with pytest.raises(UsageError, match="other photographs"):
        make(make_config(images=8), fingerprint="beef").resume()


@pytest.mark.parametrize("part", ["net", "ema", "optimizer", "critic", "images_seen", "pending_losses"])
def test_a_checkpoint_that_lacks_a_part_is_damaged(make_config: MakeConfig, make: Make, tmp_path: Path, part: str):
    trainer = make(make_config(images=8))
    run(trainer)
    save_checkpoint(tmp_path / CHECKPOINT, {name: value for name, value in trainer.state().items() if name != part})
    with pytest.raises(ModelRefusedError, match="damaged"):
        make(make_config(images=8)).resume()


def test_weights_of_a_pack_and_of_a_checkpoint_begin_a_run(make_config: MakeConfig, make: Make, tmp_path: Path):
    first = make(make_config(images=8), tmp_path / "first")
    run(first)
    write_autoencoder(first.learner.average(), LatentStatistics((0.0,) * 2, (1.0,) * 2), tmp_path / "pack", {})
    from_pack = make(make_config(seed=1), tmp_path / "a")
    from_pack.initialise(tmp_path / "pack")
    half = parameters(first.learner.average().half().float())
    assert torch.equal(parameters(from_pack.learner.net), half)
    assert torch.equal(parameters(from_pack.learner.average()), half)
    from_last = make(make_config(seed=1), tmp_path / "b")
    from_last.initialise(tmp_path / "first" / CHECKPOINT)
    assert torch.equal(parameters(from_last.learner.net), parameters(first.learner.net))
    assert torch.equal(parameters(from_last.learner.average()), parameters(first.learner.average()))
    with pytest.raises(ModelRefusedError, match="does not fit"):
        make(make_config(widths=(8, 16)), tmp_path / "c").initialise(tmp_path / "pack")
