"""PNG files that carry their own recipe and say that they are synthetic."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from core.errors import InputRefusedError
from core.files.text import strict_dumps, strict_loads
from core.images import open_picture
from core.message import Message
from dataset.recipe import PNG_KEY, Recipe, folder_name

_HEAD: Final = b"\x89PNG\r\n\x1a\n"
_TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})

XMP_KEY: Final = "XML:com.adobe.xmp"
DIGITAL_SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

_XMP_PACKET: Final = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">
   <Iptc4xmpExt:DigitalSourceType>{DIGITAL_SOURCE_TYPE}</Iptc4xmpExt:DigitalSourceType>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def encode_png(pixels: NDArray[np.uint8], recipe: Recipe) -> bytes:
    """Return a PNG file that holds the image, its recipe and its XMP marking as synthetic.

    Parameters
    ----------
    pixels
        RGB, uint8, shape (H, W, 3).

    Raises
    ------
    ValueError
        If the array has another shape or type.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
        raise ValueError(f"An image is uint8 of shape (H, W, 3), not {pixels.dtype} of shape {pixels.shape}.")
    info = PngImagePlugin.PngInfo()
    info.add_itxt(PNG_KEY, strict_dumps(recipe.to_json()))
    _mark(info)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def synthetic_mark() -> PngImagePlugin.PngInfo:
    """Return the text chunks that mark any PNG as made by a trained algorithm."""
    return _mark(PngImagePlugin.PngInfo())


def _mark(info: PngImagePlugin.PngInfo) -> PngImagePlugin.PngInfo:
    info.add_itxt(XMP_KEY, _XMP_PACKET)
    return info


def read_recipe(path: Path) -> Recipe:
    """Return the recipe inside a PNG; the pixels are not decoded.

    Raises
    ------
    InputRefusedError
        If the file is missing, is no PNG, or carries no recipe.
    """
    with open_picture(path, ("PNG",)) as image:
        text = image.info.get(PNG_KEY)
        data = None if text is None else strict_loads(text)
    if not isinstance(data, dict):
        raise InputRefusedError(
            Message("'{path}' contains no recipe.", path=path),
            remedy=Message("Only PNG files made by this program, and not edited since, hold one."),
            path=path,
        )
    return Recipe.from_json(data, path)


def as_passed_on(path: Path, data: bytes) -> bytes:
    """Return what leaves this machine of a PNG: `data`, but for a recipe that says where the models were.

    Versions before 0.2.0 wrote the absolute path, in which the name of a person often stands; the name of the folder is
    kept of it. Nothing else changes.

    Parameters
    ----------
    data
        The bytes of the file.

    Raises
    ------
    InputRefusedError
        If it is no PNG.
    """
    with open_picture(path, ("PNG",)) as image:
        text = image.info.get(PNG_KEY)
    try:
        recipe = None if text is None else strict_loads(text)
    except ValueError:
        recipe = None
    models = recipe.get("models") if isinstance(recipe, dict) else None
    if recipe is None or not isinstance(models, str) or models == folder_name(models):
        return data
    new = PngImagePlugin.PngInfo()
    new.add_itxt(PNG_KEY, strict_dumps({**recipe, "models": folder_name(models)}))
    return _HEAD + b"".join(_with_text(data, new))


def _with_text(data: bytes, new: PngImagePlugin.PngInfo) -> Iterator[bytes]:
    """Yield the chunks of a PNG, the recipe's replaced by the one in `new`, which comes behind the header."""
    for kind, content in _chunks(data):
        if kind in _TEXTS and content.partition(b"\0")[0] == PNG_KEY.encode():
            continue
        yield _chunk(kind, content)
        if kind == b"IHDR":
            yield from (_chunk(name, text) for name, text, *_ in new.chunks)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_HEAD)
    while place + 8 <= len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        place += 12 + size


def _chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
