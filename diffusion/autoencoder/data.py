"""What an autoencoder learns from: photographs of any class, split by lesion as for generators, in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from core.errors import InputRefusedError
from core.message import Message
from core.taxonomy import CLASS_CODES, CLASS_INDEX
from dataset.generated import without_generated
from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.data import split_images
from diffusion.draws import ImageSet
from photographs.labelled import LabelledImage
from photographs.licence import licence_of
from photographs.pixels import Pixels, load_pixels
from photographs.sources import Photographs, read_dataset
from photographs.splits import Leakage, require_no_leakage


@dataclass(frozen=True)
class PictureData:
    """Photographs, in memory but for those of the test lesions.

    Attributes
    ----------
    train, validation
        Training photographs, and other lesions for monitoring; labels in canonical order.
    test
        Files of further lesions, on which the report is measured; those of `validation` if nothing else is held out.
    fingerprint
        SHA-256 of which image is in which part.
    counts
        Number of photographs of each class in each part, for people.
    notes
        What a person should know of the data, one sentence each.
    """

    source: Path
    train: ImageSet
    validation: ImageSet
    test: tuple[LabelledImage, ...]
    leakage: Leakage
    fingerprint: str
    licence: str
    credit: str
    counts: dict[str, dict[str, int]]
    notes: tuple[str, ...]
    generated: int = 0


def read_pictures(
    path: Path, config: AutoencoderConfig, *, allow_leakage: bool = False, allow_generated: bool = False
) -> PictureData:
    """Read and split a data set, and load the photographs that training needs.

    Raises
    ------
    InputRefusedError
        If the data cannot be used, held-out lesions are also in training, or some of the photographs are generated.
    """
    photographs = without_generated(read_dataset(path), allow_generated)
    splits = split_images(photographs.images, config)
    require_no_leakage(splits.leakage, allow_leakage)
    if not splits.validation:
        raise InputRefusedError(
            Message("{path} leaves no validation photographs of held-out lesions.", path=path),
            remedy=Message("Add photographs, or raise validation_fraction."),
            path=path,
        )
    train = load_pixels(splits.train, config.image_size)
    validation = load_pixels(splits.validation, config.image_size)
    terms = licence_of(photographs.kind, config.licence, stated=photographs.terms)
    return PictureData(
        source=path,
        train=labelled(train),
        validation=labelled(validation),
        test=splits.test or splits.validation,
        leakage=splits.leakage,
        fingerprint=splits.fingerprint,
        licence=terms.name,
        credit=terms.credit,
        counts={
            "train": _counts(train.images),
            "validation": _counts(validation.images),
            "test": _counts(splits.test),
        },
        notes=_notes(photographs, train, validation),
        generated=photographs.generated,
    )


def labelled(pixels: Pixels) -> ImageSet:
    """Return photographs with their labels, 0..6 in canonical order."""
    labels = [CLASS_INDEX[image.code] for image in pixels.images]
    return ImageSet(torch.from_numpy(pixels.array), torch.tensor(labels, dtype=torch.int64))


def _counts(images: Sequence[LabelledImage]) -> dict[str, int]:
    found = Counter(image.code for image in images)
    return {code: found[code] for code in CLASS_CODES if found[code]}


def _notes(photographs: Photographs, *read: Pixels) -> tuple[str, ...]:
    return (*photographs.notes, *(pixels.warning for pixels in read if pixels.warning))
