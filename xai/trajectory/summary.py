"""Several images: by class and intervention the index with interval, tests and controls. n counts images.

One test for each null row, over all its comparisons together, says whether the nulls have collapsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from xai.statistics import PairedResult, bootstrap_interval, compare_pairs, holm, joint_null_p
from xai.trajectory.controls import CONTROLS, NULLS, RIVALS
from xai.trajectory.shift import INTERVENTIONS

ENOUGH: Final = 6
"""From so many images on Wilcoxon's test can give p < 0.05 at all, and an interval means anything."""


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison over the images of one class.

    Attributes
    ----------
    map_row
        `own` for the map and the class themselves, else one of `controls.CONTROLS`.
    contrast
        Key of `summary.CONTRASTS`.
    values
        One difference for each image.
    """

    class_code: str
    intervention: str
    map_row: str
    contrast: str
    values: tuple[float, ...]
    result: PairedResult

    @property
    def is_judged(self) -> bool:
        """Whether there are enough images for the interval to mean anything: that of two nearly always misses 0."""
        return self.result.n >= ENOUGH

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON types."""
        return {
            "class": self.class_code,
            "intervention": self.intervention,
            "map": self.map_row,
            "contrast": self.contrast,
            "values": list(self.values),
            **self.result.to_json(),
        }


ALARM: Final = 0.01
"""Below this joint p a null row stands: one summary in a hundred for each of the three rows, by chance."""


@dataclass(frozen=True, slots=True)
class NullResult:
    """What came of a null row.

    Attributes
    ----------
    control
        One of `controls.NULLS`.
    comparisons, misses
        Number of comparisons of at least `row.ENOUGH` images, and of those whose interval does not cover 0.
    joint_p
        `statistics.joint_null_p` over the classes of at least `row.ENOUGH` images; None where there is none.
    """

    control: str
    comparisons: int
    misses: int
    joint_p: float | None

    @property
    def collapsed(self) -> bool | None:
        """Whether nothing but chance is left of the index; None where it cannot be judged."""
        return None if self.joint_p is None else self.joint_p >= ALARM

    def to_json(self) -> dict[str, Any]:
        """Return all fields as JSON types, with `collapsed`."""
        return {**asdict(self), "collapsed": self.collapsed}


def judge_nulls(rows: Sequence[Row], classes: Sequence[str], seed: int = 0) -> tuple[NullResult, ...]:
    """Return what came of each of `controls.NULLS`.

    Parameters
    ----------
    rows
        All comparisons of a summary.
    classes
        Those whose images are told apart; comparisons of all of them together follow from these.
    """
    return tuple(_judge(name, [row for row in rows if row.map_row == name], classes, seed) for name in NULLS)


def _judge(name: str, rows: list[Row], classes: Sequence[str], seed: int) -> NullResult:
    judged = [row for row in rows if row.is_judged]
    blocks = [[row.values for row in judged if row.class_code == code] for code in classes]
    groups = [np.array(block, dtype=np.float64).T for block in blocks if block]
    misses = sum(row.result.covers_zero is False for row in judged)
    return NullResult(name, len(judged), misses, joint_null_p(groups, seed) if groups else None)


OWN: Final = "own"
EXCEEDED: Final = ("random_attribution", *RIVALS)
"""Rows that the map itself is compared with: those that are an index themselves, and not the difference of two."""

CONTRASTS: Final = {"csi": "abs_dF_bottom", "top_minus_random": "abs_dF_random"}
"""What |dF(top)| is compared with; CSI is the first."""

POOLED: Final = "all"
"""Stands for the images of all classes together, where there are several."""

Image = Mapping[str, Any]
"""The content of an image's `analysis.json`."""


@dataclass(frozen=True, slots=True)
class GroupMean:
    """What one group of steps contributes in the images of one class: mean of its Shapley values with interval."""

    class_code: str
    first_step: int
    last_step: int
    n: int
    mean: float
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, Any]:
        """Return the group as JSON types."""
        names = ("first_step", "last_step", "n", "mean", "low", "high")
        return {"class": self.class_code, **{name: getattr(self, name) for name in names}}


