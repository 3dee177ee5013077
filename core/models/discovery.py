"""What a models folder holds, class by class, and why a class is not available; no torch, no weights are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from core.message import Message, joined
from core.models.pack import Pack, PackRefused, pack_in, why_unusable
from core.taxonomy import CLASS_CODES, CLASS_INDEX

COLOR_STATISTICS_NAME: Final = "color_statistics.json"

_CHECKPOINT: Final = re.compile(r"unet_([^_]+)_best\.(pth|safetensors)", re.IGNORECASE)
_LOOKS_LIKE_ONE: Final = re.compile(r"unet_.*\.(pth|pt|ckpt|bin|safetensors)", re.IGNORECASE)

Kind = Literal["checkpoint", "pack"]
Ignored = tuple[Path, str]


@dataclass(frozen=True, slots=True)
class ClassModel:
    """What there is to draw one class with.

    Attributes
    ----------
    path
        The checkpoint file or the pack's folder; None if there is nothing at all.
    reason
        Why the class is not available; empty if it is.
    pack
        What the pack says about itself, read once.
    true_colors
        The model says that its colours are right as they come (docs/adr/0011).
    assumed
        What the model does not say and is taken for granted, one sentence each.
    """

    class_code: str
    available: bool
    path: Path | None = None
    kind: Kind | None = None
    reason: str = ""
    pack: Pack | None = field(default=None, repr=False, compare=False)
    true_colors: bool = False
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a models folder holds.

    Attributes
    ----------
    classes
        One entry for each of the seven codes, in canonical order.
    color_statistics
        `color_statistics.json` next to the models, or None.
    ignored
        Files and folders that look like models and are not used, with the reason.
    title
        One line for people, as in ``isic7-128 (7 classes)``.
    """

    folder: Path
    classes: Mapping[str, ClassModel]
    color_statistics: Path | None
    ignored: tuple[Ignored, ...]
    title: str

    @property
    def available(self) -> tuple[str, ...]:
        """The codes of the available classes."""
        return tuple(code for code, model in self.classes.items() if model.available)

    def corrects_colors(self, code: str) -> bool:
        """Whether there are colour statistics, and the class's model does not say that its colours are right."""
        model = self.classes[code]
        return self.color_statistics is not None and model.available and not model.true_colors


def discover(folder: Path) -> Catalog:
    """Look through a folder of checkpoints and packs, a single pack, or a single checkpoint file.

    A per-class checkpoint wins over a pack, a pack of one class over a pack of all. Nothing is raised: what cannot be
    used is listed with its reason.
    """
    models, ignored = _candidates(folder)
    classes = {code: _choose(code, models) or _nothing(code, folder, ignored) for code in CLASS_CODES}
    chosen = {model.path for model in classes.values() if model.available}
    ignored += [(m.path, Message("another model is used for its classes")) for m in _unused(models, chosen) if m.path]
    return Catalog(folder, classes, _color_statistics(folder, chosen), tuple(ignored), _title(folder, classes))


def candidates(folder: Path, class_code: str) -> tuple[ClassModel, ...]:
    """Return every usable model of a class in a folder, the preferred one first."""
    return tuple(model for model in _candidates(folder)[0] if model.class_code == class_code and model.available)


def _candidates(folder: Path) -> tuple[list[ClassModel], list[Ignored]]:
    """Return all models, best first, and what was ignored."""
    ignored: list[Ignored] = []
    checkpoints = list(_checkpoints(folder, ignored))
    packs = sorted(_packs(folder, ignored), key=lambda pack: (pack.labels is not None, pack.folder))
    from_packs = [_of_pack(pack, code) for pack in packs for code in pack.classes]
    return checkpoints + from_packs, ignored


def _of_pack(pack: Pack, code: str) -> ClassModel:
    return ClassModel(
        code,
        True,
        pack.folder,
        "pack",
        pack=pack,
        true_colors=pack.recommended.get("color") is False,
        assumed=tuple(pack.assumed.values()),
    )


def _checkpoints(folder: Path, ignored: list[Ignored]) -> Iterator[ClassModel]:
    for path in _files(folder):
        match = _CHECKPOINT.fullmatch(path.name)
        if match is None:
            if _LOOKS_LIKE_ONE.fullmatch(path.name):
                ignored.append((path, Message("it is not named unet_<CLASS>_best.pth")))
        elif (code := match[1].upper()) not in CLASS_INDEX:
            ignored.append(
                (
                    path,
                    Message(
                        "there is no class '{code}'; the classes are {codes}",
                        code=match[1],
                        codes=", ".join(CLASS_CODES),
                    ),
                )
            )
        else:
            problem = why_unusable(path)
            yield ClassModel(code, not problem, path, "checkpoint", problem)


def _packs(folder: Path, ignored: list[Ignored]) -> Iterator[Pack]:
    places = iter([folder])
    while (place := next(places, None)) is not None:
        try:
            pack = pack_in(place)
        except PackRefused as error:
            ignored.append((place, error.reason))
        else:
            if pack is not None:
                yield pack
            elif place == folder:
                places = iter(_subfolders(folder))


def _files(folder: Path) -> list[Path]:
    if folder.is_file():
        return [folder]
    return sorted(path for path in _entries(folder) if path.is_file())


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in _entries(folder) if path.is_dir() and not path.name.startswith("."))


def _entries(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _choose(code: str, models: list[ClassModel]) -> ClassModel | None:
    own = [model for model in models if model.class_code == code]
    usable = [model for model in own if model.available]
    return next(iter(usable or own), None)


def _nothing(code: str, folder: Path, ignored: list[Ignored]) -> ClassModel:
    if not folder.exists():
        return ClassModel(code, False, reason=Message("the folder {folder} does not exist", folder=folder))
    nothing = Message(
        "there is no unet_{code}_best.pth and no model pack with this class in {folder}", code=code, folder=folder
    )
    refused = [
        Message("{name} is not used: {reason}", name=path.name, reason=reason)
        for path, reason in ignored
        if path.is_dir()
    ]
    return ClassModel(code, False, reason=joined([nothing, *refused], "; "))


def _unused(models: list[ClassModel], chosen: set[Path | None]) -> list[ClassModel]:
    by_path = {model.path: model for model in models if model.available and model.path not in chosen}
    return list(by_path.values())


def _color_statistics(folder: Path, chosen: set[Path | None]) -> Path | None:
    places = [folder if folder.is_dir() else folder.parent]
    if len(chosen) == 1:
        places += [path for path in chosen if path is not None]
    files = (place / COLOR_STATISTICS_NAME for place in places)
    return next((path for path in files if path.is_file()), None)


def _title(folder: Path, classes: Mapping[str, ClassModel]) -> str:
    usable = [model for model in classes.values() if model.available]
    if not usable:
        return Message("{name}: no usable model", name=folder.name)
    places = {model.path for model in usable}
    only = places.pop() if len(places) == 1 and usable[0].kind == "pack" else folder
    name = (only or folder).name
    if len(usable) == 1:
        return Message("{name} (1 class)", name=name)
    return Message("{name} (%n classes)", name=name, n=len(usable))
