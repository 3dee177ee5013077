"""On what terms the images of a model may be passed on, as far as the model's own card says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.files.opening import read_regular, sha256_of
from core.models.pack import DESCRIPTION_NAME, read_json
from core.utils.path_manager import PathManager
from dataset.recipe import Recipe
from photographs.licence import UNKNOWN

CARD: Final = "README.md"
SUMS: Final = "SHA256SUMS"
_MAX_CARD_BYTES: Final = 1 << 20
_SECTION: Final = "licence"


@dataclass(frozen=True, slots=True)
class ModelTerms:
    """What is known about a model.

    Attributes
    ----------
    name
        What the model is called.
    licence
        Such as ``CC BY-NC 4.0``, or ``unknown``.
    text
        The section of its card about licence and credit, Markdown without the heading; may be empty.
    """

    name: str
    licence: str = UNKNOWN
    text: str = ""


def terms_of(recipe: Recipe, folder: Path | None = None, paths: PathManager | None = None) -> ModelTerms:
    """Return what the card of a recipe's model says, if the very same weights are still where they were.

    Parameters
    ----------
    folder
        Where the models of its run lay; the starter models are looked through as well.
    """
    sha256 = recipe.weights_sha256
    for pack in _packs(recipe, folder or recipe.old_models_folder, paths or PathManager()):
        if _holds(pack, Path(recipe.weights).name, sha256):
            return _read(pack)
    return ModelTerms(Path(recipe.weights).parent.name or recipe.weights)


def _packs(recipe: Recipe, models: Path | None, paths: PathManager) -> Iterator[Path]:
    """Yield the folders that may be the recipe's model pack."""
    if models is not None:
        weights = models / recipe.weights
        yield from (place for place in (weights.parent, weights.parent.parent) if (place / DESCRIPTION_NAME).is_file())
    if paths.starter_dir.is_dir():
        yield from sorted(file.parent for file in paths.starter_dir.glob(f"*/{DESCRIPTION_NAME}"))


def _holds(pack: Path, name: str, sha256: str) -> bool:
    try:
        if (pack / SUMS).is_file():
            return f"{sha256} " in read_regular(pack / SUMS, _MAX_CARD_BYTES).decode("utf-8", "replace")
        return any(sha256_of(file) == sha256 for file in (pack / name, pack / "unet" / name) if file.is_file())
    except OSError:
        return False


def _read(pack: Path) -> ModelTerms:
    try:
        about = read_json(pack / DESCRIPTION_NAME)
    except ValueError:
        about = {}
    return ModelTerms(str(about.get("name") or pack.name), str(about.get("licence") or UNKNOWN), _section(pack / CARD))


def _section(card: Path) -> str:
    """Return the section of a model card whose heading speaks of the licence."""
    try:
        text = read_regular(card, _MAX_CARD_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
    for part in f"\n{text}".split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        if _SECTION in heading.lower() or "license" in heading.lower():
            return body.strip()
    return ""
