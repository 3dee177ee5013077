"""How many photographs the lesions of HAM10000 have: its metadata without any photograph.

The rows of six classes were counted in the data set's metadata. The NV row is what its published totals leave (10,015
photographs of 7,470 lesions, 1,956 of them with several, 6 at most; 6,705 photographs of NV): 4,415 lesions with one
and 988 with 2,290. How those 988 share 2..6 out hardly matters: the expected leak of the whole set is 38.1 % at one
extreme and 38.7 % at the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from photographs.labelled import LabelledImage

LESIONS: Final[dict[str, dict[int, int]]] = {
    "MEL": {1: 230, 2: 278, 3: 100, 4: 4, 5: 1, 6: 1},
    "NV": {1: 4415, 2: 699, 3: 268, 4: 18, 5: 2, 6: 1},
    "BCC": {1: 175, 2: 118, 3: 33, 4: 1},
    "AKIEC": {1: 151, 2: 57, 3: 18, 4: 2},
    "BKL": {1: 440, 2: 220, 3: 55, 4: 8, 5: 2, 6: 2},
    "DF": {1: 39, 2: 26, 3: 8},
    "VASC": {1: 64, 2: 25, 3: 8, 4: 1},
}
"""Class -> photographs of a lesion -> number of such lesions."""


def ham10000_images() -> list[LabelledImage]:
    """Return 10,015 images of 7,470 lesions; there are no files."""
    return [
        LabelledImage(f"{code}_{views}_{lesion}_{view}", code, f"{code}_{views}_{lesion}", "", Path("none.jpg"))
        for code, sizes in LESIONS.items()
        for views, lesions in sizes.items()
        for lesion in range(lesions)
        for view in range(views)
    ]
