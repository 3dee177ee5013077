"""The licence of a trained model: that of its training photographs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNKNOWN: Final = "unknown"
HAM10000_FORMS: Final = frozenset({"ham10000", "isic2018"})
"""Kinds of data folders that are recognised as HAM10000 or ISIC 2018 Task 3."""

HAM10000_CREDIT: Final = """\
HAM10000 / ISIC 2018 Task 3, "ViDIR Group, Department of Dermatology, Medical University of Vienna".

- Tschandl P, Rosendahl C, Kittler H. The HAM10000 dataset, a large collection of multi-source dermatoscopic images of
  common pigmented skin lesions. Scientific Data 5:180161 (2018). doi:10.1038/sdata.2018.161
- Codella N, Rotemberg V, Tschandl P, et al. Skin Lesion Analysis Toward Melanoma Detection 2018. arXiv:1902.03368
  (2019)"""


@dataclass(frozen=True, slots=True)
class Licence:
    """The licence of the training data, which the weights inherit.

    Attributes
    ----------
    name
        Such as `CC BY-NC 4.0`, or `unknown`.
    credit
        Whom to credit, as Markdown; empty if nobody is named.
    """

    name: str = UNKNOWN
    credit: str = ""

    @property
    def sentence(self) -> str:
        """What the reader of a model card has to know about the licence."""
        if self.name == UNKNOWN:
            return (
                "**The licence of the training photographs is unknown, and so is that of these weights: ask before you "
                "share them.**"
            )
        return f"The weights inherit the licence of the training photographs: **{self.name}**."


def licence_of(kind: str, name: str = UNKNOWN, credit: str = "", *, stated: Licence = Licence()) -> Licence:
    """Return the licence of a data folder.

    Parameters
    ----------
    kind
        The recognised form of the folder (`Photographs.kind`).
    name, credit
        What the settings say; they win over everything else.
    stated
        What the data set's own table says (`Photographs.terms`); it wins over what the form implies.
    """
    if name == UNKNOWN and stated.name == UNKNOWN and kind in HAM10000_FORMS:
        return Licence("CC BY-NC 4.0 (non-commercial, credit required)", credit or stated.credit or HAM10000_CREDIT)
    return Licence(stated.name if name == UNKNOWN else name, credit or stated.credit)
