"""Every mode of Pillow and every kind of TIFF: read to within 1 of 255 of the reference, or refused by name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.brightness import UnknownRangeError, to_bytes
from core.errors import InputRefusedError
from core.images import read_image, read_stored

SIDE = 24
GREY = np.linspace(3, 251, SIDE * SIDE).round().astype(np.uint8).reshape(SIDE, SIDE)
COLOUR = np.stack([GREY, GREY.T, GREY[::-1]], axis=2)


def near(path: Path, reference: np.ndarray, allowed: int = 1) -> None:
    found = read_image(path)
    wanted = reference if reference.ndim == 3 else np.repeat(reference[..., None], 3, axis=2)
    assert found.dtype == np.uint8
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= allowed


def named(path: Path, *words: str) -> None:
    with pytest.raises(InputRefusedError) as refused:
        read_image(path)
    assert path.name in refused.value.message
    assert refused.value.remedy
    for word in words:
        assert word in refused.value.message


def test_modes_of_png(tmp_path):
    modes = {"1": (GREY > 128) * 255, "L": GREY, "LA": GREY, "P": COLOUR, "RGB": COLOUR, "RGBA": COLOUR, "I;16": GREY}
    for mode, reference in modes.items():
        path = tmp_path / f"{mode.replace(';', '_')}.png"
        if mode == "P":
            image = Image.fromarray(COLOUR).quantize(256)
            reference = np.asarray(image.convert("RGB"))
        elif mode == "I;16":
            image = Image.fromarray(GREY.astype(np.uint16) * 257)
        elif mode == "1":
            image = Image.fromarray(GREY > 128)
        else:
            image = Image.fromarray(COLOUR if mode.startswith("RGB") else GREY).convert(mode)
        image.save(path)
        near(path, np.asarray(reference))


def test_transparency_is_dropped_and_kept_for_masks(tmp_path):
    alpha = np.where(GREY > 100, 255, 0).astype(np.uint8)
    Image.fromarray(np.dstack([COLOUR, alpha])).save(tmp_path / "a.png")
    near(tmp_path / "a.png", COLOUR)
    assert np.array_equal(read_stored(tmp_path / "a.png").alpha, alpha)


@pytest.mark.parametrize("kind", ["jpeg", "webp", "bmp"])
def test_other_formats(tmp_path, kind):
    smooth = np.asarray(Image.fromarray(COLOUR).resize((64, 64), Image.Resampling.BICUBIC))
    Image.fromarray(smooth).save(tmp_path / f"a.{kind}", **({} if kind == "bmp" else {"quality": 100}))
    near(tmp_path / f"a.{kind}", smooth, 0 if kind == "bmp" else 8)


def test_cmyk_of_a_jpeg(tmp_path):
    Image.new("CMYK", (8, 8), (0, 255, 255, 0)).save(tmp_path / "a.jpg", quality=100)
    near(tmp_path / "a.jpg", np.full((8, 8, 3), (255, 0, 0)), 3)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("order", ["<", ">"])
def test_bits_in_words_of_16(tmp_path, bits, order):
    full = 2**bits - 1
    values = (GREY.astype(float) / 255 * full).round().astype(f"{order}u2")
    values[0, 0] = full
    reference = GREY.copy()
    reference[0, 0] = 255
    tifffile.imwrite(tmp_path / "a.tif", values, byteorder=order, photometric="minisblack")
    near(tmp_path / "a.tif", reference)
    Image.fromarray(values.astype(np.uint16)).save(tmp_path / "a.png")
    near(tmp_path / "a.png", reference)


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("bits", [8, 12, 16])
@pytest.mark.parametrize("extra", [False, True])
def test_colours_of_many_bits_in_either_layout(tmp_path, planar, compression, bits, extra):
    colours = COLOUR if bits == 8 else (COLOUR.astype(float) / 255 * (2**bits - 1)).round().astype(np.uint16)
    if extra:
        colours = np.dstack([colours, np.full((SIDE, SIDE), colours.max(), colours.dtype)])
    stored = colours if planar == "contig" else np.moveaxis(colours, -1, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar, compression=compression,
        extrasamples=["unassalpha"] if extra else None,
    )  # fmt: skip
    near(tmp_path / "a.tif", COLOUR)


FLOATS = {"0 to 1": 1 / 255, "0 to 255": 1.0, "0 to 65535": 257.0}


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("factor", FLOATS.values(), ids=FLOATS.keys())
@pytest.mark.parametrize("colour", [False, True])
def test_floats(tmp_path, kind, factor, colour):
    picture = COLOUR if colour else GREY
    if kind is np.float16 and factor == 257.0:
        pytest.skip("float16 ends at 65504")
    tifffile.imwrite(tmp_path / "a.tif", (picture * factor).astype(kind), photometric="rgb" if colour else "minisblack")
    near(tmp_path / "a.tif", picture)


@pytest.mark.parametrize(
    ("kind", "factor"), [("u4", 1), ("i4", 1), ("i2", 1), ("u4", 257), ("i4", 257), ("u4", 16843009)]
)
def test_whole_numbers_of_32_bits(tmp_path, kind, factor):
    tifffile.imwrite(tmp_path / "a.tif", (GREY.astype(np.int64) * factor).astype(kind), photometric="minisblack")
    near(tmp_path / "a.tif", GREY)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_white_is_zero(tmp_path, kind):
    values = {np.uint8: 255 - GREY, np.uint16: 65535 - GREY.astype(np.uint16) * 257, np.float32: 1 - GREY / 255}[kind]
    tifffile.imwrite(tmp_path / "a.tif", values.astype(kind), photometric="miniswhite")
    near(tmp_path / "a.tif", GREY)


ODD = {
    "missing": np.where(GREY > 200, np.nan, GREY / 255).astype(np.float32),
    "negative": (GREY / 127.5 - 1).astype(np.float32),
    "negative values": (GREY.astype(np.int16) - 100),
    "no usual range": GREY.astype(np.uint32) * 4000,
    "complex": GREY.astype(np.complex64),
}


@pytest.mark.parametrize("word", ODD)
def test_values_whose_range_cannot_be_told_are_refused_by_name(tmp_path, word):
    tifffile.imwrite(tmp_path / "a.tif", ODD[word], photometric="minisblack")
    named(tmp_path / "a.tif", word)


@pytest.mark.parametrize("first", ["thumbnail", "picture"])
@pytest.mark.parametrize("marked", [True, False])
def test_a_thumbnail_is_not_the_picture(tmp_path, first, marked):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for what in ("thumbnail", "picture") if first == "thumbnail" else ("picture", "thumbnail"):
            small = what == "thumbnail"
            file.write(COLOUR[::4, ::4] if small else COLOUR, photometric="rgb", subfiletype=int(small and marked))
    near(tmp_path / "a.tif", COLOUR)


def test_several_pictures_of_one_size_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([COLOUR, COLOUR]), photometric="rgb")
    named(tmp_path / "a.tif", "2 pictures of one size")


def test_a_mask_page_beside_the_picture_is_none(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(COLOUR, photometric="rgb")
        file.write(GREY > 128, photometric="minisblack", subfiletype=4)
    near(tmp_path / "a.tif", COLOUR)


@pytest.mark.parametrize("kind", ["big", "tiles", "strips", "deflate with predictor"])
def test_layouts_of_tiff(tmp_path, kind):
    options = {
        "big": {"bigtiff": True}, "tiles": {"tile": (16, 16)}, "strips": {"rowsperstrip": 5},
        "deflate with predictor": {"compression": "zlib"},
    }  # fmt: skip
    tifffile.imwrite(tmp_path / "a.tif", COLOUR, photometric="rgb", **options[kind])
    near(tmp_path / "a.tif", COLOUR)


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_deflate", "tiff_adobe_deflate"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_what_pillow_writes(tmp_path, compression, mode):
    path = tmp_path / "a.tif"
    if mode == "1":
        image, reference = Image.fromarray(GREY > 128), (GREY > 128) * 255
    elif mode in ("I;16", "I"):
        image, reference = Image.fromarray(GREY.astype(np.uint16 if mode == "I;16" else np.int32) * 257), GREY
    elif mode == "F":
        image, reference = Image.fromarray(GREY.astype(np.float32) / 255), GREY
    else:
        image = Image.fromarray(GREY if mode in "LP" else COLOUR).convert(mode)
        reference = np.asarray(image.convert("RGB"))
    image.save(path, compression=compression)
    near(path, np.asarray(reference))


@pytest.mark.parametrize("mode", ["LAB", "YCbCr"])
def test_other_colours_of_tiff(tmp_path, mode):
    image = Image.new("LAB", (8, 8), (128, 20, 30)) if mode == "LAB" else Image.fromarray(COLOUR).convert("YCbCr")
    image.save(tmp_path / "a.tif")
    if mode == "LAB":
        named(tmp_path / "a.tif", "CIELAB")
    else:
        near(tmp_path / "a.tif", np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_orientation_is_that_of_the_8_bit_file(tmp_path, orientation, kind):
    picture = GREY[:12] if kind is np.uint8 else GREY[:12].astype(np.uint16) * 257
    tag = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric="minisblack", extratags=tag)
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(GREY[:12]).save(tmp_path / "b.png", exif=exif)
    near(tmp_path / "a.tif", read_image(tmp_path / "b.png"))


def png_of_16_bits(path: Path, colours: np.ndarray) -> Path:
    """Write a PNG with 16 bits for each of three colours, which Pillow cannot."""
    height, width = colours.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in colours)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return path


def test_png_of_16_bits_for_each_colour(tmp_path):
    near(png_of_16_bits(tmp_path / "a.png", COLOUR.astype(np.uint16) * 257), COLOUR)
    named(png_of_16_bits(tmp_path / "b.png", COLOUR.astype(np.uint16) * 16), "12 bits in 16")


def test_a_damaged_tiff_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", COLOUR, photometric="rgb")
    data = (tmp_path / "a.tif").read_bytes()
    for size in (4, 8, 12, len(data) // 2):
        (tmp_path / "b.tif").write_bytes(data[:size])
        with pytest.raises(InputRefusedError):
            read_image(tmp_path / "b.tif")


def test_bytes_and_truths_stay_what_they_are():
    assert to_bytes(GREY) is GREY
    assert to_bytes(np.array([True, False])).tolist() == [255, 0]
    assert to_bytes(np.zeros((2, 2), np.float32)).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(UnknownRangeError):
        to_bytes(np.array([np.inf]))


def test_a_tiff_whose_numbers_do_not_fit_together_is_refused(tmp_path):
    """Every single byte of the head of a 16-bit file changed: an answer or a refusal, nothing else."""
    tifffile.imwrite(tmp_path / "a.tif", COLOUR.astype(np.uint16) * 257, photometric="rgb", metadata=None)
    data = (tmp_path / "a.tif").read_bytes()
    for place in range(4, 200, 3):
        for value in (0, 1, 2, 3, 255):
            (tmp_path / "b.tif").write_bytes(data[:place] + bytes([value]) + data[place + 1 :])
            try:
                assert read_image(tmp_path / "b.tif").ndim == 3
            except InputRefusedError:
                continue
