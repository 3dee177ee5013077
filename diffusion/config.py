"""Everything that decides a generator's training run, in one place, validated, saved with the run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from core.errors import UnknownClassError
from core.taxonomy import CLASS_CODES, parse_class
from diffusion.presets import PREDECESSOR_NETWORK
from training.settings import Settings

BUDGET_KEYS: Final = frozenset(
    {
        "images", "max_minutes", "evaluate_images", "checkpoint_minutes", "tracker", "threads", "workers", "device",
        "gradient_accumulation", "licence", "name", "autoencoder", "decay_share",
    }
)  # fmt: skip
"""Settings that a continued run may change: how long, where and how it is told, but not what is computed."""

Width = Annotated[int, Field(ge=4, le=4096)]
Share = Annotated[float, Field(ge=0, lt=1)]


class DiffusionConfig(Settings):
    """Settings of one run; every amount of progress is counted in training images, repetitions included."""

    kind: Literal["conditional", "per_class"] = "conditional"
    """One network for all classes, or ISICGenerator's network once for each class."""

    name: str = Field(default="my-generator", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    """Name of the model."""

    licence: str = "unknown"
    """Terms of the training photographs, which the weights inherit; known by itself for HAM10000 and ISIC 2018."""

    classes: tuple[str, ...] = CLASS_CODES
    """Classes to learn, in the order of their labels."""

    class_limit: int | None = Field(default=None, ge=2)
    """At most this many training photographs of each class, or all."""

    widths: tuple[Width, ...] = Field(default=(32, 64, 96, 128, 192, 256), min_length=2, max_length=8)
    """Channels of the UNet's levels, finest first; each level halves the side of the one before it."""

    layers_per_block: int = Field(default=1, ge=1, le=8)
    """Residual layers of a level."""

    attention: tuple[int, ...] = (4, 5)
    """Levels with self-attention, 0 being the finest; the middle of the network always has it."""

    attention_head_dim: int = Field(default=64, ge=4, le=512)
    """Channels of one attention head."""

    norm_groups: int = Field(default=32, ge=1)
    """Groups of the group normalisation."""

    dropout: Share = 0.0
    """Share of activations that is dropped in training."""

    image_size: int = Field(default=128, ge=8, le=1024)
    """Side of the images in pixels."""

    autoencoder: Path | None = None
    """Pack of the autoencoder whose latent images are generated; none for pixels. Which one it is belongs to what the
    run was trained on; its place may change."""

    prediction_type: Literal["epsilon", "v_prediction", "flow"] = "v_prediction"
    """What the network predicts: the noise, the velocity of Salimans & Ho (2022), or that of rectified flow."""

    time_location: float = Field(default=0.0, ge=-5, le=5)
    """Of rectified flow: mean of the logit of the noise level in training (arXiv:2403.03206); above 0 more noise."""

    time_spread: float = Field(default=1.0, gt=0, le=5)
    """Of rectified flow: deviation of the logit of the noise level in training."""

    time_shift: float = Field(default=1.0, gt=0, le=20)
    """Of rectified flow: how much of the sampling goes to high noise; 1 is even, 3 far more."""

    beta_schedule: Literal["squaredcos_cap_v2", "linear", "scaled_linear", "sigmoid"] = "squaredcos_cap_v2"
    """Noise schedule, under diffusers' names; the first is the cosine schedule."""

    train_timesteps: int = Field(default=1000, ge=10, le=10_000)
    """Noise levels of the schedule."""

    images: int = Field(default=100_000, ge=1)
    """Training images to process, repetitions included; with kind = per_class for each class."""

    max_minutes: float | None = Field(default=None, gt=0)
    """Time limit, or none; the learning rate ends at whichever limit comes first."""

    half_size_share: Share = 0.0
    """Part of the budget, at its start, in which images are shown at half their side: a quarter of the cost while
    colours and shapes are learned."""

    batch_size: int = Field(default=16, ge=1)
    """Images of one optimiser step, over all processes."""

    gradient_accumulation: int = Field(default=1, ge=1)
    """Parts in which each process computes its share of a batch, where memory is short."""

    learning_rate: float = Field(default=4e-4, gt=0, le=1)
    """Highest learning rate of AdamW."""

    warm_up: Share = 0.02
    """Share of the budget in which the learning rate rises."""

    final_rate: float = Field(default=0.02, ge=0, le=1)
    """Last learning rate as a share of the highest, reached along half a cosine; 1 keeps it constant."""

    decay_share: float | None = Field(default=None, gt=0, le=1)
    """Share of the budget, at its end, in which the learning rate falls in a straight line, being constant before: a
    run whose budget is raised later loses nothing. None is half a cosine over the whole budget."""

    weight_decay: float = Field(default=0.01, ge=0, lt=1)
    """Of AdamW."""

    gradient_clip: float | None = Field(default=1.0, gt=0)
    """Largest norm of a gradient, or none."""

    ema_decay: Share = 0.9995
    """Highest decay of the moving average of the weights, which warms up as (1 + k) / (10 + k); 0 is no average."""

    label_dropout: Share = 0.1
    """Share of labels replaced by "no class", for classifier-free guidance; 0 is a network without guidance."""

    sampling_power: float = Field(default=0.5, ge=0, le=1)
    """A class is drawn in proportion to its number of photographs to this power: 1 natural, 0 all alike."""

    min_snr_gamma: float | None = Field(default=5.0, gt=0)
    """Clamp of the signal-to-noise ratio in the loss weight (arXiv:2303.09556), or none: all noise levels alike."""

    augmentation: Share = 0.0
    """Share of images that are zoomed and recoloured; they get labels of their own that nobody samples, so none of it
    shows in the samples. Turns and mirror images come always."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Number format; auto is bf16 where the hardware multiplies in it."""

    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""

    threads: int | None = Field(default=None, ge=1)
    """Threads on a CPU, or as many as PyTorch chooses."""

    workers: int = Field(default=0, ge=0, le=64)
    """Processes that prepare images; on a CPU none is best."""

    seed: int = Field(default=42, ge=0, lt=2**63)
    """Random seed for weights and samples."""

    split: Literal["lesion", "given"] = "lesion"
    """Hold out lesions, or use the parts that the data set assigns."""

    test_fraction: Share = 0.15
    """Share of the lesions that neither training nor selection sees."""

    validation_fraction: float = Field(default=0.12, gt=0, lt=1)
    """Share of the remaining lesions by which the best weights are chosen."""

    split_seed: int = Field(default=0, ge=0)
    """Another number holds out other lesions."""

    evaluate_images: int = Field(default=20_000, ge=1)
    """Images between two evaluations: samples, their distance to held-out lesions, validation loss."""

    samples_per_class: int = Field(default=12, ge=1, le=1000)
    """Samples of each class at an evaluation; a distance needs at least 4."""

    sample_steps: int = Field(default=20, ge=1)
    """Denoising steps of a sample."""

    guidance: float = Field(default=1.0, ge=0, le=20)
    """Classifier-free guidance of the samples, and what the model pack recommends; 1 is none."""

    extractor: Path | None = None
    """Classifier in whose features the distance is measured that selects the best weights; colour and texture
    statistics if none. Not the one that judges afterwards."""

    checkpoint_minutes: float = Field(default=5.0, gt=0)
    """Minutes between two checkpoints."""

    tracker: Literal["tensorboard", "wandb", "none"] = "tensorboard"
    """Where curves are drawn, besides the run's own files."""

    @property
    def null_label(self) -> int | None:
        """Label of "no class", or None where no label is dropped."""
        return len(self.classes) if self.label_dropout else None

    @property
    def labels(self) -> int:
        """Number of labels that the network is ever told, those of augmented images included."""
        own = len(self.classes) + (1 if self.label_dropout else 0)
        return 2 * own if self.augmentation else own

    @field_validator("widths", "attention", mode="before")
    @classmethod
    def _split_numbers(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part for part in value.split(",") if part)
        return (value,) if isinstance(value, int) else value

    @field_validator("classes", mode="before")
    @classmethod
    def _parse_classes(cls, value: Any) -> Any:
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list | tuple):
            return value
        try:
            return tuple(parse_class(str(name)) for name in names)
        except UnknownClassError as error:
            raise ValueError(str(error)) from error

    @field_validator("classes")
    @classmethod
    def _check_classes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value):
            raise ValueError("name each class once")
        return tuple(code for code in CLASS_CODES if code in value)

    @field_validator("attention")
    @classmethod
    def _check_attention(cls, value: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        levels = len(info.data.get("widths", ())) or 8
        if any(not 0 <= level < levels for level in value):
            raise ValueError(f"widths has {levels} levels, numbered 0 to {levels - 1}")
        return tuple(sorted(set(value)))

    @field_validator("attention_head_dim")
    @classmethod
    def _check_heads(cls, value: int, info: ValidationInfo) -> int:
        widths = info.data.get("widths", ())
        levels = {*info.data.get("attention", ()), len(widths) - 1}
        if odd := [widths[level] for level in levels if widths and widths[level] % value]:
            raise ValueError(
                f"the levels with attention, and the coarsest, must be multiples of it in widths, not {odd}"
            )
        return value

    @field_validator("norm_groups")
    @classmethod
    def _check_groups(cls, value: int, info: ValidationInfo) -> int:
        if odd := [width for width in info.data.get("widths", ()) if width % value]:
            raise ValueError(f"all widths must be multiples of it, not {odd}")
        return value

    @field_validator("image_size")
    @classmethod
    def _check_size(cls, value: int, info: ValidationInfo) -> int:
        smallest = 2 ** (len(info.data.get("widths", (0,))) - 1)
        if value % smallest:
            raise ValueError(f"the levels of widths halve it, so it must be a multiple of {smallest}")
        return value

    @field_validator("half_size_share")
    @classmethod
    def _check_half_size(cls, value: float, info: ValidationInfo) -> float:
        smallest = 2 ** len(info.data.get("widths", ()))
        if value and info.data.get("image_size", 0) % smallest:
            raise ValueError(f"half of image_size must be a multiple of {smallest // 2} too; set it to 0")
        return value

    @field_validator("gradient_accumulation")
    @classmethod
    def _check_accumulation(cls, value: int, info: ValidationInfo) -> int:
        if info.data.get("batch_size", value) % value:
            raise ValueError(f"batch_size = {info.data['batch_size']} cannot be computed in {value} equal parts")
        return value

    @field_validator("precision", mode="before")
    @classmethod
    def _refuse_fp16(cls, value: Any) -> Any:
        if value == "fp16":
            raise ValueError(
                "gradients leave the range of fp16, which takes a scaler and still loses runs; bf16 has the range of "
                "fp32 and is as fast: choose auto, bf16 or fp32"
            )
        return value

    @field_validator("sample_steps")
    @classmethod
    def _check_steps(cls, value: int, info: ValidationInfo) -> int:
        if value > info.data.get("train_timesteps", value):
            raise ValueError(f"there are only train_timesteps = {info.data['train_timesteps']}")
        return value

    @field_validator("guidance")
    @classmethod
    def _check_guidance(cls, value: float, info: ValidationInfo) -> float:
        if value != 1 and not info.data.get("label_dropout", 1):
            raise ValueError("guidance needs label_dropout above 0; without it, it is 1")
        return value

    @model_validator(mode="after")
    def _check_latent(self) -> DiffusionConfig:
        if self.autoencoder is None:
            return self
        for key in ("half_size_share", "augmentation"):
            if getattr(self, key):
                raise ValueError(
                    f"{key} = {getattr(self, key)}: latent images are neither halved nor recoloured; set it to 0"
                )
        if self.kind == "per_class":
            raise ValueError("kind = per_class learns pixels; leave out the autoencoder")
        return self

    @model_validator(mode="after")
    def _check_per_class(self) -> DiffusionConfig:
        if self.kind == "conditional":
            return self
        wanted = {**PREDECESSOR_NETWORK, "dropout": 0.0, "label_dropout": 0.0, "augmentation": 0.0}
        for key, value in wanted.items():
            if getattr(self, key) != value:
                raise ValueError(
                    f"{key} = {getattr(self, key)!r}: kind = per_class trains the predecessor's network, where {key} "
                    f"is {value!r}; leave {key} out (--per-class sets all that belongs to it), or choose "
                    "kind = conditional"
                )
        return self
