"""The images of the experiment in memory, divided so that no lesion is on two sides."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.errors import InputRefusedError
from core.jobs.stream import JobContext
from core.message import Message
from core.taxonomy import CLASS_CODES
from dataset.generated import generated_among
from evaluation.curation.evidence import are_near
from evaluation.sets import ImageSet, SetImage, divide, read_set, refuse_missing
from evaluation.utility.request import UtilityRequest
from measures.features import PIXEL_SIDE
from photographs.labelled import LabelledImage, hold_out_lesions

VALIDATION: Final = 0.15
"""Share of the training lesions that choose the best state of every training."""

_SALT: Final = "utility-validation"

READING: Final = 0.5
"""Share of the time for reading where images are left out afterwards."""


@dataclass(frozen=True, eq=False)
class Part:
    """Images of one part.

    Attributes
    ----------
    pixels
        uint8 RGB, (N, 3, S, S).
    labels
        (N,), int64.
    """

    pixels: Tensor
    labels: Tensor
    lesions: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def digests(self) -> list[str]:
        """SHA-256 of each image's pixels."""
        return [hashlib.sha256(image.tobytes()).hexdigest() for image in self.pixels.numpy()]

    @property
    def codes(self) -> tuple[str, ...]:
        """The classes that are in it, canonical order."""
        return tuple(CLASS_CODES[label] for label in sorted(set(self.labels.tolist())))


@dataclass(frozen=True, eq=False)
class Material:
    """Everything that the experiment learns from and is asked about.

    Attributes
    ----------
    copies_of_test, copies_of_train
        Images of the synthetic set that are photographs of the test set, also turned, mirrored or compressed anew, and
        those that are photographs of the training set, pixel for pixel.
    notes
        What a person should know of the data, one sentence each.
    fingerprint
        SHA-256 of all of it.
    """

    train: Part
    validation: Part
    test: Part
    synthetic: Part
    copies_of_test: int
    copies_of_train: int
    notes: tuple[str, ...]
    fingerprint: str

    @property
    def parts(self) -> dict[str, Part]:
        """The parts by name."""
        return {"train": self.train, "validation": self.validation, "test": self.test, "synthetic": self.synthetic}


def read_material(request: UtilityRequest, context: JobContext | None = None) -> Material:
    """Read and divide the images.

    Parameters
    ----------
    context
        Told of every picture and of every stage of a curation.

    Raises
    ------
    InputRefusedError
        If a set is empty or has no classes, if a photograph or a lesion is in training and test, or if the test set
        holds one class only.
    """
    refuse_missing(request.train, request.test, *request.synthetic)  # before minutes of reading
    context = context or JobContext()
    reading = _reading(context, 2 + len(request.synthetic))
    train, test = _photographs(request, reading)
    generated = [
        _labelled(read_set(path, context=part)) for path, part in zip(request.synthetic, reading[2:], strict=True)
    ]
    synthetic = _together(generated)
    held, rest = _hold_out(train)
    _refuse_shared_lesions(train, test)
    if request.curate:
        synthetic = _curated(synthetic, request, rest, held, context.part(READING, 1 - READING))
    size = request.settings.training.image_size
    parts = [_part(images, size) for images in (rest, held, test, synthetic)]
    _refuse_shared_pictures(parts[0], parts[1], parts[2], request)
    _refuse_one_class(parts[2], request)
    in_train = {*parts[0].digests, *parts[1].digests}
    return Material(
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        synthetic=parts[3],
        copies_of_test=int(are_near(*(images.pixels(max(size, PIXEL_SIDE)) for images in (synthetic, test))).sum()),
        copies_of_train=sum(digest in in_train for digest in parts[3].digests),
        notes=tuple(
            dict.fromkeys(
                (*_lesion_notes(train, test), *_class_notes(*parts), *train.notes, *test.notes, *synthetic.notes)
            )
        ),
        fingerprint=_fingerprint(parts),
    )


def _reading(context: JobContext, sets: int) -> list[JobContext]:
    """Return what the reading of each set is told to."""
    share = READING / sets
    return [context.part(place * share, share, Message("Reading the images")) for place in range(sets)]


def _photographs(request: UtilityRequest, reading: Sequence[JobContext]) -> tuple[ImageSet, ImageSet]:
    train = _labelled(read_set(request.train, context=reading[0]))
    _refuse_generated(train)
    if request.train.resolve() == request.test.resolve():
        return divide(train)
    test = _labelled(read_set(request.test, context=reading[1]))
    _refuse_generated(test)
    return train, test


def _refuse_generated(photographs: ImageSet) -> None:
    """Refuse photographs that are none: training and test must be real for the difference to mean anything."""
    found = generated_among([image.path for image in photographs.images])
    if found:
        raise InputRefusedError(
            Message(
                "{n} of the {total} photographs in {path} are generated images, such as {name}.",
                n=len(found), total=len(photographs), path=photographs.folder, name=found[0].name,
            ),
            remedy=Message("Name photographs with --train and --test; generated images belong to --synthetic."),
            path=found[0],
        )  # fmt: skip


def _lesion_notes(train: ImageSet, test: ImageSet) -> Iterator[Message]:
    for images in (train, test):
        if not images.grouped:
            yield Message(
                "{name} has no lesion identifiers: each photograph counts as a separate lesion, so "
                "photographs of one lesion may be in both training and test data, and confidence "
                "intervals are too narrow.",
                name=images.name,
            )


