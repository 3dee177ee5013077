"""Small inputs as people really have them, through every command that takes them, with the answers that are right.

`python -m tests.tools.cases FOLDER [--case NAME]`

FOLDER holds one folder a case, named as below; what each imitates is said beside its answers. Cases that are not there
are told. Ends with 1 if an answer differs.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Events = list[dict[str, Any]]
Look = Callable[["Answer"], Iterator[str]]


@dataclass(frozen=True)
class Answer:
    """What a command answered: exit code, JSON events, and what people were told."""

    code: int
    events: Events
    told: str

    def last(self, name: str) -> dict[str, Any]:
        """Return the last event of a name, or an empty one."""
        return next((event for event in reversed(self.events) if event["event"] == name), {})

    @property
    def words(self) -> str:
        """Everything that was said."""
        return json.dumps(self.events, ensure_ascii=False) + self.told


@dataclass(frozen=True)
class Step:
    """One command on a case: its words (with ``{case}``, ``{cases}`` and ``{out}``), and what its answer has to be."""

    words: Sequence[str]
    look: Look
    prepare: Callable[[Path], None] = field(default=lambda copy: None)


def checks(total: int, classes: dict[str, int] | None, *said: str) -> Look:
    """Return a look at `data check`: photographs, classes, and words that have to be said."""

    def look(answer: Answer) -> Iterator[str]:
        found = answer.last("data_checked")
        yield from _differs("exit code", answer.code, 0)
        yield from _differs("photographs", found.get("total"), total)
        if classes is not None:
            yield from _differs("classes", found.get("classes"), classes)
        yield from _unsaid(answer, said)

    return look


def refuses(*said: str) -> Look:
    """Return a look at a refusal, and at the words that it has to use."""

    def look(answer: Answer) -> Iterator[str]:
        yield from _differs("exit code", answer.code, 3)
        yield from _unsaid(answer, said)

    return look


def classifies(count: int) -> Look:
    """Return a look at `classify`: so many answers, and none that failed."""

    def look(answer: Answer) -> Iterator[str]:
        found = [event for event in answer.events if event["event"] == "classified"]
        yield from _differs("exit code", answer.code, 0)
        yield from _differs("answers", len(found), count)

    return look


def learns(count: int) -> Look:
    """Return a look at a short training of a classifier: from so many photographs, and to its end."""

    def look(answer: Answer) -> Iterator[str]:
        yield from _differs("exit code", answer.code, 0)
        yield from _differs("photographs", answer.last("data").get("images"), count)
        yield from _differs("is measured", bool(answer.last("measured")), True)

    return look


def curates(count: int) -> Look:
    """Return a look at `curate`: a decision about each of so many images."""

    def look(answer: Answer) -> Iterator[str]:
        yield from _differs("exit code", answer.code, 0)
        yield from _differs("images", answer.last("finished").get("images"), count)

    return look


def matches(matched: int, without: int) -> Look:
    """Return a look at the masks of `evaluate`: so many images with one, and so many without."""

    def look(answer: Answer) -> Iterator[str]:
        yield from _differs("exit code", answer.code, 0)
        results = json.loads(Path(answer.last("finished")["results"]).read_text(encoding="utf-8"))
        (found,) = results["sets"].values() if isinstance(results["sets"], dict) else results["sets"]
        masks = found["sections"]["masks"]
        yield from _differs("images with a mask", masks.get("n"), matched)
        yield from _differs("images without", masks.get("without_mask"), without)

    return look


def says(*said: str) -> Look:
    """Return a look at words that have to be said by a command that succeeds."""

    def look(answer: Answer) -> Iterator[str]:
        yield from _differs("exit code", answer.code, 0)
        yield from _unsaid(answer, said)

    return look


def _differs(what: str, found: object, wanted: object) -> Iterator[str]:
    if found != wanted:
        yield f"{what}: {found!r}, right is {wanted!r}"


def _unsaid(answer: Answer, said: Sequence[str]) -> Iterator[str]:
    for words in said:
        if words.lower() not in answer.words.lower():
            yield f"nothing was said of {words!r}"


def _data(where: str, look: Look, *more: str) -> Step:
    return Step(("data", "check", f"{{case}}{where}", *more, "--json"), look)


def _train(where: str, count: int) -> Step:
    small = ("--preset", "quick", "--architecture", "simple_cnn", "--epochs", "1", "--image-size", "32")
    places = ("--data", f"{{case}}{where}", "--output", "{out}/t", "--device", "cpu", "--tracker", "none", "--json")
    return Step(("train", "classifier", *small, *places), learns(count))


def _link_to_itself(copy: Path) -> None:
    (copy / "real" / "latest").symlink_to(".")


SEVEN = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
_LIST = ("models", "list", "--models", "{case}", "--json")
_EVALUATE = ("evaluate", "--synthetic", "{case}/synthetic", "--real", "{case}/real", "--measures", "masks", "--json")
_UTILITY = (
    "utility", "--train", "{case}/table.csv", "--test", "{cases}/csv_nan_test/table.csv", "--synthetic",
    "{cases}/eval_set/synthetic", "--preset", "quick", "--ratios", "1", "--seeds", "1", "--steps", "2",
    "--image-size", "32", "--output", "{out}/u", "--device", "cpu", "--json",
)  # fmt: skip

CASES: dict[str, list[Step]] = {
    "superpixels_beside": [
        _data("", checks(12, {"MEL": 6, "NV": 6}, "12 left out")),
        Step(("classify", "{case}", "--json"), classifies(12)),
        _train("", 12),
    ],
    "eval_set": [
        Step(("data", "check", "{case}/real", "--json"), checks(12, None), _link_to_itself),
        Step(("classify", "{case}/real", "--json"), classifies(12), _link_to_itself),
        Step((*_EVALUATE, "--masks", "{case}/masks", "--output", "{out}/e"), matches(6, 6), _link_to_itself),
        Step(("curate", "{case}/synthetic", "--output", "{out}/c", "--json"), curates(12)),
        _data("/synthetic", checks(12, {"MEL": 6, "NV": 6}, "6 of 12 images have one"), "--masks", "{case}/masks"),
    ],
    "evalmasks_clash": [
        Step(
            ("data", "check", "{cases}/eval_set/synthetic", "--masks", "{case}", "--json"),
            checks(12, {"MEL": 6, "NV": 6}, "1 of 12 images have one"),
        ),
    ],
    "masks_mixed_names": [
        Step(
            ("data", "check", "{cases}/ham_kaggle", "--masks", "{case}", "--json"),
            checks(28, None, "3 of 28 images have one"),
        ),
    ],
    "train_masks01": [
        _data("", checks(20, {"MEL": 10, "NV": 10}, "20 of 20 images have one; 0 are empty")),
        _train("", 20),
    ],
    "csv_nan": [
        _data("/table.csv", checks(16, {"MEL": 8, "NV": 8}, "8 of 16 images")),
        _train("/table.csv", 16),
        Step(_UTILITY, says("8 of 16 images have no lesion identifier", "No result here is valid")),
    ],
    "csv_nan_test": [_data("/table.csv", checks(12, {"MEL": 6, "NV": 6}, "6 of 12 images"))],
    "checkpoint-500_MEL": [Step(_LIST, says("is assumed", "unet_ema"))],
    "pack8_isic2019": [Step(_LIST, says("8 class labels", "isicgui.json"))],
    "bin_orig_mod_MEL": [Step(("models", "verify", "--models", "{case}", "--json"), says())],
    "isic2019": [_data("", checks(21, dict.fromkeys(SEVEN, 3), "AK = AKIEC", "SCC: 1"))],
    "named_folders": [
        _data("", checks(21, dict.fromkeys(SEVEN, 3))),
        Step(("classify", "{case}", "--json"), classifies(21)),
    ],
    "csv_latin1": [_data("/table.csv", checks(6, {"MEL": 3, "NV": 3}, "cp1252"))],
    "csv_windows_paths": [_data("/table.csv", checks(6, {"MEL": 3, "NV": 3}))],
    "image_modes": [Step(("classify", "{case}", "--json"), classifies(4))],
    "ham_kaggle": [
        _data("", checks(28, dict.fromkeys(SEVEN, 4))),
        Step(("classify", "{case}/HAM10000_images_part_1", "--json"), classifies(14)),
    ],
    "icloud": [
        _data("", checks(4, {"MEL": 2, "NV": 2}, "8 photographs", "cloud")),
        Step(("classify", "{case}", "--json"), says("8 photographs")),
    ],
    "webp_mixed_flat": [
        _data("", checks(6, None)),
        Step(("classify", "{case}", "--json"), classifies(6)),
    ],
    "dicom_only": [
        _data("", refuses("DICOM: 6", "Convert")),
        Step(("classify", "{case}", "--json"), refuses("DICOM: 6", "Convert")),
        Step(("train", "classifier", "--data", "{case}", "--output", "{out}/t", "--json"), refuses("DICOM: 6")),
    ],
    "hf_metadata": [_data("", checks(8, {"MEL": 4, "NV": 4})), _train("", 8)],
}
"""By folder: what it is comes with the folder; the answers are those of its README."""


def run(words: Sequence[str]) -> Answer:
    """Carry out one command of the program in this process."""
    from cli.app import main

    out, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
        code = main(list(words))
    events = [json.loads(line) for line in out.getvalue().splitlines() if line.startswith("{")]
    return Answer(code, events, told.getvalue())


def try_case(folder: Path, steps: Sequence[Step]) -> Iterator[tuple[str, list[str]]]:
    """Yield each command on a copy of a case, and what is wrong with its answer."""
    for step in steps:
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / folder.name
            shutil.copytree(folder, copy, symlinks=True)
            for path in (copy, *copy.rglob("*")):
                path.chmod(0o755 if path.is_dir() else 0o644)
            step.prepare(copy)
            places = {"case": str(copy), "out": scratch, "cases": str(folder.parent)}
            words = [word.format(**places) for word in step.words]
            yield " ".join(step.words), list(step.look(run(words)))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases, say what differs, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.cases", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--case", choices=sorted(CASES))
    options = parser.parse_args(arguments)
    wrong = 0
    for name, steps in CASES.items():
        if options.case not in (None, name):
            continue
        if not (options.folder / name).is_dir():
            sys.stdout.write(f"absent  {name}\n")
            continue
        for words, problems in try_case(options.folder / name, steps):
            wrong += bool(problems)
            sys.stdout.write(f"{'WRONG' if problems else 'right':7} {name}: {words}\n")
            sys.stdout.writelines(f"        {problem}\n" for problem in problems)
            sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
