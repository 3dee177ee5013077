"""What the window asks of `evaluate`, `curate` and `utility`, and the command line that it stands for."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

Kind = Literal["evaluate", "curate", "utility"]
PLACES: Final[dict[Kind, tuple[str, ...]]] = {
    "evaluate": ("real", "train", "masks"),
    "curate": ("train",),
    "utility": ("train", "test"),
}
"""The folders that a command takes besides the synthetic set."""

NEEDED: Final[dict[Kind, tuple[str, ...]]] = {"evaluate": ("real",), "curate": (), "utility": ("train", "test")}

ALL_PLACES: Final = tuple(dict.fromkeys(name for places in PLACES.values() for name in places))

PRESETS: Final = ("quick", "standard", "gpu")
"""Of `utility`, see `evaluation.utility.request`."""

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
    """

    synthetic: Path
    root: Path
    kind: Kind = "evaluate"
    places: tuple[tuple[str, str], ...] = ()
    device: str = "auto"
    rules: str = "standard"
    before: str = NOTHING
    preset: str = PRESETS[0]

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
        """The same for choices that ask for the same."""
        return "\n".join(evaluation_arguments(self, Path()))


def evaluation_arguments(choice: EvaluationChoice, output: Path) -> list[str]:
    """Return the arguments of `python main.py` that judge a set into a folder."""
    places = [word for name in PLACES[choice.kind] for word in _flag(name, choice.place(name))]
    if choice.kind == "curate":
        rules = RULES[choice.rules] if choice.place("train") else RULES[choice.rules].replace(",copies", "")
        return ["curate", str(choice.synthetic), *places, "--rules", rules, "--output", str(output)]
    arguments = [choice.kind, "--synthetic", str(choice.synthetic), *places]
    if choice.kind == "utility":
        arguments += ["--preset", choice.preset, *_flag("curate", RULES[choice.before].removeprefix(NOTHING))]
    return [*arguments, "--output", str(output), "--device", choice.device]


def _flag(name: str, value: str) -> list[str]:
    return [f"--{name}", value] if value else []
