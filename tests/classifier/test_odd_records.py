"""Records of trainings that hold something else: each reader refuses its file in words, or passes it over."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from classifier.aggregate import summarise_runs
from classifier.config import ClassifierConfig
from classifier.plots import HISTORY_FILE, read_history
from classifier.predictions import PREDICTIONS_FILE, read_predictions
from classifier.results import RESULTS_FILE
from core.errors import InputRefusedError, ISICGUIError
from core.models.classification.loading import read_record
from core.taxonomy import CLASS_CODES
from diffusion.judgement import JUDGEMENT_FILE, read_judgement
from diffusion.pack import TRAINING_FILE, read_training, settings_of
from download.partial import Partial, Seen
from download.source import WebSource
from evaluation.masks.segmenter import RECORD_FILE, WEIGHTS_FILE, load_segmenter
from tests.fuzz.training_kinds import CLASSIFIER_RUN, make_runs
from training.experiments import list_runs
from training.run_folder import CONFIG_FILE, LOG_FILE, read_object, read_rows, read_run_settings, write_run_config
from training.settings import load_settings
from training.trackers import open_run_log, read_log

ODD = {
    "nothing": b"",
    "nested": b"[" * 5000 + b"]" * 5000,
    "nested objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "a list": b"[1, 2]",
    "a number": b"3",
    "no UTF-8": b'{"a": "\xff\xfe"}',
    "half a sign": b'{"kind": "\\ud800", "settings": {"\\ud800": 1}, "format": "\\ud800", "class": "\\ud800"}',
    "zeros": bytes(1000),
    "a web page": b"<!doctype html><html></html>",
    "a long number": b'{"format": ' + b"9" * 5000 + b"}",
    "a quote without an end": b'"' + b"x," * 200_000,
    "a long line": b"x" * 10**6,
}

READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "run config": (CONFIG_FILE, read_run_settings),
    "settings": ("settings.json", lambda folder: load_settings(ClassifierConfig, file=folder / "settings.json")),
    "settings in TOML": ("x.toml", lambda folder: load_settings(ClassifierConfig, file=folder / "x.toml")),
    "judgement": (JUDGEMENT_FILE, read_judgement),
    "training": (TRAINING_FILE, lambda folder: settings_of(read_training(folder))),
    "results": (RESULTS_FILE, lambda folder: summarise_runs(folder.parent, [folder])),
    "predictions": (PREDICTIONS_FILE, lambda folder: read_predictions(folder / PREDICTIONS_FILE)),
    "history": (HISTORY_FILE, lambda folder: read_history(folder / HISTORY_FILE)),
    "log": (LOG_FILE, lambda folder: (read_log(folder / LOG_FILE), read_rows(folder / LOG_FILE))),
    "object": ("x.json", lambda folder: read_object(folder / "x.json")),
    "classifier": ("classifier.json", lambda folder: read_record(folder / "classifier.json")),
    "segmenter": (RECORD_FILE, lambda folder: ((folder / WEIGHTS_FILE).touch(), load_segmenter(folder))),
}  # fmt: skip

PASSED_OVER = {"history", "log", "object"}
READABLE = {"half a sign", "a long number", "a pipe", "a folder"}
"""What some readers need not look at."""


@pytest.mark.parametrize("what", [*ODD, "a pipe", "a folder"])
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_record_is_refused_in_words_or_passed_over(tmp_path: Path, reader: str, what: str) -> None:
    name, read = READERS[reader]
    if what == "a pipe":
        if not hasattr(os, "mkfifo"):
            pytest.skip("needs named pipes")
        os.mkfifo(tmp_path / name)
    elif what == "a folder":
        (tmp_path / name).mkdir()
    else:
        (tmp_path / name).write_bytes(ODD[what])
    try:
        found: Any = read(tmp_path)
    except ISICGUIError as error:
        told = f"{error.message} {error.remedy}"
        problem = "" if error.remedy and told.isascii() and len(told) < 2000 else f"not to be shown: {told[:300]!a}"
    else:
        empty = reader in PASSED_OVER or not found or (reader, what) == ("settings in TOML", "nothing")
        problem = "" if empty or what in READABLE else f"read as {found}"
    assert not problem


def test_a_damaged_line_of_a_log_loses_no_other_and_a_run_goes_on(tmp_path: Path) -> None:
    lines = [
        b'{"images": 1, "loss": 0.5}', b"[" * 5000, b'{"images": "x"}', b'{"images": 2, "other": 3, "loss": NaN}',
        b"[]", b'{"images": 3, "loss": {"a": 1}}', b'{"loss": 3}', b'{"images": true}', b'{"images": 4}',
        b'{"images": 1e999}', b"\xff",
    ]  # fmt: skip
    (tmp_path / LOG_FILE).write_bytes(b"\n".join(lines))
    assert [row.get("images") for row in read_log(tmp_path / LOG_FILE)][:2] == [1, "x"]
    log = open_run_log(tmp_path, "none", columns=("loss",), resume_at=3)
    log.log(5, loss=0.1)
    rows = [json.loads(line) for line in (tmp_path / LOG_FILE).read_text().splitlines()]
    assert rows == [{"images": 1, "loss": 0.5}, {"images": 2, "loss": None}, {"images": 5, "loss": 0.1}]


def test_one_odd_run_does_not_hide_the_others(tmp_path: Path) -> None:
    for name in ("odd", "whole"):
        write_run_config(tmp_path / name, kind="classifier", name=name, settings=ClassifierConfig())
    for name in (RESULTS_FILE, LOG_FILE, "summary.json"):
        (tmp_path / "odd" / name).write_bytes(b"[" * 5000)
    assert {run.name for run in list_runs(tmp_path)} == {"odd", "whole"}


ODD_RESULTS: dict[str, Callable[[dict[str, Any]], object]] = {
    "a score of a class": lambda data: data["estimates"]["per_class"]["MEL"].pop("precision"),
    "a score of all": lambda data: data["estimates"]["overall"].pop("f1_macro"),
    "a class": lambda data: data["estimates"]["per_class"].pop("NV"),
    "a class twice": lambda data: data["classes"].append("MEL"),
    "no classes": lambda data: (data["classes"].clear(), data["estimates"]["per_class"].clear()),
    "other classes": lambda data: (data["classes"].remove("MEL"), data["estimates"]["per_class"].pop("MEL")),
    "another order": lambda data: data.update(classes=list(reversed(CLASS_CODES))),
}


@pytest.mark.parametrize("what", ODD_RESULTS)
def test_results_that_do_not_hold_together_are_refused_in_words(tmp_path: Path, what: str) -> None:
    make_runs(tmp_path)
    run = tmp_path / CLASSIFIER_RUN
    data = json.loads((run / RESULTS_FILE).read_text(encoding="utf-8"))
    ODD_RESULTS[what](data)
    (run / RESULTS_FILE).write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputRefusedError) as caught:
        summarise_runs(run.parent, [run])
    assert str(run) in str(caught.value)


@pytest.mark.parametrize(
    "state",
    [{"total": -1}, {"total": True}, {"total": "3"}, {"etag": "x\r\nHost: evil"}, {"etag": "x" * 10**5},
     {"modified": 3}, {"etag": "\ud800"}],
)  # fmt: skip
def test_what_a_server_cannot_have_said_is_not_repeated_to_it(tmp_path: Path, state: dict[str, Any]) -> None:
    partial = Partial(tmp_path, WebSource("https://example.invalid/a.zip"))
    partial.open()
    partial.remember(Seen(None, None, None))
    file = partial.folder / "state.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | state))
    assert partial.seen() == Seen()
