"""Training, validation and test images that share no lesion, and the meter that proves it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.errors import InputRefusedError, UsageError
from core.message import Message
from core.taxonomy import CLASS_CODES
from photographs.labelled import LabelledImage, class_of_lesion, hold_out_lesions, lesion_rank
from photographs.pixels import content_digests

TEST_FRACTION: Final = 0.15
VALIDATION_FRACTION: Final = 0.12
"""Share of the lesions that are left once the test set is taken."""

TRAIN, VALIDATION, TEST = "train", "val", "test"
RESERVED: Final = (VALIDATION, TEST)
"""Parts that a data set's own authors set aside: images marked so are never trained on by a split of ours."""

_LEAKAGE_REMEDY: Final = {
    True: Message(
        "Use the split by lesion, correct the data set's own split, or add --allow-leakage if it is intended."
    ),
    False: Message("Remove the copies, or add --allow-leakage if they are intended."),
}
"""By whether the data set names lesions."""


@dataclass(frozen=True, slots=True)
class Leakage:
    """How many held-out images show a lesion that training knows.

    Attributes
    ----------
    images
        Number of held-out images.
    leaked
        Number of those whose lesion is in training; without lesion ids, whose exact pixels are in training.
    share
        `leaked / images`, 0..1; 0 if there is none.
    known
        Whether the data set names lesions. If not, `leaked` is a lower bound: two photographs of one lesion are not
        recognised as such.
    """

    images: int
    leaked: int
    share: float
    known: bool

    @property
    def sentence(self) -> Message:
        """The measurement in plain words."""
        counts = {"leaked": self.leaked, "images": self.images, "share": self.share}
        if self.known:
            return Message(
                "{leaked} of {images} held-out images ({share:.1%}) show a lesion that is also in training.", **counts
            )
        return Message(
            "{leaked} of {images} held-out images ({share:.1%}) are exact copies of a training image. The data set has "
            "no lesion identifiers, so further photographs of one lesion may be on both sides: this is a lower bound.",
            **counts,
        )


@dataclass(frozen=True, slots=True)
class Splits:
    """The images of each part, sorted as they were given.

    Attributes
    ----------
    train, validation, test
        The three parts; no lesion is in two of them unless the data set's own split has it so.
    leakage
        Of validation, test and extra images together, measured against training.
    fingerprint
        SHA-256 of which image, of which lesion, is in which part.
    extra
        A further test set that the data set itself reserves (split `val` or `test`), if it has one.
    """

    train: tuple[LabelledImage, ...]
    validation: tuple[LabelledImage, ...]
    test: tuple[LabelledImage, ...]
    leakage: Leakage
    fingerprint: str
    extra: tuple[LabelledImage, ...] = ()


def split_by_lesion(
    images: Sequence[LabelledImage],
    *,
    test_fraction: float = TEST_FRACTION,
    validation_fraction: float = VALIDATION_FRACTION,
    split_seed: int = 0,
) -> Splits:
    """Hold out whole lesions of every class, in an order that depends on nothing but `split_seed` and their ids.

    Images that the data set marks as `val` or `test` are set aside as `extra`. Seed 0 is the split of the starter
    models.

    Parameters
    ----------
    test_fraction
        Share of each class's lesions in the test set, 0 <= x < 1.
    validation_fraction
        Share of each class's remaining lesions in the validation set, 0 <= x < 1.

    Raises
    ------
    InputRefusedError
        If a lesion carries two classes, or nothing is left to train on.
    UsageError
        If a fraction is out of range.
    """
    _check_fractions(test_fraction, validation_fraction)
    extra = [image for image in images if image.split in RESERVED]
    own = [image for image in images if image.split not in RESERVED]
    test, rest = hold_out_lesions(own, test_fraction, _salt(TEST, split_seed))
    validation, train = hold_out_lesions(rest, validation_fraction, _salt("validation", split_seed))
    return _splits(train, validation, test, extra, _Identities.of(images))


def use_given_split(
    images: Sequence[LabelledImage],
    *,
    test_fraction: float = TEST_FRACTION,
    validation_fraction: float = VALIDATION_FRACTION,
    split_seed: int = 0,
) -> Splits:
    """Use the parts `train`, `val` and `test` that the data set assigns.

    A part that it does not assign is held out of its training images, as `split_by_lesion` would.

    Raises
    ------
    InputRefusedError
        If an image is assigned to no part, or nothing is left to train on.
    """
    _check_fractions(test_fraction, validation_fraction)
    parts = {name: [image for image in images if image.split == name] for name in (TRAIN, *RESERVED)}
    _refuse_unassigned(images)
    train, validation, test = parts[TRAIN], parts[VALIDATION], parts[TEST]
    if not test:
        test, train = hold_out_lesions(train, test_fraction, _salt(TEST, split_seed))
    if not validation:
        validation, train = hold_out_lesions(train, validation_fraction, _salt("validation", split_seed))
    return _splits(train, validation, test, (), _Identities.of(images))


