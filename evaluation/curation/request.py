"""What a curation is asked for, and what it tells while it works; nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from core.events import Event
from core.jobs.options import classifier_option, option
from core.jobs.registry import Request, job
from evaluation.curation.rules import CurationRules, parse_rules


@job("evaluation.curation.run:run_curation")
@dataclass(frozen=True, slots=True)
class CurationRequest(Request):
    """One curation.

    Attributes
    ----------
    synthetic
        The folder that is curated; nothing in it is changed.
    output
        Where `curation.csv` and `curation.json` go.
    rules
        As `parse_rules` reads them; "" for all that can be measured: ``standard``, without ``copies`` if no photographs
        are named.
    train, real
        The photographs that the generator has learnt from, and others of lesions that it has not seen. Without `real`,
        `train` is divided by lesion as for the starter models.
    classifier
        The one that decides; the auxiliary starter classifier if None, so that the independent one can judge what is
        kept.
    """

    command: ClassVar[tuple[str, ...]] = ("curate",)
    synthetic: Path = option("", "The folder that is curated.", kind="path")
    output: Path = option("--output", "Where curation.csv and curation.json go.", kind="folder")
    rules: str = option(
        "--rules",
        "Rules for excluding images; see below.",
        default="",
        default_words="standard, or what can be measured",
    )
    train: Path | None = option(
        "--train", "Training photographs of the generator, for copy detection.", kind="path", default=None
    )
    real: Path | None = option(
        "--real",
        "Held-out photographs.",
        kind="path",
        default=None,
        default_words="--train, split by lesion",
    )
    classifier: Path | None = classifier_option()

    @property
    def chosen_rules(self) -> CurationRules:
        """The rules that hold.

        Raises
        ------
        UsageError
            If they are nonsense.
        """
        return parse_rules(self.rules or ("standard" if self.train else "fidelity>=0.1,duplicates"))


@dataclass(frozen=True, slots=True)
class CurationStarted(Event):
    """The curation begins."""

    name: ClassVar[str] = "started"
    synthetic: Path
    output: Path
    rules: str


@dataclass(frozen=True, slots=True)
class CurationFinished(Event):
    """The end: every decision is written down. `left_out` counts by rule."""

    name: ClassVar[str] = "finished"
    ends: ClassVar[bool] = True
    output: Path
    curation: Path
    images: int
    kept: int
    left_out: dict[str, int]
    verdict: str
    notes: tuple[str, ...] = field(default=())
