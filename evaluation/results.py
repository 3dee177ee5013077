"""All findings of an evaluation together, and `results.json`, which says them to programs; see docs/evaluation.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.files.text import finite_json
from core.keeping import replace_kept_text
from core.message import Message
from core.version import __version__
from evaluation.finding import Finding, worst
from evaluation.itself import in_one
from evaluation.sets import ImageSet
from reports.model import Level

FORMAT: Final = 1
RESULTS_FILE: Final = "results.json"
DISTRIBUTION: Final = "distribution"


@dataclass(frozen=True, slots=True)
class SetFindings:
    """What was found out about one synthetic set.

    Attributes
    ----------
    faults
        Why nothing that was measured means anything; see `evaluation.itself`. Usually empty.
    """

    images: ImageSet
    sections: tuple[Finding, ...]
    faults: tuple[Message, ...] = ()

    @property
    def name(self) -> str:
        """What the report calls the set."""
        return self.images.name

    @property
    def level(self) -> Level:
        """The level that decides, of the measurements that could say something.

        A set is not good by what a single picture can show, such as its colours, where the sets could not be compared.
        """
        if self.faults:
            return "bad"
        known = [section.level for section in self.sections if section.level != "unknown"]
        level = worst(known) if known else "unknown"
        is_compared = all(section.level != "unknown" for section in self.sections if section.key == DISTRIBUTION)
        return level if level != "good" or is_compared else "unknown"

    @property
    def verdict(self) -> Message:
        """What to make of the set."""
        if self.faults:
            return Message("This evaluation says nothing about the set: {faults}", faults=in_one(self.faults))
        bad = [section.title for section in self.sections if section.level == "bad"]
        doubt = [section.title for section in self.sections if section.level == "doubt"]
        if bad:
            return Message("Do not use this set as it is: {titles}.", titles=", ".join(bad))
        if doubt:
            return Message("Use with caution. Shortfall or uncertainty in: {titles}.", titles=", ".join(doubt))
        if self.level == "good":
            return Message("No problem found by the metrics that could be computed.")
        return Message("No metric could be computed for this set.")


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything an evaluation found.

    Attributes
    ----------
    settings
        What was asked for, as plain JSON values.
    notes
        What a person should know about the photographs, one sentence each.
    side
        Side in pixels at which everything was compared.
    """

    settings: Mapping[str, Any]
    created: str
    real: ImageSet
    train: ImageSet | None
    side: int
    spaces: Mapping[str, str]
    notes: Sequence[str]
    sets: tuple[SetFindings, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the content of `results.json`."""
        return {
            "format": FORMAT,
            "product_version": __version__,
            "created": self.created,
            "settings": dict(self.settings),
            "side": self.side,
            "spaces": dict(self.spaces),
            "notes": list(self.notes),
            "real": _set_json(self.real),
            "train": self.train and _set_json(self.train),
            "sets": [_findings_json(one) for one in self.sets],
        }


def write_results(findings: Findings, folder: Path) -> Path:
    """Write `results.json` into a folder and return its path."""
    path = folder / RESULTS_FILE
    replace_kept_text(path, finite_json(findings.to_json()))
    return path


def _set_json(images: ImageSet) -> dict[str, Any]:
    return {
        "name": images.name,
        "folder": images.folder.name,
        "images": len(images),
        "lesions": len(set(images.lesions)) if images.grouped else None,
        "by_class": images.counts,
        "sizes": [{"width": width, "height": height, "images": count} for (width, height), count in images.sizes],
        "unreadable": [
            {"file": _inside(path, images.folder), "reason": str(reason)} for path, reason in images.unreadable
        ],
        "notes": [str(note) for note in images.notes],
    }


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _findings_json(found: SetFindings) -> dict[str, Any]:
    return {
        **_set_json(found.images),
        "verdict": {"level": found.level, "words": str(found.verdict)},
        "sections": {
            section.key: {
                "title": section.title,
                "verdict": {"level": section.level, "words": str(section.verdict)},
                **section.data,
            }
            for section in found.sections
        },
    }