def lesion_folds(
    images: Sequence[LabelledImage],
    folds: int,
    split_seed: int = 0,
    *,
    validation_fraction: float = VALIDATION_FRACTION,
) -> list[Splits]:
    """Return `folds` splits whose test sets are disjoint and together hold every image that is not reserved.

    Per class the folds differ by at most one lesion, and so they do over all classes.

    Raises
    ------
    UsageError
        If `folds` is below 2.
    InputRefusedError
        If a class has fewer lesions than there are folds, or a lesion carries two classes.
    """
    _check_fractions(0.0, validation_fraction)
    if folds < 2:
        raise UsageError(Message("{folds} is not a number of folds.", folds=folds), remedy=Message("Choose 2 or more."))
    extra = [image for image in images if image.split in RESERVED]
    own = [image for image in images if image.split not in RESERVED]
    fold_of = _fold_of_lesion(own, folds, split_seed)
    identities = _Identities.of(images)
    salt = _salt("validation", split_seed)
    splits = []
    for fold in range(folds):
        test = [image for image in own if fold_of[image.lesion_id] == fold]
        rest = [image for image in own if fold_of[image.lesion_id] != fold]
        validation, train = hold_out_lesions(rest, validation_fraction, salt)
        splits.append(_splits(train, validation, test, extra, identities))
    return splits


def measure_leakage(train: Iterable[LabelledImage], held_out: Iterable[LabelledImage]) -> Leakage:
    """Count the held-out images whose lesion is in training.

    Where no image has a lesion id, the pictures are read, and exact copies counted instead.
    """
    seen, held = tuple(train), tuple(held_out)
    return _Identities.of((*seen, *held)).leakage(seen, held)


def require_no_leakage(leakage: Leakage, allowed: bool) -> None:
    """Refuse a split that leaks, unless that is allowed.

    Raises
    ------
    InputRefusedError
        With the measurement in plain words.
    """
    if leakage.leaked and not allowed:
        raise InputRefusedError(
            Message("Training and held-out images are not disjoint: {sentence}", sentence=leakage.sentence),
            remedy=_LEAKAGE_REMEDY[leakage.known],
        )


@dataclass(frozen=True, slots=True)
class _Identities:
    """What makes two images the same subject: their lesion, or else their pixels; read once for all folds."""

    keys: Mapping[LabelledImage, str]
    known: bool

    @classmethod
    def of(cls, images: Sequence[LabelledImage]) -> _Identities:
        known = any(image.lesion_id != image.image_id for image in images)
        keys = [image.lesion_id for image in images] if known else content_digests(images)
        return cls(dict(zip(images, keys, strict=True)), known)

    def leakage(self, train: Sequence[LabelledImage], held: Sequence[LabelledImage]) -> Leakage:
        trained = {self.keys[image] for image in train} - {""}
        leaked = sum(self.keys[image] in trained for image in held)
        return Leakage(len(held), leaked, leaked / len(held) if held else 0.0, self.known)


def _salt(part: str, split_seed: int) -> str:
    # Seed 0 keeps the salts under which the starter models were made.
    return part if split_seed == 0 else f"{part}-{split_seed}"


def _fold_of_lesion(images: Sequence[LabelledImage], folds: int, split_seed: int) -> dict[str, int]:
    classes = class_of_lesion(images)
    salt = _salt("folds", split_seed)
    ordered: list[str] = []
    for code in CLASS_CODES:
        lesions = [lesion for lesion, its_code in classes.items() if its_code == code]
        if lesions and len(lesions) < folds:
            raise InputRefusedError(
                Message(
                    "{code} has {lesions} lesions, too few for {folds} folds.",
                    code=code,
                    lesions=len(lesions),
                    folds=folds,
                ),
                remedy=Message("Choose at most {lesions} folds, or exclude the class.", lesions=len(lesions)),
            )
        ordered += sorted(lesions, key=lambda lesion: lesion_rank(lesion, salt))
    return {lesion: index % folds for index, lesion in enumerate(ordered)}


def _splits(
    train: Sequence[LabelledImage],
    validation: Sequence[LabelledImage],
    test: Sequence[LabelledImage],
    extra: Sequence[LabelledImage],
    identities: _Identities,
) -> Splits:
    if not train:
        raise InputRefusedError(
            Message("No image is left to train on."),
            remedy=Message("Add photographs, or hold out a smaller share of them."),
        )
    leakage = identities.leakage(train, (*validation, *test, *extra))
    parts = {TRAIN: train, "validation": validation, TEST: test, "extra": extra}
    return Splits(tuple(train), tuple(validation), tuple(test), leakage, _fingerprint(parts), tuple(extra))


def _fingerprint(parts: dict[str, Sequence[LabelledImage]]) -> str:
    lines = sorted(f"{part}\t{image.lesion_id}\t{image.image_id}" for part, held in parts.items() for image in held)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check_fractions(*fractions: float) -> None:
    for fraction in fractions:
        if not 0 <= fraction < 1:
            raise UsageError(
                Message("A share of {fraction} cannot be held out.", fraction=fraction),
                remedy=Message("Name a share from 0 to below 1."),
            )


def _refuse_unassigned(images: Sequence[LabelledImage]) -> None:
    unassigned = [image for image in images if image.split not in (TRAIN, *RESERVED)]
    if unassigned:
        first = unassigned[0]
        raise InputRefusedError(
            Message(
                "{unassigned} of {images} images belong to none of the splits train, val and test; "
                "the first is {image_id} with '{split}'.",
                unassigned=len(unassigned),
                images=len(images),
                image_id=first.image_id,
                split=first.split,
            ),
            remedy=Message("Assign every image to a split, or use the split by lesion."),
            path=first.path,
        )
