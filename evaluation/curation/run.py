"""A curation from folders to `curation.csv`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from core.cancel import CancelToken
from core.errors import UsageError
from core.events import Event, Notice
from core.jobs.stream import JobContext, stream
from core.message import Message
from core.models.classification.loading import load_network
from dataset.generated import generated_among
from evaluation.curation.curate import curate
from evaluation.curation.request import CurationFinished, CurationRequest, CurationStarted
from evaluation.sets import ImageSet, divide, read_set, refuse_missing, refuse_shared_pictures

READING: Final = 0.3
"""Share of the time for reading, of up to three sets."""


def run_curation(request: CurationRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry a curation out; the last event is CurationFinished.

    Raises
    ------
    UsageError
        If the rules are nonsense, or need what is not named.
    InputRefusedError
        If a folder cannot be used.
    OutputError, DiskFullError
        If nothing can be written to the output folder.
    JobStopped
        If that was asked for; nothing is written.
    """
    return stream(lambda context: _carry_out(request, context), cancel)


def _carry_out(request: CurationRequest, context: JobContext) -> None:
    rules = request.chosen_rules
    if request.real is not None and request.train is None:
        raise UsageError(
            Message(
                "Copy detection needs training photographs (--train) and held-out photographs (--real, "
                "or --train split by lesion)."
            ),
            remedy=Message("Name the training photographs with --train too."),
        )
    refuse_missing(request.synthetic, *filter(None, (request.train, request.real)))
    context.tell(CurationStarted(request.synthetic, request.output, str(rules)))
    reading = [context.part(place * READING / 3, READING / 3, Message("Reading the images")) for place in range(3)]
    images = read_set(request.synthetic, context=reading[0])
    train, held_out = _photographs(request.train, request.real, reading[1:])
    for photographs in filter(None, (train, held_out)):
        if generated := generated_among([image.path for image in photographs.images]):
            words = Message(
                "{n} of {total} photographs are generated images, such as {name}: nothing said about copies holds.",
                n=len(generated), total=len(photographs), name=generated[0].name,
            )  # fmt: skip
            context.tell(Notice("curate", words))
    network = None if request.classifier is None else load_network(request.classifier)
    measuring = context.part(READING, 1 - READING)
    found = curate(images, rules, train=train, held_out=held_out, network=network, context=measuring)
    path = found.save(request.output)
    left_out = Counter(decision.rule for decision in found.decisions if not decision.kept)
    notes = (*images.notes, *found.notes)
    for note in notes:
        context.tell(Notice("curate", note))
    total = len(found.decisions)
    context.tell(CurationFinished(request.output, path, total, len(found.kept), dict(left_out), found.sentence, notes))


def _photographs(
    train: Path | None, real: Path | None, reading: Sequence[JobContext]
) -> tuple[ImageSet | None, ImageSet | None]:
    if train is None:
        return None, None
    seen = read_set(train, context=reading[0])
    if real is None or real.resolve() == train.resolve():
        return divide(seen)
    others = read_set(real, context=reading[1])
    refuse_shared_pictures(seen, others)
    return seen, others
