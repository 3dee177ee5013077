"""The numbers of `judgement.json` in sentences and tables, each with n, CI and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.few import count_in_words
from core.taxonomy import CLASS_CODES
from reports.model import Block, Paragraph, Table, Text, marked, spans

NOT_JUDGED = "Not evaluated yet; to do so: `python main.py models evaluate PACK --data DIR --output DIR`."

Numbers = Mapping[str, Any]


def measured(judgement: Numbers | None) -> Iterator[Block]:
    """Yield what was measured."""
    if judgement is None:
        yield Paragraph(marked(NOT_JUDGED))
        return
    yield Paragraph(_samples(judgement))
    yield Paragraph(_distance(judgement["distance"], judgement["data"]))
    yield distance_table(judgement["distance"])
    if judgement["fidelity"] is not None:
        yield Paragraph(_fidelity(judgement["fidelity"]))
        yield fidelity_table(judgement["fidelity"])
    if judgement["loss"] is not None:
        yield Paragraph(_loss(judgement["loss"]))
    yield Paragraph(_memorisation(judgement["memorisation"]))
    if judgement["sweep"]:
        yield sweep_table(judgement["sweep"])


def _samples(judgement: Numbers) -> Text:
    samples = judgement["samples"]
    how: Text = "of a folder"
    if (drawn := samples["drawn"]) is not None:
        colour = "with" if drawn["color"] else "without"
        words = (
            "generated with `{sampler}`, {steps} steps, guidance {guidance:g}, base seed {seed}, {colour} colour "
            "statistics"
        )
        how = marked(words, **{**drawn, "colour": colour})
    before = f"{samples['n']} unselected images ({_counts(samples['by_class'])}), "
    return (before, *spans(how), ". All CIs are 95 %.")


def _distance(distance: Numbers, data: Numbers) -> Text:
    return marked(
        "**Distance** (kernel distance in the features {features}; lower is better, values below 0 mean no difference "
        "found) to {images} photographs of {lesions} held-out lesions. The real-vs-real baseline is the distance of as "
        "many of the {train} training photographs to the same held-out ones. Values are comparable only within this "
        "feature space.",
        features=distance["features"],
        train=data["train"]["images"],
        **{name: data["held_out"][name] for name in ("images", "lesions")},
    )


def distance_table(distance: Numbers) -> Table:
    """Return distances and real-vs-real baselines, all classes together and each alone."""
    rows = [("all, classes matched", distance["overall"]), *distance["by_class"].items()]
    lines = [
        [name, _kid(pair["kid"]), _kid(pair["floor"]), str(pair["kid"]["n_a"]), str(pair["kid"]["n_b"])]
        for name, pair in rows
        if pair is not None
    ]
    return Table(["", "kernel distance, generated", "real vs real", "n generated", "n held out"], lines)


def _fidelity(fidelity: Numbers) -> Text:
    real = fidelity["real"]
    compared = "" if real is None else (
        f"; on held-out photographs it reaches {_accuracy(real)} ({fidelity['real_source']})"
    )  # fmt: skip
    return marked(
        "**Class fidelity**: a classifier whose gradients were not used in training ({evaluator}) recovers the target "
        "class of the generated images with balanced accuracy **{accuracy}**{compared}. This shows that the classes "
        "are distinguishable, not that the images are realistic. Rows are target classes, columns predicted classes:",
        evaluator=fidelity["evaluator"],
        accuracy=_accuracy(fidelity["generated"]),
        compared=compared,
    )


def fidelity_table(fidelity: Numbers) -> Table:
    """Return the confusion matrix of generated images."""
    lines = [
        [code, *(str(count) for count in row), str(sum(row)), f"{fidelity['recall'][code]:.2f}"]
        for code, row in zip(fidelity["classes"], fidelity["matrix"], strict=True)
        if code in fidelity["recall"]
    ]
    return Table(["", *fidelity["classes"], "n", "recall"], lines)


def _loss(loss: Numbers) -> Text:
    return marked(
        "**Loss** of the shipped weights, same timesteps, noise and classes: {held_out:.4f} on {n} held-out "
        "photographs, {train:.4f} on as many training ones; difference {gap:+.4f} ({low:+.4f} to {high:+.4f}). A "
        "difference clearly above 0 indicates memorisation.",
        **{**loss, "gap": loss["held_out"] - loss["train"]},
    )


def _memorisation(found: Numbers) -> Text:
    return marked(
        "**Memorisation**: {flagged} of {n} images exceed the copy threshold ({expected:.1%} of held-out "
        "photographs do); excess over chance {excess:+.1%} ({low:+.1%} to {high:+.1%}). Each image is compared with "
        "{train} training photographs in eight rotations and reflections, in {spaces}; the threshold is calibrated on "
        "{held_out} held-out photographs. This detects copies of whole images, not of parts.",
        **{**found, "spaces": " and in ".join(found["spaces"])},
    )


def sweep_table(sweep: Sequence[Numbers]) -> Table:
    """Return distance and fidelity for each guidance scale."""
    lines = [
        [
            f"{point['guidance']:g}",
            "" if point["mean_distance"] is None else f"{point['mean_distance']:.4f}",
            "" if point["overall"] is None else _kid(point["overall"]["kid"]),
            "" if point["fidelity"] is None else _accuracy(point["fidelity"]),
        ]
        for point in sweep
    ]
    return Table(
        ["guidance", "kernel distance, mean of classes", "kernel distance, classes matched", "class fidelity"], lines
    )


def _kid(kid: Numbers) -> str:
    return f"{kid['value']:.4f} ({kid['low']:.4f} to {kid['high']:.4f})"


def _accuracy(accuracy: Numbers) -> str:
    interval = "" if accuracy["low"] is None else f" ({accuracy['low']:.3f} to {accuracy['high']:.3f})"
    return f"{accuracy['value']:.3f}{interval}, n = {count_in_words(accuracy['n'])}"


def _counts(by_class: Mapping[str, int]) -> str:
    counts = set(by_class.values())
    if len(counts) == 1 and len(by_class) == len(CLASS_CODES):
        return f"{counts.pop()} of each class"
    return ", ".join(f"{code} {count}" for code, count in by_class.items())
