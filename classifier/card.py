"""The model card: what it is, data and terms, how it was trained, what it can do, what it must not be used for."""

from __future__ import annotations

from classifier.evaluation import Evaluation
from classifier.markdown import fill, table
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
from core.classification.preprocessing import Triple

_CARD = """# Lesion classifier ({architecture})

A classifier of dermatoscopic images into {count} classes: {classes}. **For research only: it is no medical device, and
nobody should be examined, reassured or treated on its word.**

**Balanced accuracy {headline}**, {where}. Chance is {chance:.3f}.

## Files

- `model.safetensors`: state dict of `{architecture}` with {count} outputs, in fp16; load it into the fp32 network.
- `classifier.json`: classes in the order of the outputs, input size, mean and standard deviation, temperature, quality.
- `SHA256SUMS`: of the weights.

Input: square RGB pictures on the 0 to 1 scale, resized to {size}x{size} (bilinear, antialiased), minus mean
{mean}, divided by {std}. Divide the logits by the temperature {temperature:.3f} before a softmax that is to be read as
a probability.

## Data, licence, credit

Trained on: {data}.

{licence}

{credit}{splits}

{leakage} Fingerprint of the split: `{fingerprint}`.

## Training

It began {origin}. The weights are those of epoch {epoch}, after {images_seen} drawn images and {time}, on
{hardware}; of all epochs it had the best balanced accuracy on the validation lesions ({selection:.3f}; that number is
optimistic, because it was used to choose). Seed {seed}. All settings are in the run's `config.json`.

## Measured

All numbers hold for the rounded weights in this folder, {where}. Intervals are 95 % percentiles of 2000 resamples of
lesions within their class; they say how much the choice of test lesions matters, not how much another training run or
another clinic would.

{overall}

{per_class}

Rows are true classes, columns predictions:

{confusion}

Probabilities, before and after division by the temperature (fitted on the validation lesions):

{calibration}
{extra}
## Known limits

{weak}- It answers with one of {count} classes to whatever it is shown, a photograph of a cat included.
- Pictures from other clinics, cameras, skin tones, with other crops, rulers, hair or ink can change the answer; nothing
  here measures by how much.
- The labels are those of the data; whoever made them can have erred.
"""


def render_card(results: Results) -> str:
    """Return the card as Markdown."""
    evaluation, about = results.evaluation, results.about
    classes, preprocessing = results.classes, results.preprocessing
    text = _CARD.format(
        architecture=results.architecture, count=len(classes), classes=", ".join(classes),
        headline=headline_text(results), where=measured_where(results), chance=1 / len(classes),
        size=preprocessing.image_size, mean=_rounded(preprocessing.mean), std=_rounded(preprocessing.std),
        temperature=evaluation.temperature,
        data=about.data or "data that nobody described", licence=about.licence.sentence,
        credit=f"{about.licence.credit}\n\n" if about.licence.credit else "",
        splits=table(("split", "images", "lesions", *classes), split_rows(results.splits, classes)),
        leakage=leakage_text(results), fingerprint=results.fingerprint,
        origin=results.origin, epoch=results.epoch, images_seen=results.images_seen,
        time=duration_text(results.seconds),
        hardware=about.hardware or "hardware that nobody described", selection=results.selection, seed=results.seed,
        overall=table(("score", "value", "95 % interval"), overall_rows(evaluation)),
        per_class=_class_table(evaluation),
        confusion=table(("true \\ predicted", *classes), confusion_rows(evaluation)),
        calibration=table(
            ("score", "before", "95 % interval", "after", "95 % interval"), calibration_rows(evaluation)
        ),
        extra=_extra(results), weak=_weak(evaluation),
    )  # fmt: skip
    return fill(text)


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


def _class_table(evaluation: Evaluation) -> str:
    return table(("class", "images", "lesions", *CLASS_NAMES.values()), class_rows(evaluation))


def _extra(results: Results) -> str:
    if results.extra is None:
        return ""
    extra = results.extra
    return (
        f"\nOn {extra.images} further images of {extra.lesions} lesions that the data set itself reserves: balanced "
        f"accuracy {extra.headline}.\n"
    )


def _weak(evaluation: Evaluation) -> str:
    weak = weak_classes(evaluation)
    if not weak:
        return ""
    names = ", ".join(f"{code} ({evaluation.class_lesions[code]})" for code in weak)
    return f"- Few held-out lesions speak for some classes, so their numbers say little by themselves: {names}.\n"
