"""Do several methods look at the same places? Rank agreement between their maps of one picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from xai.attribution import rank_agreement
from xai.explanation import Explanation
from xai.sanity import in_cells

TOP: Final = 0.1
"""Share of the cells that count as a map's most important ones."""


def agreement_table(explanations: Sequence[Explanation]) -> list[dict[str, Any]]:
    """Compare the maps of one picture and one target, each with each.

    Parameters
    ----------
    explanations
        Maps that cannot be compared (not finite, or the same everywhere) are left out.

    Returns
    -------
    list
        For each pair `a` and `b` (methods), `spearman` (-1..1, over 16 x 16 cells, by chance 0) and `top_overlap`
        (intersection over union of the two most important tenths of the cells, by chance 0.05).
    """
    maps = {
        explanation.method: in_cells(explanation.attribution)
        for explanation in explanations
        if np.isfinite(explanation.attribution).all() and np.ptp(explanation.attribution)
    }
    return [
        {
            "a": a,
            "b": b,
            "spearman": rank_agreement(maps[a].ravel(), maps[b].ravel()),
            "top_overlap": _top_overlap(maps[a], maps[b]),
        }
        for a, b in combinations(maps, 2)
    ]


def _top_overlap(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    a, b = _top(first), _top(second)
    return len(a & b) / len(a | b)


def _top(values: NDArray[np.float64]) -> set[int]:
    count = round(TOP * values.size)
    return set(np.argsort(-values.ravel(), kind="stable")[:count].tolist())
