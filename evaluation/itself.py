"""Is a set compared with itself, or with photographs that are none? Then no number means anything: said first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from core.message import Message
from dataset.generated import generated_among
from evaluation.finding import Finding
from evaluation.sets import ImageSet

KEY: Final = "comparison"
TITLE: Final = Message("What is compared")


def photographs_that_are_none(real: ImageSet, train: ImageSet | None) -> tuple[Message, ...]:
    """Return what is wrong with what was named as photographs: images that carry a recipe, or a generator's mark."""
    sets = {Message("held-out photographs"): real, Message("training photographs"): train}
    return tuple(
        Message(
            "{n} of the {total} {role} are generated images, such as {name}.",
            n=len(found), total=len(images), role=role, name=found[0].name,
        )
        for role, images in sets.items()
        if images is not None and (found := generated_among([image.path for image in images.images]))
    )  # fmt: skip


def same_images(synthetic: ImageSet, real: ImageSet, train: ImageSet | None) -> Iterator[Message]:
    """Yield what a set has in common with the photographs: the folder, or held-out photographs, pixel for pixel.

    Copies of training photographs are for `evaluation.memorisation` to find: they do not change what is compared.
    """
    folders = [images.folder.resolve() for images in (real, train) if images is not None]
    if synthetic.folder.resolve() in folders:
        yield Message("The set and the photographs are the same folder.")
    known = {image.content for image in real.images}
    shared = [image for image in synthetic.images if image.content in known]
    if shared:
        yield Message(
            "{n} of {total} images are held-out photographs themselves, such as {name}.",
            n=len(shared), total=len(synthetic), name=shared[0].name,
        )  # fmt: skip


def fault_section(faults: Sequence[Message]) -> Finding:
    """Return what comes before all that was measured of a set with such faults."""
    return Finding(KEY, TITLE, "bad", in_one(faults), data={"faults": [str(fault) for fault in faults]})


def in_one(sentences: Sequence[Message]) -> Message:
    """Return several sentences as one message."""
    whole = sentences[0]
    for sentence in sentences[1:]:
        whole = Message("{first} {second}", first=whole, second=sentence)
    return whole


def voided(section: Finding) -> Finding:
    """Return a measurement of a set with such faults: whatever was found, it is nothing to rely on."""
    words = Message("Void, because of what is compared: {verdict}", verdict=section.verdict)
    return replace(section, level="bad", verdict=words)
