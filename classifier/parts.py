"""One command, several trainings: one for each seed and each fold, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from classifier.config import ClassifierConfig
from photographs.labelled import LabelledImage
from photographs.splits import Splits, lesion_folds, split_by_lesion, use_given_split


@dataclass(frozen=True, slots=True)
class Part:
    """One training: its settings (with one seed and no others), its images, its place in the run's folder."""

    config: ClassifierConfig
    splits: Splits
    place: str

    @property
    def title(self) -> str:
        """What it is called within the run."""
        return self.place or self.config.architecture


def plan_parts(images: Sequence[LabelledImage], config: ClassifierConfig) -> list[Part]:
    """Return the trainings of a run in the order in which they are carried out.

    A single training is in the run's folder itself, several in `seed_<seed>`, `fold_<number>` or
    `seed_<seed>/fold_<number>`.

    Raises
    ------
    InputRefusedError
        If the images cannot be split as the settings say.
    """
    divided = list(_splits(images, config))
    return [
        Part(one, splits, "/".join(filter(None, (seed_place, fold_place))))
        for seed_place, one in _seeds(config)
        for fold_place, splits in divided
    ]


def _seeds(config: ClassifierConfig) -> Iterator[tuple[str, ClassifierConfig]]:
    if not config.seeds:
        yield "", config
    for seed in config.seeds:
        yield f"seed_{seed}", config.model_copy(update={"seed": seed, "seeds": ()})


def _splits(images: Sequence[LabelledImage], config: ClassifierConfig) -> Iterator[tuple[str, Splits]]:
    share = config.validation_fraction
    if config.folds:
        folds = lesion_folds(images, config.folds, config.split_seed, validation_fraction=share)
        yield from ((f"fold_{number}", splits) for number, splits in enumerate(folds))
        return
    split = use_given_split if config.split == "given" else split_by_lesion
    yield "", split(images, test_fraction=config.test_fraction, validation_fraction=share, split_seed=config.split_seed)
