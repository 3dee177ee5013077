"""The networks of a run: diffusers' AutoencoderKL, and the discriminator that judges patches of its pictures."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from core.diffusers_parts import AutoencoderKL
from diffusion.autoencoder.config import AutoencoderConfig

_SLOPE = 0.2


def build_autoencoder(config: AutoencoderConfig) -> AutoencoderKL:
    """Return the network with random weights; it is convolutional, so it takes pictures of any multiple of `factor`."""
    levels = len(config.widths)
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=config.widths,
        layers_per_block=config.layers_per_block,
        latent_channels=config.latent_channels,
        norm_num_groups=config.norm_groups,
        sample_size=config.image_size,
        scaling_factor=1.0,
        force_upcast=False,
        mid_block_add_attention=False,
    )


class PatchDiscriminator(nn.Module):
    """Says of each patch of a picture how real it looks (Isola et al. 2017), with spectral normalisation.

    Parameters
    ----------
    width
        Channels of the first layer.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            spectral_norm(nn.Conv2d(3, width, 4, stride=2, padding=1)),
            nn.LeakyReLU(_SLOPE),
            spectral_norm(nn.Conv2d(width, 2 * width, 4, stride=2, padding=1)),
            nn.LeakyReLU(_SLOPE),
            spectral_norm(nn.Conv2d(2 * width, 3 * width, 3, padding=1)),
            nn.LeakyReLU(_SLOPE),
            spectral_norm(nn.Conv2d(3 * width, 1, 3, padding=1)),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Map (N, 3, H, W) in -1..1 to (N, 1, H / 4, W / 4); real is above 0."""
        verdict: Tensor = self.layers(pictures)
        return verdict
