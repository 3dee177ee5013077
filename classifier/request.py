"""What `train classifier` is asked for; nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal

from core.errors import UsageError
from core.jobs.options import option
from core.jobs.registry import Request, job
from core.message import Message
from core.models.classification.architectures import ARCHITECTURES
from training.request import read_saved_run

if TYPE_CHECKING:
    from classifier.config import ClassifierConfig

KIND: Final = "classifier"

_SETTINGS: Final = (
    "architecture", "scenario", "unfreeze_percent", "pretrained", "weights_sha256", "batch_size", "epochs",
    "max_minutes", "learning_rate", "dropout", "image_size", "augmentation", "early_stopping_patience", "seed", "folds",
    "device", "precision", "threads",
)  # fmt: skip
"""Fields of the request that are settings of `ClassifierConfig` under the same name."""


@job("classifier.run:run_training")
@dataclass(frozen=True, slots=True)
class TrainClassifierRequest(Request):
    """A classifier's training. What is None is as the file says, or the preset, or the run that goes on.

    Attributes
    ----------
    file
        Settings as TOML or JSON; they win over the preset.
    preset
        Name in `classifier.config.PRESETS`.
    assignments
        Further settings as ``key=value``; they win over the flags, and the flags over the file.
    """

    command: ClassVar[tuple[str, ...]] = ("train", KIND)
    data: Path = option("--data", "Photographs: a folder of a known form, or a CSV.", kind="path")
    output: Path | None = option(
        "--output", "Folder of the run.", kind="folder", default=None, default_words="a new one in runs/"
    )
    file: Path | None = option(
        "--config",
        "Settings, TOML or JSON; the keys are listed in classifier/config.py.",
        kind="path",
        default=None,
    )
    preset: str | None = option("--preset", "quick (CPU minutes), starter (as shipped) or gpu.", default=None)
    assignments: tuple[str, ...] = option(
        "--set", "Change one setting; repeatable.", many=True, metavar="KEY=VALUE", default=()
    )
    architecture: str | None = option(
        "--architecture", "Network [default: resnet18].", kind="choice", choices=ARCHITECTURES, default=None
    )
    scenario: str | None = option(
        "--scenario",
        "Which part of a pretrained network is trained.",
        kind="choice",
        choices=("head_only", "partial_unfreeze", "full_training"),
        default=None,
    )
    unfreeze_percent: float | None = option(
        "--unfreeze-percent", "Share of blocks that partial_unfreeze trains.", kind="number", default=None
    )
    pretrained: str | None = option(
        "--pretrained", "Source of the initial weights.", metavar="none|imagenet|FILE", default=None
    )
    weights_sha256: str | None = option("--weights-sha256", "Expected SHA-256 of the pretrained weights.", default=None)
    batch_size: int | None = option("--batch-size", "Images per step.", kind="whole", default=None)
    epochs: int | None = option("--epochs", "Passes over the training images.", kind="whole", default=None)
    max_minutes: float | None = option("--max-minutes", "Time limit.", kind="number", default=None)
    learning_rate: float | None = option(
        "--learning-rate",
        "Highest learning rate.",
        kind="number",
        default=None,
        default_words="depends on the scenario",
    )
    dropout: float | None = option("--dropout-rate", "Dropout rate of the head.", kind="number", default=None)
    image_size: int | None = option("--image-size", "Side of the square input in pixels.", kind="whole", default=None)
    augmentation: str | None = option(
        "--augmentation", "Augmentation in training.", kind="choice", choices=("none", "dihedral", "full"), default=None
    )
    use_class_weights: bool = option(
        "--use-class-weights",
        "Weight the loss instead of sampling classes equally often.",
        kind="switch",
        default=False,
    )
    early_stopping_patience: int | None = option(
        "--early-stopping-patience", "Stop after this many epochs without improvement.", kind="whole", default=None
    )
    seed: int | None = option(
        "--seed", "Random seed for weights, samples and augmentation.", kind="whole", default=None
    )
    seeds: str | None = option("--seeds", "Train once per seed.", metavar="N,N,...", default=None)
    folds: int | None = option("--folds", "Number of folds for cross-validation by lesion.", kind="whole", default=None)
    device: str | None = option("--device", "auto, cpu, cuda or cuda:N.", default=None)
    precision: str | None = option(
        "--precision", "Numeric precision.", kind="choice", choices=("auto", "fp32", "bf16"), default=None
    )
    threads: int | None = option("--threads", "CPU threads.", kind="whole", default=None)
    tracker: Literal["tensorboard", "wandb", "none"] = option(
        "--tracker",
        "Where to log the curves.",
        kind="choice",
        choices=("tensorboard", "wandb", "none"),
        default="tensorboard",
    )
    resume: bool = option("--resume", "Resume the run in --output, with its settings.", kind="switch", default=False)
    allow_leakage: bool = option(
        "--allow-leakage", "Train although held-out images show training lesions.", kind="switch", default=False
    )
    allow_generated: bool = option(
        "--allow-generated", "Learn from generated images, too.", kind="switch", default=False
    )

    @property
    def settings(self) -> ClassifierConfig:
        """What holds: preset, file and flags put together; a continued run begins with its own settings.

        Raises
        ------
        UsageError
            If a setting is unknown or impossible, or the run to go on with is not named or of another kind.
        InputRefusedError
            If there is no run to go on with.
        """
        from classifier.config import PRESETS, ClassifierConfig
        from training.settings import load_settings

        if self.preset is not None and self.preset not in PRESETS:
            raise UsageError(
                Message("There is no preset '{preset}'.", preset=self.preset),
                remedy=Message("The presets are {presets}.", presets=", ".join(PRESETS)),
            )
        return load_settings(
            ClassifierConfig,
            file=self.file,
            preset={**self._saved(), **PRESETS.get(self.preset or "", {})},
            overrides=self._overrides(),
        )

    def _overrides(self) -> dict[str, object]:
        from training.settings import parse_assignments

        flags: dict[str, object] = {name: value for name in _SETTINGS if (value := getattr(self, name)) is not None}
        if self.use_class_weights:
            flags["balance"] = "weights"
        if self.seeds is not None:
            flags["seeds"] = self.seeds.split(",")
        return {**flags, **parse_assignments(self.assignments)}

    def _saved(self) -> Mapping[str, object]:
        """Return the settings of the run that goes on; none of a new one."""
        return read_saved_run(self.output, KIND)[1] if self.resume else {}
