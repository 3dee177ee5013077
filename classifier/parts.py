"""One command, several trainings: one for each seed and each fold, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier.config import ClassifierConfig
from core.dataset.labelled import LabelledImage
from core.dataset.splits import Splits, lesion_folds, split_by_lesion, use_given_split


@dataclass(frozen=True, slots=True)
class Part:
    """One training: its settings (with one seed and no others), its images, its folder, and its name within the run."""

    config: ClassifierConfig
    splits: Splits
    folder: Path
    title: str


def plan_parts(images: Sequence[LabelledImage], config: ClassifierConfig, folder: Path) -> list[Part]:
    """Return the trainings of a run in the order in which they are carried out.

    A single training lies in `folder` itself, several in `seed_<seed>`, `fold_<number>` or `seed_<seed>/fold_<number>`.

    Raises
    ------
    InputRefusedError
        If the images cannot be split as the settings say.
    """
    return [
        Part(
            config.model_copy(update={"seed": seed, "seeds": ()}), splits, folder / place, place or config.architecture
        )
        for seed_place, seed in _seeds(config)
        for fold_place, splits in _splits(images, config)
        for place in ("/".join(filter(None, (seed_place, fold_place))),)
    ]


def _seeds(config: ClassifierConfig) -> Iterator[tuple[str, int]]:
    if not config.seeds:
        yield "", config.seed
    for seed in config.seeds:
        yield f"seed_{seed}", seed


def _splits(images: Sequence[LabelledImage], config: ClassifierConfig) -> Iterator[tuple[str, Splits]]:
    share = config.validation_fraction
    if config.folds:
        folds = lesion_folds(images, config.folds, config.split_seed, validation_fraction=share)
        yield from ((f"fold_{number}", splits) for number, splits in enumerate(folds))
        return
    split = use_given_split if config.split == "given" else split_by_lesion
    yield "", split(images, test_fraction=config.test_fraction, validation_fraction=share, split_seed=config.split_seed)
