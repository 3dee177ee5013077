"""What a judgement of memorisation leaves on disk: numbers, a table of pairs, and a picture of the closest ones."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from PIL import Image

from core.files.atomic import write_bytes_atomic, write_text_atomic
from core.files.text import csv_line, strict_dumps
from measures.features import Images
from measures.memorisation import Memorisation, Pair
from measures.neighbours import VIEWS, view
from measures.pictures import tile

JSON_NAME: Final = "memorisation.json"
PAIRS_NAME: Final = "memorisation_pairs.csv"
PICTURE_NAME: Final = "memorisation_pairs.png"

COLUMNS: Final = ("synthetic", "nearest_train", "nearest_heldout", "relative_distance", "flagged")
PAIRS_A_ROW: Final = 6


@dataclass(frozen=True, slots=True)
class Names:
    """What the images are called in the table, in the order in which they were judged; their indices if empty."""

    samples: Sequence[str] = ()
    train: Sequence[str] = ()
    held_out: Sequence[str] = ()


def save_memorisation(
    result: Memorisation, folder: Path, samples: Images, train: Images, names: Names | None = None, *, closest: int = 24
) -> None:
    """Write `memorisation.json`, `memorisation_pairs.csv` and `memorisation_pairs.png` into a folder.

    The picture shows the `closest` most suspicious samples, each with the training image to its right, turned as it
    resembles the sample most. It contains training photographs: mind their licence before handing it on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_text_atomic(folder / JSON_NAME, strict_dumps(result.to_json(), indent=2) + "\n")
    write_text_atomic(folder / PAIRS_NAME, _table(result.pairs, names or Names()))
    picture = io.BytesIO()
    _side_by_side(result.pairs[:closest], samples, train).save(picture, "PNG")
    write_bytes_atomic(folder / PICTURE_NAME, picture.getvalue())


def _table(pairs: Sequence[Pair], names: Names) -> str:
    lines = [csv_line(COLUMNS)]
    for pair in pairs:
        found = (
            _name(names.samples, pair.sample),
            _name(names.train, pair.train),
            _name(names.held_out, pair.held_out),
        )
        lines.append(csv_line((*found, f"{pair.relative_distance:.6g}", int(pair.flagged))))
    return "".join(lines)


def _name(names: Sequence[str], index: int) -> str:
    return names[index] if names else str(index)


def _side_by_side(pairs: Sequence[Pair], samples: Images, train: Images) -> Image.Image:
    images = list(_images(pairs, torch.as_tensor(samples), torch.as_tensor(train)))
    columns = 2 * min(PAIRS_A_ROW, len(pairs))
    return tile(torch.stack(images + [torch.full_like(images[0], 255)] * (-len(images) % columns)), columns)


def _images(pairs: Sequence[Pair], samples: torch.Tensor, train: torch.Tensor) -> Iterator[torch.Tensor]:
    for pair in pairs:
        yield samples[pair.sample]
        yield _as_turned(train[pair.train], samples[pair.sample])


def _as_turned(image: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return the view of an image that is nearest to another, pixel by pixel."""
    views = torch.stack([view(image, number) for number in range(VIEWS)])
    return views[(views.float() - like.float()).square().mean((1, 2, 3)).argmin()]
