"""The design tokens: every colour and measure of the window, in a light and a dark set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Tokens:
    """One set of colours, as CSS hex strings.

    Attributes
    ----------
    picture
        The neutral grey around pictures; the same in both themes, since surroundings shift how colours look.
    shade
        Laid, half transparent, over what is not spoken of.
    evidence, doubt, none
        The three verdicts of the gate.
    """

    name: str
    window: str
    panel: str
    raised: str
    text: str
    muted: str
    disabled: str
    hairline: str
    control_line: str
    accent: str
    accent_hover: str
    on_accent: str
    selection: str
    evidence: str
    doubt: str
    none: str
    picture: str = "#808080"
    shade: str = "#000000"

    @property
    def inverse(self) -> str:
        """Name of the other theme."""
        return "light" if self.name == "dark" else "dark"


LIGHT: Final = Tokens(
    name="light",
    window="#f3f4f6",
    panel="#ffffff",
    raised="#ffffff",
    text="#1b1f24",
    muted="#57606a",
    disabled="#9aa2ab",
    hairline="#d5d9de",
    control_line="#868e98",
    accent="#0a6e78",
    accent_hover="#0c7f8a",
    on_accent="#ffffff",
    selection="#d3e9eb",
    evidence="#1a7f37",
    doubt="#946200",
    none="#c0262d",
)

DARK: Final = Tokens(
    name="dark",
    window="#1d1f23",
    panel="#26292e",
    raised="#2f3338",
    text="#e6e8eb",
    muted="#a0a7b0",
    disabled="#666d76",
    hairline="#3a3f46",
    control_line="#767d87",
    accent="#36b3bf",
    accent_hover="#4cc3ce",
    on_accent="#0d2224",
    selection="#1f3e42",
    evidence="#4cc46a",
    doubt="#d9a520",
    none="#ff6b6b",
)

GROUNDS: Final = {
    "grey": ("#808080", "#808080"),
    "black": ("#000000", "#000000"),
    "white": ("#ffffff", "#ffffff"),
    "checker": ("#666666", "#999999"),
}
"""Grounds of pictures by name: the colours of the two kinds of squares; the first one is there until another is chosen.

Grey is the ground to judge colours on; the others show where a picture ends, or how it looks on paper and on slides.
"""

CHECKER: Final = 8
"""Side of a square, in screen pixels."""

GRID: Final = 4
GAP_SMALL: Final = 8
GAP: Final = 12
GAP_LARGE: Final = 16
RADIUS: Final = 6
CONTROL_HEIGHT: Final = 28
PRIMARY_HEIGHT: Final = 36
ICON_SIZE: Final = 16
THUMBNAIL: Final = 96
"""Side of a thumbnail in the gallery."""
