"""Everything that decides an autoencoder's training run, in one place, validated, saved with the run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from training.settings import Settings

BUDGET_KEYS: Final = frozenset(
    {
        "images",
        "max_minutes",
        "evaluate_images",
        "checkpoint_minutes",
        "tracker",
        "threads",
        "device",
        "licence",
        "name",
    }
)
"""Settings that a continued run may change: how long, where and how it is told, but not what is computed."""

LEAST_SIDE: Final = 4
"""In pixels: less than that the discriminator does not see."""

Width = Annotated[int, Field(ge=4, le=4096)]
Share = Annotated[float, Field(ge=0, lt=1)]


class AutoencoderConfig(Settings):
    """Settings of one run; progress is counted in images, of which crops are the part that they show."""

    name: str = Field(default="my-autoencoder", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Name of the model."""

    licence: str = "unknown"
    """Terms of the training photographs, which the weights inherit; known by itself for HAM10000 and ISIC 2018."""

    image_size: int = Field(default=128, ge=16, le=1024)
    """Side of the images in pixels."""

    latent_channels: int = Field(default=8, ge=1, le=64)
    """Channels of the latent image."""

    widths: tuple[Width, ...] = Field(default=(32, 64, 128, 128), min_length=2, max_length=6)
    """Channels of the levels, finest first; each level but the last halves the side, so four levels are f8."""

    layers_per_block: int = Field(default=1, ge=1, le=8)
    """Residual layers of a level in the encoder; the decoder has one more."""

    norm_groups: int = Field(default=16, ge=1)
    """Groups of the group normalisation."""

    images: int = Field(default=30_000, ge=1)
    """Training images to process, repetitions included; crops count as the part of an image that they show."""

    max_minutes: float | None = Field(default=None, gt=0)
    """Time limit, or none; the schedule ends at whichever limit comes first."""

    batch_size: int = Field(default=2, ge=1)
    """Images of one optimiser step."""

    crops: int = Field(default=2, ge=1, le=8)
    """Crops of 1/n of the side are shown first, n times n of them for each image: more variety at the same cost."""

    whole_share: float = Field(default=0.35, ge=0, le=1)
    """Part of the budget, at its end, in which whole images are shown."""

    learning_rate: float = Field(default=5e-4, gt=0, le=1)
    """Highest learning rate of AdamW."""

    warm_up: Share = 0.02
    """Share of the budget in which the learning rate rises."""

    final_rate: float = Field(default=0.05, ge=0, le=1)
    """Last learning rate as a share of the highest, reached along half a cosine."""

    weight_decay: float = Field(default=0.0, ge=0, lt=1)
    """Of AdamW."""

    gradient_clip: float | None = Field(default=1.0, gt=0)
    """Largest norm of a gradient, or none."""

    ema_decay: Share = 0.999
    """Highest decay of the moving average of the weights, which warms up as (1 + k) / (10 + k)."""

    frozen_encoder: bool = False
    """Train the decoder alone, for latents that denoisers have learned and that must stay what they are."""

    kl_weight: float = Field(default=5e-4, ge=0, le=1)
    """Weight of the mean Kullback-Leibler divergence of a latent value from the standard normal distribution."""

    perceptual_weight: float = Field(default=0.3, ge=0, le=10)
    """Weight of the distance in a classifier's features, beside 1 for the pixels."""

    perceptual_network: Path | None = None
    """Classifier that gives these features; the starter's auxiliary one if none."""

    equivariance_share: float = Field(default=0.4, ge=0, le=1)
    """Share of the steps in which the latent image is scaled, turned and flipped, and the picture likewise expected
    (EQ-VAE, arXiv:2502.09509)."""

    smallest_scale: float = Field(default=0.5, gt=0, le=1)
    """Least factor by which the latent image is scaled then."""

    adversarial_weight: float = Field(default=0.25, ge=0, le=2)
    """Length of the discriminator's gradient at the picture, as a share of the reconstruction's; 0 is none."""

    adversarial_start: float = Field(default=0.7, ge=0, le=1)
    """Share of the budget after which the discriminator learns."""

    adversarial_ramp: float = Field(default=0.1, ge=0, le=1)
    """Share of the budget in which its weight rises from 0."""

    discriminator_width: int = Field(default=32, ge=4, le=512)
    """Channels of the discriminator's first layer."""

    discriminator_rate: float = Field(default=4e-4, gt=0, le=1)
    """Its learning rate, which is constant."""

    sampling_power: float = Field(default=0.5, ge=0, le=1)
    """A class is drawn in proportion to its number of photographs to this power: 1 natural, 0 all alike."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format of the convolutions; auto is bf16 where the hardware has it."""

    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""

    threads: int | None = Field(default=None, ge=1, le=1024)
    """Processor threads, or as many as the machine offers."""

    seed: int = Field(default=42, ge=0, lt=2**63)
    """Random seed for weights and samples."""

    split: Literal["lesion", "given"] = "lesion"
    """Hold out lesions, or use the parts that the data set assigns."""

    test_fraction: Share = 0.15
    """Share of the lesions that training does not see, on which the report is measured."""

    validation_fraction: float = Field(default=0.12, gt=0, lt=1)
    """Share of the remaining lesions that are looked at in the course of training."""

    split_seed: int = Field(default=0, ge=0)
    """Another number holds out other lesions."""

    evaluate_images: int = Field(default=4_000, ge=1)
    """Images between two looks at held-out photographs."""

    checkpoint_minutes: float = Field(default=5.0, gt=0)
    """Minutes between two checkpoints."""

    tracker: Literal["tensorboard", "wandb", "none"] = "tensorboard"
    """Where curves are drawn, besides the run's own files."""

    @property
    def factor(self) -> int:
        """Pixels of the picture along the side of one pixel of the latent image."""
        return int(2 ** (len(self.widths) - 1))

    @property
    def crop_size(self) -> int:
        """Side of a crop in pixels."""
        return self.image_size // self.crops

    @field_validator("widths", mode="before")
    @classmethod
    def _split_numbers(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part for part in value.split(",") if part)
        return (value,) if isinstance(value, int) else value

    @model_validator(mode="after")
    def _fits_together(self) -> AutoencoderConfig:
        if odd := [width for width in self.widths if width % self.norm_groups]:
            raise ValueError(f"norm_groups = {self.norm_groups}: all widths must be multiples of it, not {odd}")
        if self.image_size % (self.crops * self.factor):
            raise ValueError(
                f"image_size = {self.image_size} must be a multiple of {self.crops * self.factor}: of crops = "
                f"{self.crops} times the {self.factor} pixels that become a latent one"
            )
        if self.crop_size * self.smallest_scale < LEAST_SIDE:
            raise ValueError(
                f"smallest_scale = {self.smallest_scale} leaves less than {LEAST_SIDE} of the {self.crop_size} pixels "
                "of a crop"
            )
        return self

    @field_validator("precision", mode="before")
    @classmethod
    def _refuse_fp16(cls, value: Any) -> Any:
        if value == "fp16":
            raise ValueError("gradients leave the range of fp16; choose auto, bf16 or fp32")
        return value
