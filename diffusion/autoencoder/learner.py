"""An autoencoder in training: its networks, their optimisers, what one step does, and what a checkpoint holds."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from core.diffusers_parts import AutoencoderKL
from core.models.networks import check_fit, decode_natural, moments_of, read_autoencoder
from core.precision import Precision
from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.autoencoder.draws import PictureDraws
from diffusion.autoencoder.equivariance import draw_transform
from diffusion.autoencoder.losses import (
    charbonnier,
    discriminator_loss,
    divergence,
    load_perceptual,
    scaled_to,
)
from diffusion.autoencoder.model import PatchDiscriminator, build_autoencoder
from diffusion.autoencoder.norm import quicken
from diffusion.draws import ImageSet, stream_seed
from diffusion.evaluation import autocast
from diffusion.state import restore_average
from training.runtime import (
    Budget,
    Checkpoint,
    cosine_rate,
    counted,
    finite,
    load_checkpoint,
    resolve_precision,
    restore_optimizer,
    restoring,
    set_rate,
)

Net = TypeVar("Net", bound=nn.Module)

_LEAST_JUDGED: Final = 8
"""Side in pixels that a discriminator gets at least, if the pictures have it."""


class Losses(NamedTuple):
    """Means over the pictures of a step; those of the discriminator are 0 before its time.

    Attributes
    ----------
    pixels, features, divergence
        Unweighted: of -1..1, 0..4, and nats.
    realness
        Mean verdict of the discriminator on what was made.
    discriminator
        Its own hinge loss.
    gradient_norm
        Length of the network's gradient before it is clipped.
    """

    pixels: float
    features: float
    divergence: float = 0.0
    realness: float = 0.0
    discriminator: float = 0.0
    gradient_norm: float = 0.0

    def weighted(self, config: AutoencoderConfig) -> float:
        """Return the sum of what the network learns from, the discriminator's verdict left out."""
        return self.pixels + config.perceptual_weight * self.features + config.kl_weight * self.divergence


