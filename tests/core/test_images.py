"""Every mode of Pillow and every kind of TIFF: read to within 1 of 255 of the reference, or refused by name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from core.errors import InputRefusedError
from core.images import UnknownRangeError, check_intact, read_image, read_stored, to_bytes
from core.tiff import TiffPicture, read_tiff

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
    named(tmp_path / "a.tif", "2 images of the same size")


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


@pytest.mark.parametrize(
    ("high", "white"),
    [(1, 255), (255, 255), (256, 1023), (1023, 1023), (1024, 4095), (4095, 4095), (4096, 16383), (16384, 65535)],
)
def test_white_is_the_end_of_the_smallest_usual_range(high, white):
    """The values 0, the largest and half of it, by integer arithmetic: a half is rounded up."""
    for kind in (np.uint16, np.int32, np.float64):
        values = np.array([0, high // 2, high], kind)
        if kind is np.float64 and high == 1:
            white = 1
        expected = [(510 * int(value) + white) // (2 * white) for value in values]
        assert to_bytes(values).tolist() == expected


def test_floats_reach_to_1_and_wide_numbers_to_their_end():
    assert to_bytes(np.array([0.0, 0.25, 0.5, 1.0])).tolist() == [0, 64, 128, 255]
    assert to_bytes(np.array([0.0, 1.5])).tolist() == [0, 2]
    full = 2**32 - 1
    assert to_bytes(np.array([0, full // 2 + 1, full], np.uint32)).tolist() == [0, 128, 255]
    for values in (np.array([65536.0]), np.array([65536], np.uint32), np.array([2**31 - 1], np.uint32)):
        with pytest.raises(UnknownRangeError, match="no usual range"):
            to_bytes(values)
    with pytest.raises(UnknownRangeError, match="negative"):
        to_bytes(np.array([-1, 5]))
    assert to_bytes(np.empty((0, 3), np.uint16)).shape == (0, 3)


@pytest.mark.parametrize(("largest", "is_read"), [(15 * 256 + 255, False), (16 * 256, True)])
def test_colours_of_16_bits_need_12_of_them(tmp_path, largest, is_read):
    colours = (COLOUR.astype(np.uint32) * largest // COLOUR.max()).astype(np.uint16)
    path = png_of_16_bits(tmp_path / "a.png", colours)
    if is_read:
        near(path, colours // 256)
    else:
        named(path, "12 bits in 16")


def test_values_of_larger_pictures_are_not_decoded(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", GREY[:12].astype(np.uint16) * 257, photometric="minisblack")
    for allowed, is_decoded in ((12 * SIDE, True), (12 * SIDE - 1, False)):
        with (tmp_path / "a.tif").open("rb") as stream:
            found = read_tiff(stream, allowed)
        assert (found.width, found.height, found.page, found.plain, found.problem) == (SIDE, 12, 0, False, "")
        assert (found.values is not None) is is_decoded


@pytest.mark.parametrize(("written", "read"), [(0, 1), (1, 1), (8, 8), (9, 1)])
def test_an_orientation_that_there_is_not_is_upright(tmp_path, written, read):
    tag = [(274, "H", 1, written, True)]
    tifffile.imwrite(tmp_path / "a.tif", GREY.astype(np.uint16) * 257, photometric="minisblack", extratags=tag)
    with (tmp_path / "a.tif").open("rb") as stream:
        assert read_tiff(stream, 10**6).orientation == read


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_grey_of_16_bits_beside_its_opacity(tmp_path, planar):
    both = np.dstack([GREY.astype(np.uint16) * 257, np.full((SIDE, SIDE), 65535, np.uint16)])
    stored = both if planar == "contig" else np.moveaxis(both, -1, 0)
    tifffile.imwrite(
        tmp_path / "a.tif", stored, photometric="minisblack", planarconfig=planar, extrasamples=["unassalpha"]
    )
    near(tmp_path / "a.tif", GREY)


def test_which_page_is_meant_is_said_by_its_kind(tmp_path):
    def write(*kinds: int) -> None:
        with tifffile.TiffWriter(tmp_path / "a.tif") as file:
            for number, kind in enumerate(kinds):
                file.write(COLOUR if number == len(kinds) - 1 else 255 - COLOUR, photometric="rgb", subfiletype=kind)

    for kinds in ((1, 0), (1, 2)):
        write(*kinds)
        near(tmp_path / "a.tif", COLOUR)
    write(2, 0)
    named(tmp_path / "a.tif", "2 images of the same size")
    write(1)
    named(tmp_path / "a.tif", "no picture")


def test_a_changed_byte_of_a_png_is_found_and_other_kinds_are_not_looked_at(tmp_path):
    for name in ("a.png", "a.jpg"):
        Image.fromarray(COLOUR).save(tmp_path / name)
        check_intact(tmp_path / name)
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[-14] ^= 1  # of the checksum of the pixels
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(InputRefusedError):
        check_intact(tmp_path / "a.png")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-40])
    check_intact(tmp_path / "a.jpg")


def test_what_is_no_picture_is_called_what_it_is(tmp_path):
    for path, word in ((tmp_path, "is a folder"), (tmp_path / "none.png", "There is no file")):
        with pytest.raises(InputRefusedError, match=word) as refused:
            read_image(path)
        assert refused.value.path == path
    (tmp_path / "a.png").write_bytes(b"no picture")
    named(tmp_path / "a.png", "not an image file of a supported format")
    Image.new("RGB", (4, 4)).save(tmp_path / "b.png", "GIF")
    named(tmp_path / "b.png", "not an image file of a supported format")


def test_planes_of_one_grey_channel_are_no_planes(tmp_path):
    """As some cameras write it: a single channel that is said to lie in a plane of its own."""
    picture = GREY[:12].astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric="minisblack", extratags=[(285, "H", 1, 2, True)])
    page_name, planar = struct.pack("<HHI", 285, 3, 1), struct.pack("<HHI", 284, 3, 1)
    data = (tmp_path / "a.tif").read_bytes()
    assert data.count(page_name) == 1
    (tmp_path / "a.tif").write_bytes(data.replace(page_name, planar))
    near(tmp_path / "a.tif", GREY[:12])


def test_what_pillow_reads_right_is_left_to_it(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", COLOUR[:12], photometric="rgb")
    with (tmp_path / "a.tif").open("rb") as stream:
        assert read_tiff(stream, 1) == TiffPicture(0, SIDE, 12, True, None, "", False, 1)
