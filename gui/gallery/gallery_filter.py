"""Which images of the folder the gallery shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dataset.ratings import UNRATED, Rating
from gui.gallery.scan import GalleryItem

ANY: Final = ""
UNRATED_ONLY: Final = "unrated"
KEPT: Final = "kept"
REJECTED: Final = "rejected"
STARS: Final = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class GalleryFilter:
    """A choice of class, run and rating; empty means any.

    Attributes
    ----------
    rating
        ``"1"`` to ``"5"`` for at least so many stars and not rejected, or one of the words of this module.
    """

    class_code: str = ""
    run: str = ""
    rating: str = ANY

    def fits(self, item: GalleryItem, rating: Rating) -> bool:
        """Whether an image is shown."""
        return self.class_code in ("", item.class_code) and self.run in ("", item.run) and self._fits_rating(rating)

    def _fits_rating(self, rating: Rating) -> bool:
        if self.rating in STARS:
            return rating.stars >= int(self.rating) and not rating.rejected
        wanted = {UNRATED_ONLY: rating == UNRATED, KEPT: not rating.rejected, REJECTED: rating.rejected}
        return wanted.get(self.rating, True)