class Learner:
    """The random state of a run is its seed and its position, so that a checkpoint needs to hold no generator.

    Parameters
    ----------
    images
        Training photographs.
    """

    def __init__(self, config: AutoencoderConfig, images: ImageSet, device: torch.device) -> None:
        torch.manual_seed(config.seed)
        self.config, self.device = config, device
        self.precision: Precision = "bf16" if resolve_precision(config.precision, device) else "fp32"
        self.net = _placed(build_autoencoder(config), device)
        if device.type == "cpu":
            quicken(self.net)
        for part in (self.net.encoder, self.net.quant_conv):
            part.requires_grad_(not config.frozen_encoder)
        self.discriminator = _placed(PatchDiscriminator(config.discriminator_width), device)
        self.ema = EMAModel(self.net.parameters(), decay=config.ema_decay, foreach=True)
        self._learning = [p for p in self.net.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            self._learning, lr=config.learning_rate, betas=(0.9, 0.99), weight_decay=config.weight_decay,
            fused=True,
        )  # fmt: skip
        self.critic = torch.optim.AdamW(
            self.discriminator.parameters(), lr=config.discriminator_rate, betas=(0.5, 0.99), weight_decay=0.0,
            fused=True,
        )  # fmt: skip
        self.images_seen = 0
        self.budget = Budget(config.images, config.max_minutes)
        self._draws = PictureDraws(images, config)
        self._perceptual = (
            load_perceptual(config.perceptual_network, device, self.precision) if config.perceptual_weight else None
        )

    @property
    def progress(self) -> float:
        """Used share of the budget, 0..1."""
        return self.budget.progress(self.images_seen)

    @property
    def rate(self) -> float:
        """Learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def step(self) -> Losses:
        """Make one optimiser step.

        Raises
        ------
        ModelNotFiniteError
            If the loss is NaN or infinite.
        """
        config, progress = self.config, self.progress
        set_rate(self.optimizer, cosine_rate(progress, config.learning_rate, config.warm_up, config.final_rate))
        stream = torch.Generator().manual_seed(stream_seed(config.seed, f"step {self.images_seen}"))
        pictures = self._pictures(whole=progress >= 1 - config.whole_share)
        self.optimizer.zero_grad()
        made, wanted, latent = self._reconstruct(pictures, stream)
        losses, gradient = self._at_the_picture(made.detach(), wanted, progress, stream)
        finite_divergence = finite(latent, self.images_seen)
        if config.frozen_encoder:
            made.backward(gradient)
        else:
            torch.autograd.backward([made, config.kl_weight * latent], [gradient, None])
        norm = nn.utils.clip_grad_norm_(self._learning, config.gradient_clip or math.inf)
        self.optimizer.step()
        self.ema.step(self.net.parameters())
        self.images_seen += config.batch_size
        return losses._replace(divergence=finite_divergence, gradient_norm=float(norm))

    def _pictures(self, *, whole: bool) -> Tensor:
        pixels = self._draws.batch(self.images_seen, whole=whole).to(self.device)
        return (pixels.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)

    def _reconstruct(self, pictures: Tensor, stream: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Return what is decoded from the transformed latent images, what it should be, and their divergence."""
        config, side = self.config, pictures.shape[-1] // self.config.factor
        transform = draw_transform(stream, side, config.equivariance_share, config.smallest_scale)
        with torch.set_grad_enabled(not config.frozen_encoder), autocast(self.device, self.precision):
            moments = moments_of(self.net, pictures)
        mean, logvar = moments.float().chunk(2, dim=1)
        logvar = logvar.clamp(-30, 20)
        noise = torch.randn(mean.shape, generator=stream).to(self.device)
        latents = transform(mean + (0.5 * logvar).exp() * noise)
        with autocast(self.device, self.precision):
            made = decode_natural(self.net, latents).float()
        return made, transform(pictures), divergence(mean, logvar)

    def _at_the_picture(
        self, made: Tensor, wanted: Tensor, progress: float, stream: torch.Generator
    ) -> tuple[Losses, Tensor]:
        """Return the losses of pictures, and the gradient that the decoder is to follow there."""
        made.requires_grad_()
        pixels = charbonnier(made, wanted)
        features = torch.zeros((), device=self.device)
        if self._perceptual is not None:
            with autocast(self.device, self.precision):
                features = self._perceptual(made, wanted)
        loss = pixels + self.config.perceptual_weight * features
        finite(loss, self.images_seen)
        (gradient,) = torch.autograd.grad(loss, made)
        losses = Losses(float(pixels.detach()), float(features.detach()))
        if not self._is_judged(progress):
            return losses, gradient
        realness, towards_real, own = self._judge(made, wanted, stream)
        share = self.config.adversarial_weight * self._ramp(progress)
        return losses._replace(realness=realness, discriminator=own), gradient + scaled_to(
            towards_real, gradient, share
        )

    def _is_judged(self, progress: float) -> bool:
        return self.config.adversarial_weight > 0 and progress >= self.config.adversarial_start

    def _ramp(self, progress: float) -> float:
        since, length = progress - self.config.adversarial_start, self.config.adversarial_ramp
        return min(1.0, since / length) if length else 1.0

    def _judge(self, made: Tensor, wanted: Tensor, stream: torch.Generator) -> tuple[float, Tensor, float]:
        """Let the discriminator learn; return its verdict, the gradient towards a better one, and its loss.

        Both pictures are shifted alike by less than a latent pixel, so that a discriminator, whose layers have strides,
        cannot teach the decoder a pattern that repeats with them.
        """
        places = max(1, min(self.config.factor, made.shape[-1] - _LEAST_JUDGED + 1))
        top, left = torch.randint(places, (2,), generator=stream).tolist()
        real, shown = wanted[..., top:, left:], made[..., top:, left:]
        self.critic.zero_grad()
        with autocast(self.device, self.precision):
            own = discriminator_loss(self.discriminator, real, shown.detach())
        own.backward()
        self.critic.step()
        with autocast(self.device, self.precision):
            verdict = self.discriminator(shown).float().mean()
        (gradient,) = torch.autograd.grad(-verdict, made)
        return float(verdict.detach()), gradient, finite(own, self.images_seen)

    def average(self) -> AutoencoderKL:
        """Return a copy of the network that holds the moving average, in fp32 and evaluation mode."""
        net = copy.deepcopy(self.net).requires_grad_(False)
        self.ema.copy_to(net.parameters())
        return net.eval()

    def initialise(self, source: Path) -> None:
        """Begin with the weights of an autoencoder's pack, or of a run's `last.pt`, and their moving average.

        Raises
        ------
        ModelRefusedError
            If there is no such model, or it is of another architecture.
        """
        if source.suffix != ".pt":
            weights = read_autoencoder(source).state_dict()
            average = [p.detach().clone() for p in self._loaded(weights, source).parameters()]
            steps: dict[str, Any] = {"shadow_params": average}
        else:
            state = load_checkpoint(source, self.device)
            with restoring(source):
                self._loaded(state["net"], source)
                # the number of steps is what warms the average up: it has been warmed up already
                steps = {name: state["ema"][name] for name in ("shadow_params", "optimization_step")}
        with restoring(source):
            restore_average(self.ema, {**self.ema.state_dict(), **steps})
        if self.config.frozen_encoder:  # the encoder that was shipped is the average's
            self.ema.copy_to(self.net.parameters())

    def _loaded(self, weights: Mapping[str, Tensor], source: Path) -> AutoencoderKL:
        check_fit(self.net.state_dict(), weights, source)
        self.net.load_state_dict(dict(weights))
        return self.net

    def state(self) -> Checkpoint:
        """Return everything that an equal continuation needs, beside the data."""
        return {
            "config": self.config.model_dump(mode="json"),
            "net": self.net.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "critic": self.critic.state_dict(),
            "images_seen": self.images_seen,
            "seconds": self.budget.seconds,
        }

    def restore(self, state: Checkpoint) -> None:
        """Continue from a state; what does not fit raises what `restoring` turns into a damaged checkpoint."""
        self.net.load_state_dict(state["net"])
        self.discriminator.load_state_dict(state["discriminator"])
        restore_average(self.ema, state["ema"])
        restore_optimizer(self.optimizer, state["optimizer"])
        restore_optimizer(self.critic, state["critic"])
        self.images_seen, seconds = counted(state, "images_seen", "seconds")
        self.budget = Budget(self.config.images, self.config.max_minutes, seconds)


def _placed(net: Net, device: torch.device) -> Net:
    return net.to(device).to(memory_format=torch.channels_last)
