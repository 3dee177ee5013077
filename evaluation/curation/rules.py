"""By which rules images are left out: a short text such as ``fidelity>=0.5,copies,duplicates,best=50%``.

==================  ====================================================================================================
``fidelity>=X``     a classifier gives the class that was asked for a probability of at least X, 0..1
``copies``          images that look like copies of training images are left out
``duplicates``      of images that are nearly the same the best one is kept
``best=P%``         the best P percent of each class are kept, by the rank that `quality` gives
``best=N``          the best N images of each class are kept
``standard``        ``fidelity>=0.1,copies,duplicates``
``none``            everything is kept, measured and ranked
==================  ====================================================================================================
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Final

from core.errors import UsageError
from core.message import Message

NONE: Final = "none"
EXAMPLE: Final = "fidelity>=0.5,copies,duplicates,best=50%"

_NUMBER: Final = r"(\d+(?:\.\d+)?|\.\d+)"
_FIDELITY: Final = re.compile(rf"fidelity>=?{_NUMBER}(%?)")
_BEST: Final = re.compile(rf"best={_NUMBER}(%?)")


@dataclass(frozen=True, slots=True)
class CurationRules:
    """What is left out.

    Attributes
    ----------
    fidelity
        Least probability of the class that was asked for, 0..1; None for any.
    copies, duplicates
        Whether copies of training images, and near-duplicates inside the set, are left out.
    best_share, best_count
        Share 0..1, or number, of images of each class that are kept; None for all. At most one of the two is set.
    """

    fidelity: float | None = None
    copies: bool = False
    duplicates: bool = False
    best_share: float | None = None
    best_count: int | None = None

    def __str__(self) -> str:
        parts = [f"fidelity>={self.fidelity:g}"] if self.fidelity is not None else []
        parts += ["copies"] if self.copies else []
        parts += ["duplicates"] if self.duplicates else []
        parts += [f"best={100 * self.best_share:g}%"] if self.best_share is not None else []
        parts += [f"best={self.best_count}"] if self.best_count is not None else []
        return ",".join(parts) or NONE

    def places(self, images: int) -> int:
        """Return how many of a class's images may be kept by rank."""
        if self.best_count is not None:
            return self.best_count
        return images if self.best_share is None else math.ceil(self.best_share * images)


def parse_rules(text: str) -> CurationRules:
    """Read the text form; the order does not matter.

    Raises
    ------
    UsageError
        If a word is no rule, or a number is out of range.
    """
    rules = CurationRules()
    for word in text.replace(" ", "").lower().split(","):
        rules = _with(rules, word)
    return rules


def _with(rules: CurationRules, word: str) -> CurationRules:
    if word in ("", NONE):
        return rules
    if word == "standard":
        return replace(rules, fidelity=0.1, copies=True, duplicates=True)
    if word == "copies":
        return replace(rules, copies=True)
    if word == "duplicates":
        return replace(rules, duplicates=True)
    if match := _FIDELITY.fullmatch(word):
        return replace(rules, fidelity=_share(word, float(match[1]) / (100 if match[2] else 1)))
    if match := _BEST.fullmatch(word):
        return _with_best(rules, word, float(match[1]), bool(match[2]))
    raise _no_rule(word)


def _with_best(rules: CurationRules, word: str, number: float, is_percent: bool) -> CurationRules:
    if is_percent:
        return replace(rules, best_share=_share(word, number / 100), best_count=None)
    if number != int(number) or number < 1:
        raise _no_rule(word)
    return replace(rules, best_count=int(number), best_share=None)


def _share(word: str, value: float) -> float:
    if not 0 < value <= 1:
        raise _no_rule(word)
    return value


def _no_rule(word: str) -> UsageError:
    return UsageError(
        Message("'{word}' is not a curation rule.", word=word),
        remedy=Message(
            "Combine fidelity>=X (X above 0, up to 1), copies, duplicates, best=P% or best=N; for example {example}. "
            "Or write standard, or none.",
            example=EXAMPLE,
        ),
    )
