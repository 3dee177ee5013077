"""Every mode of Pillow in every kind of file that takes it, and every compression of TIFF: read as it is, or refused.

The oracle is what was put into the file, converted to RGB before it was written.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from core.errors import InputRefusedError
from core.images import read_image

SIDE = 32
MODES = ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "PA", "La", "RGBa", "RGBX")
SIXTEEN = ("I;16", "I;16L", "I;16B", "I;16N")
"""Their values are asked for in `test_images`: here only that they are not read as something else."""

KINDS = {"png": {}, "bmp": {}, "tiff": {}, "webp": {"lossless": True, "exact": True}}
COMPRESSIONS = (
    None, "tiff_ccitt", "group3", "group4", "tiff_jpeg", "jpeg", "tiff_adobe_deflate", "tiff_lzw", "tiff_deflate",
    "packbits", "lzma", "zstd", "webp", "tiff_thunderscan", "tiff_sgilog", "tiff_sgilog24", "tiff_raw_16",
)  # fmt: skip
LOSSY = {"tiff_jpeg", "jpeg", "webp"}


def smooth() -> Image.Image:
    """Return a picture whose halves of colour survive JPEG nearly unchanged."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] * 8
    return Image.fromarray(np.stack([np.clip(x, 0, 248), np.clip(y, 0, 248), (x + y) // 2], axis=-1).astype(np.uint8))


def picture(mode: str) -> Image.Image | None:
    """Return the picture in a mode, by way of RGB where there is no direct one; None if Pillow knows no way."""
    for way in ((), ("L",), ("RGBA",), ("LA",), ("P",)):
        found = smooth()
        try:
            for step in way:
                found = found.convert(step)
            return found.convert(mode)
        except ValueError:
            continue
    return None


def expected(image: Image.Image) -> np.ndarray | None:
    """Return what the picture looks like, its opacity dropped; None if Pillow itself does not say."""
    if image.mode in ("La", "RGBa"):
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    if image.mode in ("LAB", "I", "F", *SIXTEEN):
        return None
    return np.asarray(image.convert("RGB"))


def written(path: Path, image: Image.Image, **options: object) -> bool:
    try:
        image.save(path, **options)
    except (OSError, ValueError, KeyError, RuntimeError, SystemError):
        return False
    return path.stat().st_size > 0


def difference(path: Path, image: Image.Image) -> float | None:
    """Return the largest difference of what is read; None where it is refused, by the name of the file."""
    try:
        found = read_image(path)
    except InputRefusedError as error:
        return None if path.name in error.message else 255.0
    assert found.dtype == np.uint8
    wanted = expected(image)
    if wanted is None:
        # read as a picture, neither black nor white: that its brightness is right is tested where it is made by hand
        return 0.0 if found.std() > 10 else 255.0
    assert found.shape == wanted.shape
    return float(np.abs(found.astype(int) - wanted).max())


def test_no_mode_of_pillow_is_forgotten():
    known = {*MODES, *SIXTEEN}
    assert set(Image.MODES) - known - {"BGR;15", "BGR;16", "BGR;24"} == set()
    assert len(Image.MODES) > 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_in_every_kind_is_read_or_refused(tmp_path, mode, kind):
    image = picture(mode)
    if image is None or not written(tmp_path / f"one.{kind}", image, **KINDS[kind]):
        return  # no such file can be made, so none can be given
    with Image.open(tmp_path / f"one.{kind}") as stored:
        seen = stored.copy()
    off = difference(tmp_path / f"one.{kind}", seen if seen.mode == image.mode else image)
    assert off is None or off <= 1


def test_which_modes_are_read_from_png_and_tiff_is_no_accident(tmp_path):
    """That a test passes by refusing everything would be seen here."""
    read = {kind: [] for kind in ("png", "tiff")}
    for kind, modes in read.items():
        for mode in MODES:
            image, path = picture(mode), tmp_path / f"{mode}.{kind}"
            if image is not None and written(path, image) and difference(path, image) is not None:
                modes.append(mode)
    assert {"1", "L", "P", "RGB", "RGBA", "LA"} <= set(read["png"])
    assert {"1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "F"} <= set(read["tiff"])


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LA"])
@pytest.mark.skipif(not features.check("libtiff"), reason="Pillow was built without libtiff")
def test_every_compression_of_tiff_is_read_or_refused(tmp_path, compression, mode):
    image, path = picture(mode), tmp_path / "one.tif"
    options = {} if compression is None else {"compression": compression, "quality": 100}
    if image is None or not written(path, image, **options):
        return
    off = difference(path, image)
    assert off is None or off <= (12 if compression in LOSSY else 1)


def test_jpeg_inside_of_tiff_is_read(tmp_path):
    assert written(tmp_path / "one.tif", smooth(), compression="jpeg", quality=100)
    assert difference(tmp_path / "one.tif", smooth()) <= 12


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("tile", [None, (16, 16)])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
def test_orders_tiles_planes_and_compressions_crossed(tmp_path, order, tile, planar, compression):
    import tifffile

    wanted = np.asarray(smooth())
    stored = wanted if planar == "contig" else wanted.transpose(2, 0, 1)
    try:
        tifffile.imwrite(
            tmp_path / "one.tif", stored, byteorder=order, tile=tile, planarconfig=planar, photometric="rgb",
            compression=compression,
        )  # fmt: skip
    except (KeyError, ValueError, ImportError):
        pytest.skip("tifffile cannot write this here")
    off = difference(tmp_path / "one.tif", smooth())
    assert off is not None
    assert off <= 1
