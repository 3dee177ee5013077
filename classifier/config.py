"""Everything that decides a classifier's training run, in one place, validated and saved with the run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator, model_validator

from core.models.classification.architectures import ARCHITECTURES, RESNET18
from core.taxonomy import SEED_MASK
from training.settings import Settings

Scenario = Literal["head_only", "partial_unfreeze", "full_training"]

_FINE_TUNING_RATES: Final[dict[Scenario, float]] = {
    "head_only": 1e-3,
    "partial_unfreeze": 1e-4,
    "full_training": 1e-5,
}
FROM_SCRATCH_RATE: Final = 1e-3
HEAD_RATE_FACTOR: Final = 10.0


class ClassifierConfig(Settings):
    """Settings of one run, or of one run for each seed and fold."""

    architecture: str = RESNET18
    """Network: a key of `ARCHITECTURES`, see docs/reference.md."""
    pretrained: str = "none"
    """Where the trunk's weights come from: none (random), imagenet (downloaded), or a weights file."""
    weights_sha256: str | None = None
    """Checksum that the pretrained weights must have."""
    scenario: Scenario = "full_training"
    """What is trained: the linear head only, the head and the last blocks, or everything."""
    unfreeze_percent: float = Field(20.0, gt=0, le=100)
    """Share of the trunk's blocks, counted from the output, that partial_unfreeze trains."""

    image_size: int = Field(128, ge=8, le=1024)
    """Side of the square input in pixels."""
    augmentation: Literal["none", "dihedral", "full"] = "full"
    """Views in training: as they are; turned and mirrored; also scaled, shifted and mildly recoloured."""
    mixup_alpha: float = Field(0.0, ge=0, le=10)
    """Parameter of the beta distribution by which pairs of images are blended; 0 is off."""
    cutmix_alpha: float = Field(0.0, ge=0, le=10)
    """As mixup_alpha, for pasting a rectangle of one image into another; with both, each batch draws one of them."""
    balance: Literal["none", "weights", "sampling"] = "sampling"
    """Against unequal classes: nothing; weights in the loss; classes drawn equally often."""
    mask_weight: float = Field(0.0, ge=0, le=10)
    """Weight of the auxiliary task of predicting the lesion's mask; 0 is off."""
    masks: Path | None = None
    """Folder of masks, named like the images; by default `masks` in the data folder."""

    epochs: int = Field(36, ge=1, le=100_000)
    """Passes of as many draws as there are training images."""
    max_minutes: float | None = Field(None, gt=0)
    """Wall-clock limit; the cosine schedule ends at whichever limit comes first."""
    batch_size: int = Field(64, ge=2, le=65_536)
    """Images per optimiser step."""
    learning_rate: float | None = Field(None, gt=0, le=1)
    """Peak rate of AdamW; by default what suits the scenario, see docs/training.md."""
    rate_decay: float = Field(1.0, gt=0, le=1)
    """Factor on the learning rate from one stage of the trunk to the one before it; 1 gives all the same rate."""
    schedule: Literal["cosine", "plateau"] = "cosine"
    """Half a cosine down to 2 %, or halved when validation stops improving."""
    weight_decay: float = Field(0.05, ge=0, le=1)
    """Decoupled weight decay of AdamW."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Share of the target that is spread over all classes."""
    dropout: float = Field(0.0, ge=0, lt=1)
    """Share of the head's inputs that are left out in training."""
    ema_decay: float = Field(0.0, ge=0, lt=1)
    """Decay for each step of the moving average of the weights, which is then what is validated and kept; 0 is off."""
    early_stopping_patience: int | None = Field(None, ge=1)
    """Epochs without a better validation result after which training ends; by default it does not."""

    test_fraction: float = Field(0.15, ge=0, lt=1)
    """Part of each class's lesions held out for the final measurement."""
    validation_fraction: float = Field(0.12, gt=0, lt=1)
    """Part of each class's remaining lesions that chooses the epoch."""
    split: Literal["lesion", "given"] = "lesion"
    """Split by lesion, or as the data itself assigns (train, val and test)."""
    split_seed: int = Field(0, ge=0, le=SEED_MASK)
    """Another number holds out other lesions."""
    folds: int = Field(0, ge=0, le=50)
    """Cross-validate over so many folds of lesions; 0 trains one model."""
    seed: int = Field(42, ge=0, le=SEED_MASK)
    """Random seed for weights, samples and augmentation."""
    seeds: tuple[Annotated[int, Field(ge=0, le=SEED_MASK)], ...] = ()
    """Train once for each of these instead of `seed`."""

    licence: str = "unknown"
    """Terms of the data, for the model card; known data sets and tables with a column licence bring their own."""
    credit: str = ""
    """Whom the data's licence asks to be named."""

    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Arithmetic of the forward pass; auto is bf16 where the hardware multiplies in it."""
    threads: int | None = Field(None, ge=1, le=1024)
    """CPU threads; by default as many as torch chooses."""

    @field_validator("architecture")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in ARCHITECTURES:
            raise ValueError(f"choose one of {', '.join(ARCHITECTURES)}")
        return name

    @field_validator("folds")
    @classmethod
    def _several(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("one fold is no cross-validation: choose 0, or 2 and more")
        return folds

    @model_validator(mode="after")
    def _check(self) -> ClassifierConfig:
        if self.scenario != "full_training" and not self.is_pretrained:
            raise ValueError(
                f"scenario = {self.scenario} would freeze a trunk of random weights, because pretrained = none: set "
                "pretrained to imagenet or a weights file, or scenario to full_training"
            )
        if self.weights_sha256 is not None and not self.is_pretrained:
            raise ValueError("weights_sha256 is given, but pretrained = none loads no weights")
        if self.folds and self.split == "given":
            raise ValueError("folds draws its own splits: set split to lesion, or folds to 0")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError("seeds names a seed twice")
        return self

    @property
    def is_pretrained(self) -> bool:
        """Whether the trunk starts from weights that somebody trained."""
        return self.pretrained != "none"

    @property
    def peak_rate(self) -> float:
        """The learning rate of the trunk's last stage: as set, or the scenario's default."""
        if self.learning_rate is not None:
            return self.learning_rate
        return _FINE_TUNING_RATES[self.scenario] if self.is_pretrained else FROM_SCRATCH_RATE

    @property
    def head_rate(self) -> float:
        """The head's learning rate: higher where a fresh head meets a trained trunk that must not be torn up."""
        tuned = self.is_pretrained and self.scenario != "head_only"
        return min(1.0, self.peak_rate * HEAD_RATE_FACTOR) if tuned else self.peak_rate


PRESETS: Final[dict[str, dict[str, object]]] = {
    "quick": {
        "image_size": 64,
        "epochs": 8,
    },
    "starter": {
        "image_size": 128,
        "epochs": 60,
        "mixup_alpha": 0.2,
        "ema_decay": 0.998,
        "mask_weight": 0.3,
    },
    "gpu": {
        "architecture": "densenet121",
        "pretrained": "imagenet",
        "image_size": 224,
        "epochs": 40,
        "batch_size": 32,
        "learning_rate": 1e-4,
        "rate_decay": 0.7,
        "dropout": 0.2,
        "mixup_alpha": 0.2,
        "ema_decay": 0.999,
    },
}
"""Settings by purpose: minutes on a CPU; the classifiers that ship; an hour on a GPU with ImageNet weights."""
