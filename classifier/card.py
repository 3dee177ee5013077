"""The model card of a classifier: data and terms, how it was trained, what it can do, what it must not be used for."""

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
from core.models.classification.preprocessing import Triple
from reports.inline import marked, parse
from reports.model import Authored, Block, Bullets, Paragraph, Report, Section, Table


def card_of(results: Results) -> Report:
    """Return the card."""
    sections = [
        _files(results),
        Section("Data, licence, credit", list(_data(results))),
        _training(results),
        Section("Measured", list(_measured(results))),
        Section("Known limits", [Bullets(list(_limits(results)))]),
    ]
    return Report(f"Lesion classifier ({results.architecture})", _lead(results), sections)


def _lead(results: Results) -> tuple[Block, ...]:
    classes = results.classes
    about = marked(
        "A classifier of dermatoscopic images into {count} classes: {classes}. **For research only: it is no medical "
        "device, and nobody should be examined, reassured or treated on its word.**",
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
            marked("`SHA256SUMS`: of the weights."),
        ]
    )
    inputs = (
        f"Input: square RGB pictures on the 0 to 1 scale, resized to {preprocessing.image_size}x"
        f"{preprocessing.image_size} (bilinear, antialiased), minus mean {_rounded(preprocessing.mean)}, divided by "
        f"{_rounded(preprocessing.std)}. Divide the logits by the temperature {results.evaluation.temperature:.3f} "
        "before a softmax that is to be read as a probability."
    )
    return Section("Files", [files, Paragraph(inputs)])


def _data(results: Results) -> Iterator[Block]:
    about = results.about
    yield Paragraph(f"Trained on: {about.data or 'data that nobody described'}.")
    yield Paragraph(parse(about.licence.sentence))
    yield Authored(about.licence.credit)
    yield Table(("split", "images", "lesions", *results.classes), split_rows(results.splits, results.classes))
    words = "{leakage} Fingerprint of the split: `{fingerprint}`."
    yield Paragraph(marked(words, leakage=leakage_text(results), fingerprint=results.fingerprint))


def _training(results: Results) -> Section:
    words = marked(
        "It began {origin}. The weights are those of epoch {epoch}, after {images} drawn images and {time}, on "
        "{hardware}; of all epochs it had the best balanced accuracy on the validation lesions ({selection:.3f}; that "
        "number is optimistic, because it was used to choose). Seed {seed}. All settings are in the run's "
        "`config.json`.",
        origin=results.origin,
        epoch=results.epoch,
        images=results.images_seen,
        time=duration_text(results.seconds),
        hardware=results.about.hardware or "hardware that nobody described",
        selection=results.selection,
        seed=results.seed,
    )
    return Section("Training", [Paragraph(words)])


def _measured(results: Results) -> Iterator[Block]:
    evaluation = results.evaluation
    yield Paragraph(
        f"All numbers hold for the rounded weights in this folder, {measured_where(results)}. Intervals are 95 % "
        "percentiles of 2000 resamples of lesions within their class; they say how much the choice of test lesions "
        "matters, not how much another training run or another clinic would."
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
        yield f"Few held-out lesions speak for some classes, so their numbers say little by themselves: {names}."
    count = len(results.classes)
    yield f"It answers with one of {count} classes to whatever it is shown, a photograph of a cat included."
    yield (
        "Pictures from other clinics, cameras, skin tones, with other crops, rulers, hair or ink can change the "
        "answer; nothing here measures by how much."
    )
    yield "The labels are those of the data; whoever made them can have erred."


def _rounded(values: Triple) -> list[float]:
    return [round(value, 4) for value in values]


def headline_text(results: Results) -> str:
    """Return the balanced accuracy with its interval."""
    headline = results.headline
    value = "not defined" if headline.value is None else f"{headline.value:.3f}"
    interval = interval_text(headline)
    return f"{value} (95 % interval {interval})" if interval else value


def leakage_text(results: Results) -> str:
    """Return what is known about lesions that are in training and held out at once."""
    leakage = results.about.leakage
    return "Leakage between the splits was not measured." if leakage is None else leakage.sentence
