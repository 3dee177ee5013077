"""One finished image, as the journal, the table and the gallery know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.dataset.layout import image_number
from core.dataset.recipe import Recipe
from core.taxonomy import CLASS_INDEX

SOURCE: Final = "synthetic"


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
    def from_json(cls, folder: Path, data: Mapping[str, Any]) -> ImageRecord:
        """Rebuild a record in `folder`; unknown keys are ignored.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the data is not a record, or names a file that is no image of a class folder.
        """
        if data["class"] not in CLASS_INDEX or image_number(data["file"]) is None:
            raise ValueError(f"No image of a class folder: {data['class']}/{data['file']}")
        values = {name: data[name] for name in _PLAIN_FIELDS if name in data}
        return cls(path=folder.joinpath(data["class"], data["file"]), class_code=data["class"], **values)

    @classmethod
    def from_recipe(cls, path: Path, number: int, recipe: Recipe) -> ImageRecord:
        """Return the record of the image at `path` that `recipe` made."""
        return cls(
            path=path,
            class_code=recipe.class_code,
            isic_number=number,
            seed=recipe.seed,
            run_id=recipe.run_id,
            generated_at=path.stat().st_mtime,
            index=recipe.index,
            noise_hash=recipe.noise_hash,
            sampler=recipe.sampler,
            steps=recipe.steps,
            guidance=recipe.guidance,
            precision=recipe.precision,
            weights=recipe.weights,
            weights_sha256=recipe.weights_sha256,
        )


_PLAIN_FIELDS: Final = tuple(name for name in ImageRecord.__dataclass_fields__ if name not in ("path", "class_code"))
