"""What an image begins from if not from noise alone, as the journal and the image's recipe keep it.

The pictures and masks themselves are in the output folder, named by their SHA-256.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from core.errors import UsageError
from core.message import Message
from core.taxonomy import CLASS_CODES

Kind = Literal["image2image", "inpaint", "interpolate"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Beginning:
    """What one image begins from.

    Attributes
    ----------
    kind
        The command that asks for it.
    images
        SHA-256 of each picture: one, or both ends of an interpolation.
    mask
        SHA-256 of the mask of what is generated again; "" for everything.
    strength
        Share of the denoising steps that are made, above 0; at 1 the picture has no part.
    share
        Where an interpolated image is on the way from the first end (0) to the second (1).
    classes
        Class of each end of an interpolation.
    target
        Class of the image that is made; "" for any.
    """

    kind: Kind
    images: tuple[str, ...]
    mask: str = ""
    strength: float = 1.0
    share: float = 0.0
    classes: tuple[str, ...] = ()
    target: str = ""

    def __post_init__(self) -> None:
        if why := self._misfit():
            raise UsageError(
                Message("An image cannot begin like this: {why}.", why=why), remedy=Message("Request the images again.")
            )

    def _misfit(self) -> str:
        """Return the name of the first value that cannot be; "" if there is none."""
        ends = 2 if self.kind == "interpolate" else 1
        fits = {
            "kind": self.kind in get_args(Kind),
            "images": len(self.images) == ends and all(map(_is_sum, self.images)),
            "mask": (_is_sum(self.mask) if self.kind == "inpaint" else self.mask == ""),
            "strength": _is_number(self.strength) and 0 < self.strength <= 1,
            "share": _is_number(self.share) and 0 <= self.share <= 1,
            "classes": len(self.classes) in ({2} if self.kind == "interpolate" else {0, 1})
            and all(code in CLASS_CODES for code in self.classes),
            "target": self.target in ("", *CLASS_CODES),
        }
        return next((name for name, fit in fits.items() if not fit), "")

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON types, without what says nothing."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Beginning:
        """Rebuild it.

        Raises
        ------
        UsageError
            If it is none.
        """
        known = {"kind": "", "images": (), **{key: data[key] for key in cls.__dataclass_fields__ if key in data}}
        for key in ("images", "classes"):
            if key in known and isinstance(known[key], list | tuple):
                known[key] = tuple(known[key])
        return cls(**known)


def _is_sum(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
