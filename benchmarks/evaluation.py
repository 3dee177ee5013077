"""Times a whole evaluation of drawn lesions: as many synthetic as real and as training images.

    python -m benchmarks.evaluation [--images 1000] [--side 128]

The target: 1,000 against 1,000 images in under 5 minutes on 2 CPU cores. Prints the time of each measurement,
on the wall and of the processor. Last measured 2026-11-28 on 2 cores of an AMD EPYC that others used a little: 98 s
(n = 1), 146 s of processor time, 68 s of the wall for memorisation with 1,000 training images.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from core.events import Event
from core.jobs.stream import JobContext
from core.taxonomy import CLASS_CODES
from evaluation.request import EvaluationRequest, Judged
from evaluation.run import evaluate
from tests.support.picture_sets import write_folders, write_labelled


def main() -> None:
    """Make the pictures, evaluate them, print the seconds of each measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--side", type=int, default=128)
    options = parser.parse_args()
    counts = dict.fromkeys(CLASS_CODES, -(-options.images // len(CLASS_CODES)))
    with tempfile.TemporaryDirectory() as home:
        place = Path(home)
        write_folders(place / "synthetic", counts, side=options.side)
        write_labelled(place / "real", counts, side=options.side)
        write_labelled(place / "train", counts, side=options.side, first_seed=300_000)
        _time(place)


def _time(place: Path) -> None:
    began = last = _clocks()

    def tell(event: Event) -> None:
        nonlocal last
        if isinstance(event, Judged):
            now = _clocks()
            _print(event.section, last, now)
            last = now

    request = EvaluationRequest(
        (place / "synthetic",), place / "real", place / "out", train=place / "train", cache=place / "cache"
    )
    evaluate(request, JobContext(tell=tell))
    _print("altogether", began, _clocks())


def _clocks() -> tuple[float, float]:
    """Return the time on the wall and that of the processor, which others on the machine lengthen less."""
    return time.perf_counter(), time.process_time()


def _print(what: str, began: tuple[float, float], ended: tuple[float, float]) -> None:
    wall, processor = (end - begin for begin, end in zip(began, ended, strict=True))
    print(f"{what:<14}{wall:8.1f} s{processor:10.1f} s of processor time", flush=True)


if __name__ == "__main__":
    main()
