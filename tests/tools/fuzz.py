"""Does any file bring the program down? Mutated inputs of every kind, read by the product's own readers.

`python -m tests.tools.fuzz --count 20000 [--kind K] [--seed S] [--summary FILE] [--one N]`

Every case is a function of seed, kind and number, so that `--kind K --seed S --one N` repeats it. A case is answered by
a value or a typed error within five seconds, without a rise in memory, and without any change outside its folder.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.fuzz.case import Bench, Outcome, random_of
from tests.fuzz.kinds import KINDS

MUTE_AFTER = 1500
"""Seconds after which a case that no timer could end is shown by `faulthandler`, and the tool ends."""

SHOWN = 40
"""Different faults for each kind."""


class Tally:
    """What came of the cases of one kind."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers: Counter[str] = Counter()
        self.faults: dict[str, list[int]] = {}
        self.traces: dict[str, str] = {}
        self.slowest = Outcome()

    def take(self, number: int, outcome: Outcome) -> None:
        """Count one outcome; faults that end at the same line of code are one."""
        self.answers["FAULT" if outcome.fault else outcome.answer] += 1
        self.slowest = max(self.slowest, outcome, key=lambda one: one.cpu)
        if outcome.fault:
            key = _place(outcome)
            self.faults.setdefault(key, []).append(number)
            self.traces.setdefault(key, outcome.trace)

    def to_json(self) -> dict:
        """Return the tally for the summary."""
        return {
            "answers": dict(self.answers),
            "slowest": asdict(self.slowest),
            "faults": self.faults,
            "traces": self.traces,
        }


def _place(outcome: Outcome) -> str:
    lines = [line.strip() for line in outcome.trace.splitlines() if line.strip().startswith("File ")]
    own = [line for line in lines if "/core/" in line or "/gui/" in line or "/xai/" in line or "/diffusion/" in line
           or "/classifier/" in line or "/evaluation/" in line]  # fmt: skip
    place = (own or lines or [""])[-1]
    return f"{outcome.fault[:90]} | {place[-110:]}"


def try_kind(name: str, count: int, seed: int, folder: Path, first: int = 0) -> Tally:
    """Try so many cases of one kind."""
    bench, tally = Bench(KINDS[name], folder / name.replace(" ", "-")), Tally(name)
    valid = bench.try_files(bench.sample)
    if valid.answer != "read":
        raise SystemExit(f"{name}: the valid sample fails: {valid.answer} {valid.fault}\n{valid.trace}")
    for number in range(first, first + count):
        faulthandler.dump_traceback_later(MUTE_AFTER, exit=True)
        tally.take(number, bench.try_files(bench.mutated(random_of(name, seed, number))))
    faulthandler.cancel_dump_traceback_later()
    return tally


def main() -> int:
    options = _options()
    logging.disable(logging.CRITICAL)
    names = [options.kind] if options.kind else list(KINDS)
    started, tallies = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as home:
        os.environ["ISICGUI_HOME"] = f"{home}/home"
        for place, name in enumerate(names):
            share = options.count * (place + 1) // len(names) - options.count * place // len(names)
            count = share if options.one is None else 1
            tallies.append(try_kind(name, count, options.seed, Path(home), options.one or 0))
            _report(tallies[-1], verbose=options.one is not None)
    cases = sum(sum(t.answers.values()) for t in tallies)
    faults = sum(t.answers["FAULT"] for t in tallies)
    print(f"{cases} cases, {faults} faults, {time.monotonic() - started:.0f} s, seed {options.seed}")
    if options.summary:
        options.summary.write_text(json.dumps({t.name: t.to_json() for t in tallies}, indent=1))
    return 1 if faults else 0


def _report(tally: Tally, *, verbose: bool) -> None:
    said = ", ".join(f"{answer} {count}" for answer, count in tally.answers.most_common())
    print(f"{tally.name}: {said}; slowest {tally.slowest.cpu:.2f} s of processor time", flush=True)
    for key, numbers in list(tally.faults.items())[:SHOWN]:
        print(f"    {len(numbers)} x {key}   e.g. --one {numbers[0]}", flush=True)
        if verbose:
            print(tally.traces[key])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500, help="cases in all, shared out evenly to the kinds")
    parser.add_argument("--kind", choices=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", type=int, help="repeat one case of a kind, and show its traceback")
    parser.add_argument("--summary", type=Path, help="JSON file for everything that was found")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
