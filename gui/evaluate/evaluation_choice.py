"""What the window asks of `evaluate`, `curate` and `utility`, by the names of what can be chosen there."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from core.jobs.registry import Request
from evaluation.curation.request import CurationRequest
from evaluation.request import EvaluationRequest
from evaluation.utility.request import PRESETS as EXPERIMENTS
from evaluation.utility.request import UtilityRequest

Kind = Literal["evaluate", "curate", "utility"]
PLACES: Final[dict[Kind, tuple[str, ...]]] = {
    "evaluate": ("real", "train", "masks"),
    "curate": ("train",),
    "utility": ("train", "test"),
}
"""The folders that a command takes besides the synthetic set."""

PHOTOGRAPHS: Final = ("real", "train", "test")
"""Those of them that hold labelled photographs."""

NEEDED: Final[dict[Kind, tuple[str, ...]]] = {"evaluate": ("real",), "curate": (), "utility": ("train", "test")}

ALL_PLACES: Final = tuple(dict.fromkeys(name for places in PLACES.values() for name in places))

PRESETS: Final = tuple(EXPERIMENTS)
"""How thorough `utility` is."""

NOTHING: Final = "none"
RULES: Final = {
    NOTHING: "none",
    "standard": "fidelity>=0.1,copies,duplicates",
    "strict": "fidelity>=0.5,copies,duplicates",
    "half": "fidelity>=0.1,copies,duplicates,best=50%",
}
"""Which images are left out, by the name of the choice; see `evaluation.curation.rules`."""


@dataclasses.dataclass(frozen=True, slots=True)
class EvaluationChoice:
    """What is judged, how, and against what.

    Attributes
    ----------
    synthetic
        Folder of generated images.
    root
        Folder in which each evaluation gets a folder.
    places
        Folder or table by the name of its flag; see `PLACES`.
    rules, before
        Names in `RULES`: by which ones `curate` chooses, and by which ones images are left out before `utility` begins.
    preset
        How thorough `utility` is.
    measure
        The one measure that `evaluate` makes; empty for all.
    """

    synthetic: Path
    root: Path
    kind: Kind = "evaluate"
    places: tuple[tuple[str, str], ...] = ()
    device: str = "auto"
    rules: str = "standard"
    before: str = NOTHING
    preset: str = PRESETS[0]
    measure: str = ""

    def place(self, name: str) -> str:
        """Return a folder by its flag's name, empty if none was chosen."""
        return dict(self.places).get(name, "")

    @property
    def is_complete(self) -> bool:
        """Whether everything that is needed was named."""
        return not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """What is needed and was not named, by the names of the flags."""
        return tuple(name for name in NEEDED[self.kind] if not self.place(name))

    def output(self, now: datetime) -> Path:
        """Return the folder of an evaluation that begins now."""
        return self.root / f"{self.kind}-{self.synthetic.name}_{now:%Y%m%d_%H%M%S}"

    @property
    def signature(self) -> str:
        """The same for complete choices that ask for the same."""
        return "\n".join(self.request(self.root).arguments())

    def request(self, output: Path) -> Request:
        """Return the job that judges the set into a folder; the choice must be complete."""
        if self.kind == "evaluate":
            return EvaluationRequest(
                (self.synthetic,), self._named("real"), output, self._path("train"), self._path("masks"),
                device=self.device, measures=(self.measure,) if self.measure else (),
            )  # fmt: skip
        if self.kind == "curate":
            rules = RULES[self.rules] if self.place("train") else RULES[self.rules].replace(",copies", "")
            return CurationRequest(self.synthetic, output, rules, self._path("train"))
        curate = RULES[self.before].removeprefix(NOTHING)
        places = self._named("train"), self._named("test"), (self.synthetic,), output
        return UtilityRequest(*places, preset=self.preset, curate=curate, device=self.device)

    def _named(self, name: str) -> Path:
        return Path(self.place(name)).expanduser()

    def _path(self, name: str) -> Path | None:
        return self._named(name) if self.place(name) else None
