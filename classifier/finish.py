"""The end of a run: temperature, measures on held-out lesions, plots, report, and the folder that ships."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from torch import nn

import reports
from classifier.data import Split
from classifier.evaluation import Answers, Evaluation, evaluate
from classifier.export import export_classifier, rounded
from classifier.plots import HISTORY_FILE, draw_plots, read_history, write_plots
from classifier.predictions import PREDICTIONS_FILE, answer, logits_of, write_predictions
from classifier.report_page import REPORT_FILE, report_of
from classifier.results import RESULTS_FILE, Results, RunAbout, SplitCount, results_json
from classifier.scores import fit_temperature
from classifier.trained import Trained
from core.files.text import finite_json
from core.keeping import replace_kept_text
from core.models.classification.loading import WEIGHTS_FILE, Preprocessing
from core.models.safe_weights import sha256_of
from core.precision import resolve_device
from core.taxonomy import CLASS_CODES
from measures.features import load_extractor
from measures.reference import NEIGHBOURS, measure_reference
from reports.html import render_html

MODEL_FOLDER: Final = "model"
PLOTS_FOLDER: Final = "plots"


def finish_run(
    folder: Path,
    trained: Trained,
    *,
    train: Split,
    validation: Split,
    test: Split,
    extra: Split | None = None,
    about: RunAbout | None = None,
) -> Results:
    """Measure a trained classifier and write everything that a finished run has.

    All numbers are measured with the weights rounded as they ship. The temperature is fitted on `validation`. Where
    `test` is empty, `validation` stands for it, and every text says that the numbers are optimistic.

    Parameters
    ----------
    folder
        The run's folder; `training_history.csv` there gives the curves.
    extra
        Images that the data set itself reserves, measured apart.

    Returns
    -------
    What was measured; written to `test_results.json`, `test_predictions.csv`, `plots/`, `report.html` and `model/`.
    """
    parts = {"train": train, "validation": validation, "test": test}
    if extra is not None and len(extra):
        parts["extra"] = extra
    measured = measure_run(trained, parts, about or RunAbout())
    write_run(folder, measured, parts)
    return measured.results


@dataclass(frozen=True, eq=False)
class Measured:
    """A network with the weights that ship, and what it did."""

    net: nn.Module
    answers: Answers
    results: Results


def measure_run(trained: Trained, parts: Mapping[str, Split], about: RunAbout) -> Measured:
    """Measure a trained classifier; `parts` are train, validation, test and perhaps extra; see `finish_run`."""
    net = rounded(trained.net).to(resolve_device(trained.config.device))
    preprocessing = Preprocessing(trained.config.image_size, trained.mean, trained.std)
    validation = parts["validation"]
    temperature = fit_temperature(logits_of(net, preprocessing, validation), validation.labels.numpy())
    answers = {
        name: answer(net, preprocessing, parts[name], CLASS_CODES, temperature)
        for name in (_held_out(parts), "extra")
        if name in parts
    }
    held = answers[_held_out(parts)]
    extra = evaluate(answers["extra"]) if "extra" in answers else None
    return Measured(net, held, _results(trained, preprocessing, parts, evaluate(held), extra, about))


def write_run(folder: Path, measured: Measured, parts: Mapping[str, Split]) -> None:
    """Write everything that a finished run has; `test_results.json` last, which marks it as finished."""
    results = measured.results
    learnt = (*parts["train"].image_ids, *parts["validation"].image_ids)
    export_classifier(folder / MODEL_FOLDER, measured.net, results, learnt)
    _keep_reference(folder / MODEL_FOLDER, parts["train"], parts[_held_out(parts)])
    write_predictions(folder / PREDICTIONS_FILE, measured.answers)
    plots = draw_plots(results.evaluation, read_history(folder / HISTORY_FILE))
    write_plots(folder / PLOTS_FOLDER, plots)
    reports.write(folder / REPORT_FILE, render_html(report_of(results, plots)))
    replace_kept_text(folder / RESULTS_FILE, finite_json(results_json(results)))


def _keep_reference(folder: Path, train: Split, held_out: Split) -> None:
    """Note beside the model what its training images look like to it, where there are enough of them."""
    if min(len(train), len(held_out)) >= NEIGHBOURS:
        features = load_extractor(folder)
        known, new = (features(part.pixels.numpy()) for part in (train, held_out))
        measure_reference(known, new, sha256_of(folder / WEIGHTS_FILE)).save(folder)


def _held_out(parts: Mapping[str, Split]) -> str:
    return "test" if len(parts["test"]) else "validation"


def _results(
    trained: Trained,
    preprocessing: Preprocessing,
    parts: Mapping[str, Split],
    evaluation: Evaluation,
    extra: Evaluation | None,
    about: RunAbout,
) -> Results:
    measured_on = _held_out(parts)
    return Results(
        architecture=trained.config.architecture,
        preprocessing=preprocessing,
        config=trained.config.model_dump(mode="json"),
        seed=trained.config.seed,
        origin=trained.origin,
        epoch=trained.epoch,
        images_seen=trained.images_seen,
        seconds=trained.seconds,
        selection=trained.best,
        splits={name: count_split(part) for name, part in parts.items()},
        fingerprint=parts[measured_on].fingerprint,
        measured_on=measured_on,
        evaluation=evaluation,
        extra=extra,
        about=about,
    )


def count_split(split: Split) -> SplitCount:
    """Return how many images and lesions a split has."""
    labels = Counter(split.labels.tolist())
    return SplitCount(
        len(split), len(set(split.lesions)), {code: labels[index] for index, code in enumerate(CLASS_CODES)}
    )
