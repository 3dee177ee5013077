"""A curation from folders to `curation.csv`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from core.classification.loading import load_network
from core.errors import UsageError
from core.events import Event, Notice
from core.message import Message
from evaluation.curation.curate import curate
from evaluation.curation.request import CurationFinished, CurationProgress, CurationRequest, CurationStarted
from evaluation.sets import ImageSet, divide, read_set, refuse_missing, refuse_shared_pictures

Tell = Callable[[Event], None]

_READING_SHARE = 0.3
_SETS = 3
_TOLD = 20
"""Events for each set that is read."""


class Stopped(Exception):  # noqa: N818  # an answer to a wish, not an error
    """Somebody wants the curation to end; nothing is written."""


def run_curation(request: CurationRequest, tell: Tell, is_stopped: Callable[[], bool]) -> None:
    """Carry a curation out and tell how it goes; the last event is CurationFinished.

    Raises
    ------
    UsageError
        If the rules are nonsense, or need what is not named.
    InputRefusedError
        If a folder cannot be used.
    OutputError, DiskFullError
        If nothing can be written to the output folder.
    Stopped
        If `is_stopped` said so.
    """
    rules = request.chosen_rules
    if request.real is not None and request.train is None:
        raise UsageError(
            Message("--real alone tells no copies."), remedy=Message("Name the training photographs with --train too.")
        )
    refuse_missing(request.synthetic, *filter(None, (request.train, request.real)))
    tell(CurationStarted(request.synthetic, request.output, str(rules)))
    teller = _Teller(tell, is_stopped)
    images = read_set(request.synthetic, tick=teller.reading(0))
    train, held_out = _photographs(request.train, request.real, teller)
    network = None if request.classifier is None else load_network(request.classifier)
    found = curate(images, rules, train=train, held_out=held_out, network=network, tick=teller.stage)
    path = found.save(request.output)
    left_out = Counter(decision.rule for decision in found.decisions if not decision.kept)
    notes = (*images.notes, *found.notes)
    for note in notes:
        tell(Notice("curate", note))
    total = len(found.decisions)
    tell(CurationFinished(request.output, path, total, len(found.kept), dict(left_out), found.sentence, notes))


def _photographs(train: Path | None, real: Path | None, teller: _Teller) -> tuple[ImageSet | None, ImageSet | None]:
    if train is None:
        return None, None
    seen = read_set(train, tick=teller.reading(1))
    if real is None or real.resolve() == train.resolve():
        return divide(seen)
    others = read_set(real, tick=teller.reading(2))
    refuse_shared_pictures(seen, others)
    return seen, others


class _Teller:
    def __init__(self, tell: Tell, is_stopped: Callable[[], bool]) -> None:
        self._tell, self._is_stopped = tell, is_stopped

    def reading(self, place: int) -> Callable[[int, int], None]:
        """Return what is told while the first, second or third set is read."""

        def tick(done: int, total: int) -> None:
            words = Message("Reading the images")
            counted = Message("{words} ({done} of {total})", words=words, done=done, total=total)
            self._progress("reading", done, total, _READING_SHARE * (place + done / total) / _SETS, counted)

        return tick

    def stage(self, words: Message, share: float) -> None:
        self._progress("measuring", round(100 * share), 100, _READING_SHARE + (1 - _READING_SHARE) * share, words)

    def _progress(self, stage: str, done: int, total: int, fraction: float, words: Message) -> None:
        if self._is_stopped():
            raise Stopped
        if done == total or done % max(1, total // _TOLD) == 0:
            self._tell(CurationProgress(stage, done, total, round(fraction, 4), words))
