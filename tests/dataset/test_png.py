"""Pictures in and out: what is written is read back, and hostile files are refused in words."""

import io
import json
import random
import struct
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from core.errors import InputRefusedError
from core.files.text import strict_dumps, strict_loads
from core.generation import PlannedImage
from core.images import read_image
from dataset import png
from dataset.png import DIGITAL_SOURCE_TYPE, encode_png, read_recipe
from tests.support.datasets import make_recipe, pixels_of

PLANNED = PlannedImage("MEL", 0, 7)


def chunks(data):
    """Slow, obvious PNG parser: [(type, content)], checksums verified."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    position, found = 8, []
    while position < len(data):
        (length,) = struct.unpack(">I", data[position : position + 4])
        kind, content = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        assert struct.unpack(">I", data[position + 8 + length : position + 12 + length])[0] == zlib.crc32(
            kind + content
        )
        found.append((kind, content))
        position += 12 + length
    return found


def international_texts(data):
    return {
        content.split(b"\0")[0].decode(): content.split(b"\0\0\0\0\0", 1)[1].decode("utf-8")
        for kind, content in chunks(data)
        if kind == b"iTXt"
    }


def test_pixels_and_recipe_come_back(tmp_path):
    recipe = make_recipe(PLANNED, models="C:\\Modèle\\模型", run_id="r1")
    path = tmp_path / "x.png"
    path.write_bytes(encode_png(pixels_of(7), recipe))
    np.testing.assert_array_equal(read_image(path), pixels_of(7))
    assert read_recipe(path) == recipe
    assert read_recipe(path).scheduler["lambda_min_clipped"] == float("-inf")


def test_the_recipe_is_strict_json_before_the_pixels():
    data = encode_png(pixels_of(7), make_recipe(PLANNED))
    kinds = [kind for kind, _ in chunks(data)]
    assert kinds.index(b"iTXt") < kinds.index(b"IDAT")
    text = international_texts(data)["isicgui:recipe"]
    parsed = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (parsed["class"], parsed["seed"], parsed["noise_hash"]) == ("MEL", 7, f"{7:016x}")


def test_the_picture_says_that_it_was_made_by_a_trained_algorithm():
    packet = international_texts(encode_png(pixels_of(7), make_recipe(PLANNED)))["XML:com.adobe.xmp"]
    tree = ElementTree.fromstring(packet)
    found = tree.find(".//{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType")
    assert found.text == DIGITAL_SOURCE_TYPE == "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def test_encoding_is_deterministic():
    assert encode_png(pixels_of(7), make_recipe(PLANNED)) == encode_png(pixels_of(7), make_recipe(PLANNED))


@pytest.mark.parametrize("pixels", [np.zeros((8, 8, 3)), np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8)])
def test_other_arrays_are_refused(pixels):
    with pytest.raises(ValueError, match="uint8"):
        encode_png(pixels, make_recipe(PLANNED))


def saved(tmp_path, name, image, **options):
    path = tmp_path / name
    image.save(path, **options)
    return path


@pytest.mark.parametrize("name", ["x.png", "x.bmp", "x.tiff"])
def test_lossless_formats_are_read_exactly(tmp_path, name):
    path = saved(tmp_path, name, Image.fromarray(pixels_of(1)))
    np.testing.assert_array_equal(read_image(path), pixels_of(1))


def test_jpeg_is_turned_upright(tmp_path):
    picture = np.zeros((16, 32, 3), np.uint8)
    picture[:, :16] = 255  # left half white
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held turned: rotate by 90 degrees clockwise to see it upright
    path = saved(tmp_path, "x.jpg", Image.fromarray(picture), exif=exif, quality=95)
    upright = read_image(path)
    assert upright.shape == (32, 16, 3)
    assert upright[:12].min() > 200
    assert upright[20:].max() < 50


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    if mode == "I;16":
        image = Image.fromarray(np.full((4, 4), 0x8012, np.uint16))
    else:
        image = Image.new("L", (4, 4), 128).convert(mode)
    found = read_image(saved(tmp_path, "x.tiff" if mode == "CMYK" else "x.png", image))
    assert found.shape == (4, 4, 3)
    assert found.dtype == np.uint8
    if mode != "1":
        assert abs(int(found[0, 0, 0]) - 128) <= 1


@pytest.mark.parametrize("read", [read_image, read_recipe])
def test_missing_files_folders_and_rubbish_are_refused_in_words(tmp_path, read):
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").touch()
    for name in ("missing.png", "text.png", "empty.png", "."):
        with pytest.raises(InputRefusedError) as refused:
            read(tmp_path / name)
        assert refused.value.remedy
        assert str(tmp_path) in refused.value.message
        assert ("is a folder" in refused.value.message) == (name == ".")


def test_formats_that_are_not_asked_for_are_not_even_tried(tmp_path):
    with pytest.raises(InputRefusedError):
        read_image(saved(tmp_path, "x.png", Image.new("RGB", (4, 4)), format="GIF"))


def test_a_picture_without_recipe_is_refused(tmp_path):
    with pytest.raises(InputRefusedError, match="contains no recipe"):
        read_recipe(saved(tmp_path, "x.png", Image.new("RGB", (4, 4))))


@pytest.mark.parametrize("text", ["[]", "{", "{}", '{"class": "MEL"}', '"x"'])
def test_a_recipe_that_is_none_is_refused(tmp_path, text):
    info = png.PngImagePlugin.PngInfo()
    info.add_itxt("isicgui:recipe", text)
    with pytest.raises(InputRefusedError):
        read_recipe(saved(tmp_path, "x.png", Image.new("RGB", (4, 4)), pnginfo=info))


def bomb(width, height):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("size", [(8000, 7000), (12_000, 9_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_decompression_bombs_are_refused_before_they_are_unpacked(tmp_path, size):
    path = tmp_path / "x.png"
    path.write_bytes(bomb(*size))
    with pytest.raises(InputRefusedError):
        read_image(path)


def corpus():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=np.uint8))
    for options in ({"format": "JPEG"}, {"format": "BMP"}, {"format": "TIFF", "compression": "tiff_lzw"}):
        buffer = io.BytesIO()
        image.save(buffer, **options)
        yield buffer.getvalue()
    yield encode_png(np.asarray(image), make_recipe(PLANNED))


def mutated(data, chance):
    data = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        where = chance.randrange(len(data))
        data[where] = chance.randrange(256)
    return bytes(data[: chance.randrange(1, len(data))]) if chance.random() < 0.2 else bytes(data)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("original", list(corpus()), ids=["jpeg", "bmp", "tiff", "png"])
def test_mutated_files_are_decoded_or_refused_and_nothing_else(tmp_path, original):
    chance, path, decoded = random.Random(1), tmp_path / "x", 0
    for _ in range(500):
        path.write_bytes(mutated(original, chance))
        for read in (read_image, read_recipe):
            try:
                read(path)
                decoded += 1
            except InputRefusedError:
                continue
    assert decoded > 0


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(plain)
def test_strict_json_gives_back_what_it_was_given(value):
    text = strict_dumps(value)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert strict_loads(text) == value
