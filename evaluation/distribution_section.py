"""What the report says of distances between the sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from core.message import Message
from evaluation import plots
from evaluation.distribution import ALL, Comparison, Side, verdict
from evaluation.finding import Finding
from evaluation.spaces import Space
from measures.frechet import Frechet
from measures.kid import Kid
from measures.prdc import MEANINGS, NAMES, Prdc
from reports.model import Block, Figure, Paragraph, Table

ABOUT: Final = (
    "The real-vs-real baseline is the distance between two halves of the held-out photographs, split by lesion: the "
    "value that a perfect generator would reach. The kernel distance (MMD\u00b2) is unbiased also for few images and "
    "may be negative, which means that no difference was found. Its CI is for a new sample of both sets. The "
    "Fr\u00e9chet distance is withheld below two images per feature dimension."
)
LIMITS: Final = (
    "These numbers do not detect copies: a set of training photographs would score very well. They measure what their "
    "feature space represents; rely on results that hold in both feature spaces."
)


def distribution_section(
    spaces: Mapping[str, Space], sides: Mapping[str, tuple[Side, Side]], found: Mapping[str, Mapping[str, Comparison]]
) -> Finding:
    """Put the comparisons of one synthetic set together.

    Parameters
    ----------
    spaces, sides, found
        By the name of the space: the space; synthetic and real features; comparisons by class.
    """
    level, words = verdict({name: by_class[ALL] for name, by_class in found.items()})
    parts: list[Block] = [Paragraph(ABOUT)]
    for name, by_class in found.items():
        parts += _parts_of(spaces[name], *sides[name], by_class)
    parts.append(Paragraph(LIMITS, "muted"))
    data = {name: {code: one.to_json() for code, one in by_class.items()} for name, by_class in found.items()}
    return Finding("distribution", Message("Distance to real photographs"), level, words, parts, data)


def _parts_of(space: Space, synthetic: Side, real: Side, by_class: Mapping[str, Comparison]) -> Iterator[Block]:
    whole = by_class[ALL]
    kernel = space.kernel_name[0].upper() + space.kernel_name[1:]
    yield Paragraph(f"In {space.name}. {space.caution}")
    yield Figure(
        plots.kid_figure(space.name, {code: (one.kid, one.kid_floor) for code, one in by_class.items()}),
        f"{kernel} in {space.name}, overall and by class, with 95 % CIs",
    )
    yield Table(
        ("", "n synthetic", "n real", "lesions", space.kernel_name, "real vs real"),
        [_kid_row(code, one) for code, one in by_class.items()],
        f"{kernel} in {space.name}",
        frozenset(row for row, one in enumerate(by_class.values()) if one.kid is None),
        folded=True,
    )
    yield Table(
        ("", f"{space.frechet_name} ({space.name})", "real vs real", "infinite n", "reason withheld"),
        [_frechet_row(code, one.frechet) for code, one in by_class.items()],
        f"Fr\u00e9chet distance in {space.name}",
        frozenset(row for row, one in enumerate(by_class.values()) if one.frechet.refused),
        words=frozenset({0, 4}),
        folded=True,
    )
    if whole.prdc_matched is not None and whole.prdc_reference is not None:
        yield Figure(
            plots.prdc_figure(space.name, whole.prdc_matched, whole.prdc_reference),
            f"Precision, recall, density, coverage in {space.name} at n = {whole.reference_n}, next to real vs real",
        )
    yield Table(
        ("", "n", *NAMES),
        [row for code, one in by_class.items() for row in _prdc_rows(code, one)],
        "; ".join(f"{name}: {words}" for name, words in MEANINGS.items()),
        folded=True,
    )
    if min(len(synthetic.features), len(real.features)) > 1:
        yield Figure(plots.cloud_figure(space.name, synthetic.features, real.features), f"Both sets in {space.name}")


def _kid_row(code: str, one: Comparison) -> Sequence[str]:
    counts = (str(one.n_synthetic), str(one.n_real), str(one.lesions))
    return (code, *counts, kid_text(one.kid), kid_text(one.kid_floor))


def kid_text(kid: Kid | None) -> str:
    """Return a kernel distance with its interval."""
    return "too few images" if kid is None else f"{kid.value:.4f} ({kid.low:.4f} to {kid.high:.4f})"


def _frechet_row(code: str, frechet: Frechet) -> Sequence[str]:
    floor = "–" if frechet.floor is None else f"{frechet.floor:.3f} (n = {frechet.floor_n})"
    return code, _number(frechet.value), floor, _number(frechet.infinity), str(frechet.refused or "")


def _prdc_rows(code: str, one: Comparison) -> Iterator[Sequence[str]]:
    for name, found, n in (
        ("synthetic", one.prdc, f"{one.n_synthetic} to {one.n_real}"),
        ("synthetic, same n", one.prdc_matched, str(one.reference_n)),
        ("real", one.prdc_reference, str(one.reference_n)),
    ):
        if found is not None:
            yield f"{code}, {name}", n, *_four(found)


def _four(found: Prdc) -> tuple[str, ...]:
    return tuple(f"{value:.3f}" for value in found.to_json().values())


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
