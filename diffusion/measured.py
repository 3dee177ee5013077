"""The numbers of `judgement.json` as Markdown, each with its n, its interval and what it can and cannot say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.taxonomy import CLASS_CODES

NOT_JUDGED = "Not measured yet: `python main.py models judge PACK --data DIR --output DIR` does it."

Numbers = Mapping[str, Any]


def measured_text(judgement: Numbers | None) -> str:
    """Return the section on what was measured."""
    return NOT_JUDGED if judgement is None else "\n\n".join(_paragraphs(judgement))


def _paragraphs(judgement: Numbers) -> Iterator[str]:
    yield _samples(judgement)
    yield _distance(judgement["distance"], judgement["data"])
    yield distance_table(judgement["distance"])
    if judgement["fidelity"] is not None:
        yield _fidelity(judgement["fidelity"])
        yield fidelity_table(judgement["fidelity"])
    if judgement["loss"] is not None:
        yield _loss(judgement["loss"])
    yield _memorisation(judgement["memorisation"])
    if judgement["sweep"]:
        yield sweep_table(judgement["sweep"])


def _samples(judgement: Numbers) -> str:
    samples = judgement["samples"]
    drawn = samples["drawn"]
    how = "of a folder"
    if drawn is not None:
        how = (
            f"drawn with `{drawn['sampler']}`, {drawn['steps']} steps, guidance {drawn['guidance']:g}, base seed "
            f"{drawn['seed']}, {'with' if drawn['color'] else 'without'} colour statistics"
        )
    return f"{samples['n']} unselected images ({_counts(samples['by_class'])}), {how}. Intervals are 95 %."


def _distance(distance: Numbers, data: Numbers) -> str:
    held, train = data["held_out"], data["train"]
    return (
        f"**Distance** (kernel distance, KID, in the features {distance['features']}; lower is better, values below "
        f"0 mean no difference found) to {held['images']} photographs of {held['lesions']} held-out lesions. The floor "
        f"is that of as many photographs out of the {train['images']} of training lesions: what real images reach. In "
        "other features the numbers are other numbers; they compare models measured here, and nothing else."
    )


def distance_table(distance: Numbers) -> str:
    """Return distances and floors, all classes together and each alone, as a Markdown table."""
    rows = [("all, classes matched", distance["overall"]), *distance["by_class"].items()]
    lines = [
        [name, _kid(pair["kid"]), _kid(pair["floor"]), str(pair["kid"]["n_a"]), str(pair["kid"]["n_b"])]
        for name, pair in rows
        if pair is not None
    ]
    return _table(["", "KID, generated", "KID, real (floor)", "n generated", "n held out"], lines)


def _fidelity(fidelity: Numbers) -> str:
    real = fidelity["real"]
    compared = "" if real is None else (
        f"; on photographs of lesions that it has not seen it has {_accuracy(real)} ({fidelity['real_source']})"
    )  # fmt: skip
    return (
        f"**Class fidelity**: a classifier that had no part in training ({fidelity['evaluator']}) has a balanced "
        f"accuracy of **{_accuracy(fidelity['generated'])}** on the generated images, the class asked for counting "
        f"as right{compared}. It says that the classes are told apart, not that the images are real. Rows are classes "
        "asked for, columns classes seen:"
    )


def fidelity_table(fidelity: Numbers) -> str:
    """Return the confusion matrix of generated images as a Markdown table."""
    lines = [
        [code, *(str(count) for count in row), str(sum(row)), f"{fidelity['recall'][code]:.2f}"]
        for code, row in zip(fidelity["classes"], fidelity["matrix"], strict=True)
        if code in fidelity["recall"]
    ]
    return _table(["", *fidelity["classes"], "n", "recall"], lines)


def _loss(loss: Numbers) -> str:
    gap = loss["held_out"] - loss["train"]
    return (
        f"**Loss** of the shipped weights, same timesteps, noise and classes: {loss['held_out']:.4f} on {loss['n']} "
        f"held-out photographs, {loss['train']:.4f} on as many training ones; difference {gap:+.4f} "
        f"({loss['low']:+.4f} to {loss['high']:+.4f}). A difference clearly above 0 is memorisation."
    )


def _memorisation(found: Numbers) -> str:
    return (
        f"**Memorisation**: {found['flagged']} of {found['n']} images lie as near to a training photograph as only "
        f"{found['expected']:.1%} of held-out photographs do; beyond chance {found['excess']:+.1%} "
        f"({found['low']:+.1%} to {found['high']:+.1%}). Nearest of {found['train']} training photographs in all "
        f"turned and mirrored views, in {' and in '.join(found['spaces'])}; the threshold is from "
        f"{found['held_out']} held-out photographs. It finds copies of whole images, not of parts."
    )


def sweep_table(sweep: Sequence[Numbers]) -> str:
    """Return what each guidance does to distance and fidelity as a Markdown table."""
    lines = [
        [
            f"{point['guidance']:g}",
            "" if point["mean_distance"] is None else f"{point['mean_distance']:.4f}",
            "" if point["overall"] is None else _kid(point["overall"]["kid"]),
            "" if point["fidelity"] is None else _accuracy(point["fidelity"]),
        ]
        for point in sweep
    ]
    return _table(["guidance", "KID, mean of classes", "KID, classes matched", "class fidelity"], lines)


def _kid(kid: Numbers) -> str:
    return f"{kid['value']:.4f} ({kid['low']:.4f} to {kid['high']:.4f})"


def _accuracy(accuracy: Numbers) -> str:
    interval = "" if accuracy["low"] is None else f" ({accuracy['low']:.3f} to {accuracy['high']:.3f})"
    return f"{accuracy['value']:.3f}{interval}, n = {accuracy['n']}"


def _counts(by_class: Mapping[str, int]) -> str:
    counts = set(by_class.values())
    if len(counts) == 1 and len(by_class) == len(CLASS_CODES):
        return f"{counts.pop()} of each class"
    return ", ".join(f"{code} {count}" for code, count in by_class.items())


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *lines])
