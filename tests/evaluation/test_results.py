"""`results.json`: what it says of each set, and of files inside and outside its folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from core.message import Message
from evaluation.finding import Finding
from evaluation.results import Findings, SetFindings, write_results
from evaluation.sets import ImageSet, SetImage


def image_set(name: str, *, grouped: bool = False) -> ImageSet:
    folder = Path("home") / name
    images = tuple(
        SetImage(folder / f"{number}.png", f"{number}.png", code, f"L{number // 2}")
        for number, code in enumerate(("NV", "MEL", "NV", None))
    )
    unreadable = ((folder / "deep" / "x.png", "torn"), (Path("elsewhere") / "y.png", "gone"))
    return ImageSet(folder, f"my {name}", images, unreadable, (((64, 48), 3), ((9, 9), 1)), grouped, ("a note",))


def findings(**values: object) -> Findings:
    sections = (
        Finding("distribution", Message("Distance"), "good", Message("Near."), data={"number": 1}),
        Finding("pairs", Message("Pairs"), "doubt", Message("Hm.")),
    )
    usual = {
        "settings": {"seed": 3}, "created": "2026-01-01", "real": image_set("real", grouped=True), "train": None,
        "side": 48, "spaces": {"pixels": "caution"}, "notes": ["read me"],
        "sets": (SetFindings(image_set("made"), sections),),
    }  # fmt: skip
    return Findings(**{**usual, **values})


def test_everything_that_was_found_is_there(tmp_path: Path) -> None:
    path = write_results(findings(), tmp_path)
    assert path == tmp_path / "results.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    assert (data["format"], data["side"], data["train"]) == (1, 48, None)
    assert (data["settings"], data["spaces"], data["notes"]) == ({"seed": 3}, {"pixels": "caution"}, ["read me"])
    assert data["real"] == {
        "name": "my real", "folder": "real", "images": 4, "lesions": 2, "by_class": {"MEL": 1, "NV": 2},
        "sizes": [{"width": 64, "height": 48, "images": 3}, {"width": 9, "height": 9, "images": 1}],
        "unreadable": [{"file": "deep/x.png", "reason": "torn"}, {"file": "y.png", "reason": "gone"}],
        "notes": ["a note"],
    }  # fmt: skip
    (made,) = data["sets"]
    assert made["lesions"] is None, "nothing says which images show one lesion"
    assert made["verdict"]["level"] == "doubt"
    assert made["sections"]["distribution"] == {
        "title": "Distance", "verdict": {"level": "good", "words": "Near."}, "number": 1,
    }  # fmt: skip


def test_training_photographs_are_described_like_the_others() -> None:
    train = replace(image_set("train"), unreadable=())
    data = findings(train=train).to_json()
    assert data["train"]["name"] == "my train"
    assert data["train"]["unreadable"] == []
