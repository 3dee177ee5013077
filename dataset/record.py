"""One finished image, as the journal, the table and the gallery know it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dataset.recipe import Recipe

if TYPE_CHECKING:
    from dataset.schemas import ImageLine

SOURCE: Final = "synthetic"
LAST_TIME: Final = 253_402_300_799.0


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One finished image.

    Attributes
    ----------
    path
        The image file.
    isic_number
        Number within its class folder.
    seed
        None if nothing says which seed made it (images of old versions without a sidecar).
    run_id
        Empty for images that the predecessor made.
    generated_at
        Seconds since the epoch.
    index
        0-based index in the seed formula, or None.
    """

    path: Path
    class_code: str
    isic_number: int
    seed: int | None
    run_id: str
    generated_at: float
    source: str = SOURCE
    index: int | None = None
    noise_hash: str = ""
    sampler: str = ""
    steps: int | None = None
    guidance: float | None = None
    precision: str = ""
    weights: str = ""
    weights_sha256: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Class and file name: what identifies an image in its folder."""
        return self.class_code, self.path.name

    def to_json(self) -> dict[str, Any]:
        """Return the record as a journal line's content, without the folder: it may be moved."""
        values = {name: getattr(self, name) for name in _PLAIN_FIELDS}
        return {"class": self.class_code, "file": self.path.name, **values}

    @classmethod
    def from_line(cls, folder: Path, line: ImageLine) -> ImageRecord:
        """Rebuild a record in `folder` from a line of its journal."""
        values = {name: getattr(line, name) for name in _PLAIN_FIELDS}
        return cls(path=folder.joinpath(line.code, line.file), class_code=line.code, **values)

    @classmethod
    def from_recipe(cls, path: Path, number: int, recipe: Recipe) -> ImageRecord:
        """Return the record of the image at `path` that `recipe` made."""
        return cls(
            path=path,
            class_code=recipe.class_code,
            isic_number=number,
            seed=recipe.seed,
            run_id=recipe.run_id,
            generated_at=time_of_file(path),
            index=recipe.index,
            noise_hash=recipe.noise_hash,
            sampler=recipe.sampler,
            steps=recipe.steps,
            guidance=recipe.guidance,
            precision=recipe.precision,
            weights=recipe.weights,
            weights_sha256=recipe.weights_sha256,
        )


def time_of_file(path: Path) -> float:
    """Return when a file was changed last, in seconds since the epoch; a clock may have stood at any other time."""
    return sane_time(path.stat().st_mtime)


def sane_time(seconds: float) -> float:
    """Return a time that a table and a calendar can hold: from 1970 to the year 9999; the epoch for any other."""
    return seconds if 0 <= seconds <= LAST_TIME else 0.0


_PLAIN_FIELDS: Final = tuple(name for name in ImageRecord.__dataclass_fields__ if name not in ("path", "class_code"))
