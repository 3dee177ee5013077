"""The model card of a classifier: data, licence, training, evaluation and limits of use."""

from __future__ import annotations

from collections.abc import Iterator

from classifier.results import Results, duration_text
from classifier.tables import (
    CLASS_NAMES,
    calibration_rows,
    class_rows,
    confusion_rows,
    interval_text,
    measured_where,
    overall_rows,
    split_rows,
    weak_classes,
)
from core.models.classification.loading import Triple
from reports.model import Authored, Block, Bullets, Paragraph, Report, Section, Table, marked, parse


def card_of(results: Results) -> Report:
    """Return the card."""
    sections = [
        _files(results),
        Section("Data, licence, credit", list(_data(results))),
        _training(results),
        Section("Evaluation", list(_measured(results))),
        Section("Known limits", [Bullets(list(_limits(results)))]),
    ]
    return Report(f"Lesion classifier ({results.architecture})", _lead(results), sections)


def _lead(results: Results) -> tuple[Block, ...]:
    classes = results.classes
    about = marked(
        "A classifier of dermoscopic images into {count} classes: {classes}. **For research only: it is no medical "
        "device, and its predictions must not be used to examine, reassure or treat anybody.**",
        count=len(classes),
        classes=", ".join(classes),
    )
    found = marked(
        "**Balanced accuracy {headline}**, {where}. Chance is {chance:.3f}.",
        headline=headline_text(results),
        where=measured_where(results),
        chance=results.evaluation.chance,
    )
    return Paragraph(about), Paragraph(found)


def _files(results: Results) -> Section:
    preprocessing = results.preprocessing
    files = Bullets(
        [
            marked(
                "`model.safetensors`: state dict of `{architecture}` with {count} outputs, in fp16; load it into the "
                "fp32 network.",
                architecture=results.architecture,
                count=len(results.classes),
            ),
            marked(
                "`classifier.json`: classes in the order of the outputs, input size, mean and standard deviation, "
                "temperature, quality."
            ),
            marked(
                "`learnt.txt`: digests of the ids of the photographs used for training and model selection, which are "
                "not used to test it."
            ),
            marked("`SHA256SUMS`: checksum of the weights."),
        ]
    )
    inputs = (
        f"Input: square RGB images scaled to 0 to 1, resized to {preprocessing.image_size}x"
        f"{preprocessing.image_size} (bilinear, antialiased), minus mean {_rounded(preprocessing.mean)}, divided by "
        f"{_rounded(preprocessing.std)}. Divide the logits by the temperature {results.evaluation.temperature:.3f} "
        "before the softmax to get calibrated probabilities."
    )
    return Section("Files", [files, Paragraph(inputs)])


def _data(results: Results) -> Iterator[Block]:
    about = results.about
    yield Paragraph(f"Trained on: {about.data or 'unrecorded data'}.")
    yield Paragraph(parse(about.licence.sentence))
    yield Authored(about.licence.credit)
    yield Table(("split", "images", "lesions", *results.classes), split_rows(results.splits, results.classes))
    words = "{leakage} Fingerprint of the split: `{fingerprint}`."
    yield Paragraph(marked(words, leakage=leakage_text(results), fingerprint=results.fingerprint))


def _training(results: Results) -> Section:
    words = marked(
        "Training started {origin}. The weights are those of epoch {epoch}, after {images} images and {time}, on "
        "{hardware}: the epoch with the best balanced accuracy on the validation lesions ({selection:.3f}, which is "
        "optimistic because it was used for model selection). Seed {seed}. All settings are in the run's "
        "`config.json`.",
        origin=results.origin,
        epoch=results.epoch,
        images=results.images_seen,
        time=duration_text(results.seconds),
        hardware=results.about.hardware or "unrecorded hardware",
        selection=results.selection,
        seed=results.seed,
    )
    return Section("Training", [Paragraph(words)])


def _measured(results: Results) -> Iterator[Block]:
    evaluation = results.evaluation
    yield Paragraph(
        f"All numbers are those of the rounded weights in this folder, {measured_where(results)}. Intervals are 95 % "
        "CIs (percentiles of 2000 resamples of lesions within their class); they cover the choice of test lesions, not "
        "the variation between training runs or clinics."
    )
    yield Table(("score", "value", "95 % interval"), overall_rows(evaluation))
    yield Table(("class", "images", "lesions", *CLASS_NAMES.values()), class_rows(evaluation))
    yield Paragraph("Rows are true classes, columns predictions:")
    yield Table(("true \\ predicted", *results.classes), confusion_rows(evaluation))
    yield Paragraph("Probabilities, before and after division by the temperature (fitted on the validation lesions):")
    yield Table(("score", "before", "95 % interval", "after", "95 % interval"), calibration_rows(evaluation))
    if (extra := results.extra) is not None:
        yield Paragraph(
            f"On {extra.images} further images of {extra.lesions} lesions that the data set itself reserves: balanced "
            f"accuracy {extra.headline}."
        )


def _limits(results: Results) -> Iterator[str]:
    weak = weak_classes(results.evaluation)
    if weak:
        names = ", ".join(f"{code} ({results.evaluation.class_lesions[code]})" for code in weak)
        yield f"Some classes have few held-out lesions, so their numbers are uncertain: {names}."
    count = len(results.classes)
    yield f"It predicts one of {count} classes for every input, also for a photograph of a cat."
    yield (
        "Images from other clinics, cameras or skin tones, or with other crops, rulers, hair or ink, can change the "
        "prediction; by how much was not measured."
    )
    yield "The labels are those of the data set and may contain errors."


def _rounded(values: Triple) -> list[float]:
    return [round(value, 4) for value in values]


def headline_text(results: Results) -> str:
    """Return the balanced accuracy with its interval."""
    headline = results.headline
    value = "not defined" if headline.value is None else f"{headline.value:.3f}"
    interval = interval_text(headline)
    return f"{value} (95 % interval {interval})" if interval else value


def leakage_text(results: Results) -> str:
    """Return what is known about lesions that are both in training and held out."""
    leakage = results.about.leakage
    return "Leakage between the splits was not measured." if leakage is None else leakage.sentence
