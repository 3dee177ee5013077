"""Times a whole evaluation of drawn lesions: as many synthetic as real and as training images.

    python -m benchmarks.evaluation [--images 1000] [--side 128]

The target: 1,000 against 1,000 images in under 5 minutes on 2 CPU cores. Prints the time of each measurement. Not yet
measured on a quiet machine.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from core.events import Event
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
    began = last = time.perf_counter()

    def tell(event: Event) -> None:
        nonlocal last
        if isinstance(event, Judged):
            now = time.perf_counter()
            print(f"{event.section:<14}{now - last:8.1f} s")
            last = now

    request = EvaluationRequest(
        (place / "synthetic",), place / "real", place / "out", train=place / "train", cache=place / "cache"
    )
    evaluate(request, tell)
    print(f"{'altogether':<14}{time.perf_counter() - began:8.1f} s")


if __name__ == "__main__":
    main()