@dataclass(frozen=True, slots=True)
class Summary:
    """The result over several images.

    Attributes
    ----------
    images
        Number of images by class.
    rows
        Every comparison; Holm's correction is over the `own` rows, one family.
    beyond
        The same differences of the map itself minus those of each of `EXCEEDED`, paired by image.
    nulls
        What came of the rows that must collapse.
    times
        Mean Shapley values of the groups of steps, by class.
    gates
        Number of images by level of the gate.
    recognised
        Share of images by class that the classifier takes for the class they were made for.
    """

    images: Mapping[str, int]
    rows: tuple[Row, ...]
    beyond: tuple[Row, ...]
    nulls: tuple[NullResult, ...]
    times: tuple[GroupMean, ...]
    gates: Mapping[str, int]
    recognised: Mapping[str, float]

    def family(self) -> list[Row]:
        """Return the rows that are tested: the maps themselves."""
        return [row for row in self.rows if row.map_row == OWN]


def summarise(images: Sequence[Image], seed: int = 0) -> Summary:
    """Return the statistics over several independent images.

    Parameters
    ----------
    images
        At least one.
    seed
        Of bootstrap and permutations.
    """
    by_class: dict[str, list[Image]] = {}
    for image in images:
        by_class.setdefault(image["image"]["class"], []).append(image)
    pooled = {**by_class, POOLED: list(images)} if len(by_class) > 1 else by_class
    rows = [row for code, own in pooled.items() for row in _rows(code, own, seed)]
    levels = [image["gate"]["level"] for image in images]
    return Summary(
        images={code: len(own) for code, own in by_class.items()},
        rows=tuple(_corrected(rows)),
        beyond=tuple(row for code, own in pooled.items() for row in _beyond(code, own, seed)),
        nulls=judge_nulls(rows, list(by_class), seed),
        times=tuple(group for code, own in by_class.items() for group in _times(code, own, seed)),
        gates={level: levels.count(level) for level in ("green", "amber", "red")},
        recognised={code: float(np.mean([_is_recognised(image) for image in own])) for code, own in by_class.items()},
    )


def _rows(code: str, images: Sequence[Image], seed: int) -> Iterator[Row]:
    for name in INTERVENTIONS:
        for map_row in (OWN, *CONTROLS):
            for contrast, other in CONTRASTS.items():
                pairs = [_pair(_shift(image, map_row, name), contrast, other) for image in images]
                first, second = zip(*pairs, strict=True)
                values = tuple(np.subtract(first, second).tolist())
                yield Row(code, name, map_row, contrast, values, compare_pairs(first, second, seed))


def _pair(shift: Mapping[str, Any], contrast: str, other: str) -> tuple[float, float]:
    """Return what is compared in one image: top and the rest, or the contrasts of the two parts of a difference."""
    if "second" in shift:
        return shift["first"][contrast], shift["second"][contrast]
    return shift["abs_dF_top"], shift[other]


def _beyond(code: str, images: Sequence[Image], seed: int) -> Iterator[Row]:
    """Yield how much more the map itself shows than each of `EXCEEDED` does."""
    for name in INTERVENTIONS:
        for control in EXCEEDED:
            for contrast in CONTRASTS:
                own = [_shift(image, OWN, name)[contrast] for image in images]
                other = [_shift(image, control, name)[contrast] for image in images]
                values = tuple(np.subtract(own, other).tolist())
                yield Row(code, name, control, contrast, values, compare_pairs(own, other, seed))


def _shift(image: Image, map_row: str, intervention: str) -> Mapping[str, Any]:
    csi = image["csi"]
    found: Mapping[str, Any] = (csi if map_row == OWN else csi["controls"][map_row])["interventions"][intervention]
    return found


def _corrected(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with Holm's correction over those of the maps themselves, one family."""
    family = [i for i, row in enumerate(rows) if row.map_row == OWN and row.result.wilcoxon_p is not None]
    corrected = list(rows)
    p_values = holm([rows[i].result.wilcoxon_p or 0.0 for i in family])
    for position, p_value in zip(family, p_values, strict=True):
        corrected[position] = replace(rows[position], result=replace(rows[position].result, holm_p=p_value))
    return corrected


def _times(code: str, images: Sequence[Image], seed: int) -> Iterator[GroupMean]:
    for number, group in enumerate(images[0]["time_shap"]["groups"]):
        values = np.array([image["time_shap"]["groups"][number]["phi"] for image in images])
        low, high = bootstrap_interval(values, seed) if len(values) > 1 else (None, None)
        yield GroupMean(code, group["first_step"], group["last_step"], len(values), float(values.mean()), low, high)


def _is_recognised(image: Image) -> bool:
    return bool(image["classification"]["predicted"] == image["image"]["class"])