def _class_notes(train: Part, validation: Part, test: Part, synthetic: Part) -> Iterator[Message]:
    """Name the classes that are missing somewhere, and what that means."""
    asked = test.codes
    if missing := _missing(train.codes, asked):
        yield Message(
            "There are no training photographs of {codes}: a gain from synthetic images there is "
            "not a fair comparison.",
            codes=missing,
        )
    if missing := _missing(validation.codes, train.codes):
        yield Message("{codes}: too few lesions for model selection.", codes=missing)
    if missing := _missing(asked, CLASS_CODES):
        yield Message("The test set has no photograph of {codes}: these classes are not evaluated.", codes=missing)
    if missing := _missing(synthetic.codes, CLASS_CODES):
        yield Message("The synthetic set has no image of {codes}.", codes=missing)


def _missing(codes: Sequence[str], wanted: Sequence[str]) -> str:
    return ", ".join(code for code in wanted if code not in codes)


def _labelled(images: ImageSet) -> ImageSet:
    """Return the images whose class is known; what is said of the set is said with its name."""
    rows = [row for row, image in enumerate(images.images) if image.code is not None]
    if not rows:
        raise InputRefusedError(
            Message("The classes of the images in {path} are unknown.", path=images.folder),
            remedy=Message(
                "Put them into folders named after the classes ({codes}), or name a table or a JSONL manifest.",
                codes=", ".join(CLASS_CODES),
            ),
            path=images.folder,
        )
    notes = list(images.notes)
    if unknown := len(images) - len(rows):
        notes.append(Message("Excluded because the class is unknown: %n image(s).", n=unknown))
    named = tuple(Message("{name}: {note}", name=images.name, note=note) for note in notes)
    return replace(images.only(rows), notes=named)


def _together(sets: Sequence[ImageSet]) -> ImageSet:
    """Return several sets as one, in which images are told apart by their whole path."""
    if len(sets) == 1:
        return sets[0]
    images = tuple(replace(image, name=image.path.as_posix()) for one in sets for image in one.images)
    sizes: Counter[tuple[int, int]] = Counter()
    for one in sets:
        sizes.update(dict(one.sizes))
    return ImageSet(
        sets[0].folder,
        sets[0].name,
        images,
        tuple(pair for one in sets for pair in one.unreadable),
        tuple(sizes.most_common()),
        notes=tuple(note for one in sets for note in one.notes),
    )


def _curated(
    synthetic: ImageSet,
    request: UtilityRequest,
    train: ImageSet,
    held_out: ImageSet,
    context: JobContext,
) -> ImageSet:
    """Return the images that the rules leave in, and write down what was decided about each."""
    from evaluation.curation.curate import curate
    from evaluation.curation.rules import parse_rules

    curation = curate(synthetic, parse_rules(request.curate), train=train, held_out=held_out, context=context)
    curation.save(request.output)
    notes = (*synthetic.notes, curation.sentence, *curation.notes)
    if not len(curation.kept):
        raise InputRefusedError(
            curation.sentence, remedy=Message("Choose milder rules with --curate."), path=synthetic.folder
        )
    return replace(curation.kept, notes=notes)


def _hold_out(train: ImageSet) -> tuple[ImageSet, ImageSet]:
    """Return the validation lesions and the rest."""
    rows = {str(row): row for row in range(len(train.images))}
    labelled = [_labelled_image(str(row), image) for row, image in enumerate(train.images)]
    held, rest = hold_out_lesions(labelled, VALIDATION, _SALT)
    if not held:
        raise InputRefusedError(
            Message("{path} has too few lesions: none is left for model selection.", path=train.folder),
            remedy=Message("Add photographs: every class needs at least two lesions."),
            path=train.folder,
        )
    return tuple(train.only([rows[image.image_id] for image in part]) for part in (held, rest))  # type: ignore[return-value]


def _labelled_image(name: str, image: SetImage) -> LabelledImage:
    return LabelledImage(name, str(image.code), image.lesion, "", image.path)


def _part(images: ImageSet, size: int) -> Part:
    return Part(torch.from_numpy(images.pixels(size)), torch.from_numpy(images.labels), tuple(images.lesions))


def _refuse_shared_lesions(train: ImageSet, test: ImageSet) -> None:
    if not (train.grouped and test.grouped):
        return
    shared = sorted({*train.lesions} & {*test.lesions})
    if shared:
        raise InputRefusedError(
            Message(
                "In both training and test data: %n lesion(s), such as {name}. Every result would be too optimistic.",
                n=len(shared),
                name=shared[0],
            ),
            remedy=Message("Name the same folder with --train and --test: it is then split by lesion."),
            path=test.folder,
        )


def _refuse_shared_pictures(train: Part, validation: Part, test: Part, request: UtilityRequest) -> None:
    shared = len({*test.digests} & {*train.digests, *validation.digests})
    if shared:
        raise InputRefusedError(
            Message("Also in the training set: %n photograph(s) of the test set.", n=shared),
            remedy=Message("Remove them, or name the same folder with --train and --test: it is split by lesion."),
            path=request.test,
        )


def _refuse_one_class(test: Part, request: UtilityRequest) -> None:
    if len(test.labels.unique()) < 2:
        raise InputRefusedError(
            Message("The test set holds one class only, so no classifier can be evaluated."),
            remedy=Message("Name photographs of several classes with --test."),
            path=request.test,
        )


def _fingerprint(parts: Sequence[Part]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.pixels.numpy().tobytes())
        digest.update(_bytes(part.labels.numpy()))
        digest.update("\n".join(part.lesions).encode())
    return digest.hexdigest()


def _bytes(labels: NDArray[np.int64]) -> bytes:
    return labels.astype("<i8").tobytes()
