"""What a generator learns from: photographs of the run's classes, split by lesion, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from core.errors import InputRefusedError
from core.message import Message
from dataset.generated import without_generated
from diffusion.config import DiffusionConfig
from diffusion.draws import ImageSet, Shown
from diffusion.latent.latents import Latents
from photographs.labelled import LabelledImage
from photographs.licence import licence_of
from photographs.pixels import Pixels, load_pixels
from photographs.sources import Photographs, read_dataset
from photographs.splits import Leakage, Splits, require_no_leakage, split_by_lesion, use_given_split


@dataclass(frozen=True)
class TrainingData:
    """Photographs in memory.

    Attributes
    ----------
    train
        Training photographs.
    validation
        Other lesions, by which the best weights are chosen.
    licence, credit
        Terms of the photographs, and whom to name, as Markdown.
    names
        Image ids of `train` and of `validation`.
    fingerprint
        SHA-256 of which image is in which part.
    counts
        Number of photographs of each class in `train`, `validation` and `test`, for people.
    notes
        What a person should know of the data, one sentence each.
    generated
        How many of the images are no photographs; 0 unless that was allowed.
    latents
        The same photographs as an autoencoder sees them, for a network that draws such images.
    """

    source: Path
    train: ImageSet
    validation: ImageSet
    names: tuple[tuple[str, ...], tuple[str, ...]]
    leakage: Leakage
    fingerprint: str
    licence: str
    counts: dict[str, dict[str, int]]
    notes: tuple[str, ...]
    credit: str = ""
    latents: Latents | None = None
    generated: int = 0

    @property
    def learnt(self) -> Shown:
        """What is trained on: photographs, or their latent images."""
        return self.train if self.latents is None else self.latents.train

    def only(self, config: DiffusionConfig, code: str) -> TrainingData:
        """Return the same with the photographs of one class alone, its label 0."""
        label = config.classes.index(code)
        kept = [(part.labels == label).nonzero().flatten() for part in (self.train, self.validation)]
        train, validation = (
            ImageSet(part.pixels[index], torch.zeros(len(index), dtype=torch.int64))
            for part, index in zip((self.train, self.validation), kept, strict=True)
        )
        names = tuple(tuple(name[i] for i in index.tolist()) for name, index in zip(self.names, kept, strict=True))
        counts = {part: {code: count[code]} for part, count in self.counts.items()}
        return TrainingData(
            self.source, train, validation, (names[0], names[1]), self.leakage, self.fingerprint, self.licence, counts,
            self.notes, self.credit, generated=self.generated,
        )  # fmt: skip


def read_training_data(
    path: Path, config: DiffusionConfig, *, allow_leakage: bool = False, allow_generated: bool = False
) -> TrainingData:
    """Read and split a data set, and load the photographs that training needs; the test lesions are not opened.

    Raises
    ------
    InputRefusedError
        If the data cannot be used, a class has no photograph in training, a network has none to be chosen by, held-out
        lesions are also in training, or some of the photographs are generated images.
    """
    photographs = without_generated(read_dataset(path), allow_generated)
    splits = split_images([image for image in photographs.images if image.code in config.classes], config)
    require_no_leakage(splits.leakage, allow_leakage)
    train = load_pixels(limited(splits.train, config), config.image_size)
    _refuse_missing_classes(train, config, path)
    validation = load_pixels(splits.validation, config.image_size)
    _refuse_no_validation(validation, config, path)
    terms = licence_of(photographs.kind, config.licence, stated=photographs.terms)
    return TrainingData(
        source=path,
        train=_image_set(train, config),
        validation=_image_set(validation, config),
        names=(_ids(train), _ids(validation)),
        leakage=splits.leakage,
        fingerprint=splits.fingerprint,
        licence=terms.name,
        credit=terms.credit,
        counts={
            "train": _counts(train.images, config),
            "validation": _counts(validation.images, config),
            "test": _counts(splits.test, config),
        },
        notes=_notes(photographs, train, validation),
        generated=photographs.generated,
    )


class SplitSettings(Protocol):
    """What a configuration says of the split; see `DiffusionConfig`."""

    @property
    def split(self) -> str:
        """How it is done: `lesion` or `given`."""

    @property
    def test_fraction(self) -> float:
        """Share of the lesions in the test set."""

    @property
    def validation_fraction(self) -> float:
        """Share of the remaining lesions in the validation set."""

    @property
    def split_seed(self) -> int:
        """Another number holds out other lesions."""


def split_images(images: Sequence[LabelledImage], config: SplitSettings) -> Splits:
    """Split images as a configuration says."""
    split = split_by_lesion if config.split == "lesion" else use_given_split
    return split(
        images,
        test_fraction=config.test_fraction,
        validation_fraction=config.validation_fraction,
        split_seed=config.split_seed,
    )


def limited(images: Sequence[LabelledImage], config: DiffusionConfig) -> list[LabelledImage]:
    """Return at most `class_limit` images of each class, the first by id."""
    seen: Counter[str] = Counter()
    kept = []
    for image in images:
        seen[image.code] += 1
        if config.class_limit is None or seen[image.code] <= config.class_limit:
            kept.append(image)
    return kept


def _refuse_missing_classes(pixels: Pixels, config: DiffusionConfig, path: Path) -> None:
    there = {image.code for image in pixels.images}
    missing = [code for code in config.classes if code not in there]
    if missing:
        others = ",".join(code for code in config.classes if code in there)
        raise InputRefusedError(
            Message("{path} has no training photograph of {missing}.", path=path, missing=", ".join(missing)),
            remedy=Message("Add some, or leave the class out: --classes {others}.", others=others),
            path=path,
        )


def _refuse_no_validation(pixels: Pixels, config: DiffusionConfig, path: Path) -> None:
    there = {image.code for image in pixels.images}
    missing = [code for code in config.classes if code not in there]
    if missing and (config.kind == "per_class" or not there):
        raise InputRefusedError(
            Message(
                "{path} leaves no validation photograph of {missing} for selecting the best weights.",
                path=path,
                missing=", ".join(missing),
            ),
            remedy=(
                Message(
                    "Add photographs: each class needs at least three lesions, one each for training, "
                    "validation and test; with --set test_fraction=0 two."
                )
            ),
            path=path,
        )


def _image_set(pixels: Pixels, config: DiffusionConfig) -> ImageSet:
    labels = [config.classes.index(image.code) for image in pixels.images]
    return ImageSet(torch.from_numpy(pixels.array), torch.tensor(labels, dtype=torch.int64))


def _ids(pixels: Pixels) -> tuple[str, ...]:
    return tuple(image.image_id for image in pixels.images)


def _counts(images: Sequence[LabelledImage], config: DiffusionConfig) -> dict[str, int]:
    found = Counter(image.code for image in images)
    return {code: found[code] for code in config.classes}


def _notes(photographs: Photographs, *read: Pixels) -> tuple[str, ...]:
    return (*photographs.notes, *(pixels.warning for pixels in read if pixels.warning))
