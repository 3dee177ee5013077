"""Archives and folders from elsewhere: what is taken, what is refused by name, and what never happens."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from core.cancel import CancelToken
from core.errors import ArchiveError, ChecksumError, ModelMissingError, UsageError
from core.models.discovery import discover
from download.install import Installation
from download.members import Member, Offer, class_of, in_archive, open_archive, wanted, why_unsafe
from download.request import Extracting, Installed, Refused, Verifying
from download.source import LocalSource, local_source
from tests.download.conftest import STATISTICS, end, hostile_pickle, leftovers, pack
from tests.support.tiny_classifier import write_random_resnet
from tests.support.tiny_models import write_tiny_checkpoint


def saved(path: Path, data: bytes) -> LocalSource:
    path.write_bytes(data)
    return local_source(path)


def refusals(events) -> dict[str, str]:
    return {event.member: event.message for event in events if isinstance(event, Refused)}


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".download")


@pytest.fixture(scope="module")
def originals(tmp_path_factory) -> Path:
    """What the predecessor's archive holds, with one of its seven networks; read-only."""
    folder = tmp_path_factory.mktemp("originals") / "checkpoints"
    write_tiny_checkpoint(folder, "MEL", dialect="old")
    write_random_resnet(folder / "classifier.pth")
    (folder / "color_statistics.json").write_text(STATISTICS)
    return folder


def test_the_originals_are_usable_afterwards(originals, bring_it, target, tmp_path):
    archive = tmp_path / "models_checkpoints.zip"
    with zipfile.ZipFile(archive, "w") as stream:
        for path in originals.iterdir():
            stream.write(path, f"checkpoints/{path.name}")
    events = bring_it(local_source(archive))
    assert end(events).status == "complete"
    assert end(events).classes == ("MEL",)
    assert discover(target).available == ("MEL",)
    assert discover(target).color_statistics == target / "color_statistics.json"
    assert (target / "unet_MEL_best.pth").read_bytes() == (originals / "unet_MEL_best.pth").read_bytes()
    done = [event.done for event in events if isinstance(event, Extracting)]
    assert done == sorted(done)
    assert done[-1] == sum(path.stat().st_size for path in originals.iterdir())
    assert leftovers(target) == []
    assert archive.is_file(), "what the user has is not touched"

    again = bring_it(local_source(archive))
    assert end(again).status == "already"
    assert {type(event) for event in again[:-1]} == {Verifying}

    folder = bring_it(local_source(originals.parent))
    assert end(folder).status == "already"
    assert not [event for event in folder if isinstance(event, Verifying)], "checked before, not read as weights again"


def test_a_folder_is_taken_with_the_same_checks(originals, bring_it, target, tmp_path):
    folder = tmp_path / "usb stick ж"
    folder.mkdir()
    os.link(originals / "unet_MEL_best.pth", folder / "UNET_mel_BEST.pth")
    (folder / "unet_NV_best.pth").write_bytes(b"PK\x03\x04 too short")
    (folder / "holiday.jpg").write_bytes(b"jpg")
    events = bring_it(local_source(folder))
    assert end(events).status == "partial"
    assert list(refusals(events)) == ["unet_NV_best.pth"]
    assert names_in(target) == ["isicgui-models.json", "unet_MEL_best.pth"]
    assert discover(target).available == ("MEL",)


def test_what_is_refused_is_named_and_the_good_ones_are_kept(bring_it, target, tmp_path):
    marker = tmp_path / "marker"
    nan = io.BytesIO()
    torch.save({"conv_in.weight": torch.full((64, 3, 3, 3), float("nan"))}, nan)
    files = {
        "color_statistics.json": STATISTICS,
        "a/unet_MEL_best.pth": hostile_pickle(marker),
        "a/unet_NV_best.pth": b"<!DOCTYPE html><html>quota</html>",
        "a/unet_BCC_best.pth": nan.getvalue(),
        "a/unet_DF_best.pth": b"",
        "classifier.pth": hostile_pickle(marker),
        "unet_XYZ_best.pth": b"no such class",
        "readme.txt": b"hello",
    }
    events = bring_it(saved(tmp_path / "mixed.zip", pack(files)))
    said = refusals(events)
    assert set(said) == {"a/unet_MEL_best.pth", "a/unet_NV_best.pth", "a/unet_BCC_best.pth", "a/unet_DF_best.pth",
                         "classifier.pth"}  # fmt: skip
    assert "asks for code to be run" in said["a/unet_MEL_best.pth"]
    assert "web page" in said["a/unet_NV_best.pth"]
    assert "NaN" in said["a/unet_BCC_best.pth"]
    assert not marker.exists()
    assert str(target) not in "".join(said.values()), "where it was looked at is nobody's business"
    assert end(events).status == "partial"
    assert end(events).files == ("color_statistics.json",)
    assert names_in(target) == ["color_statistics.json", "isicgui-models.json"]


def test_the_marker_would_appear_if_the_pickle_ran(tmp_path):
    import pickle

    pickle.loads(hostile_pickle(tmp_path / "marker"))
    assert (tmp_path / "marker").exists()


def test_an_archive_of_which_nothing_can_be_used_says_so(bring_it, target, tmp_path):
    events = bring_it(saved(tmp_path / "bad.zip", pack({"unet_MEL_best.pth": b"nothing"})))
    assert end(events).status == "refused"
    assert end(events).files == ()
    assert names_in(target) == []


@pytest.mark.parametrize(
    "name",
    ["../unet_MEL_best.pth", "a/../../unet_MEL_best.pth", "/etc/unet_MEL_best.pth", "C:/unet_MEL_best.pth",
     "..\\unet_MEL_best.pth", "a\\unet_MEL_best.pth", "\\\\host\\share\\unet_MEL_best.pth", "con/unet_MEL_best.pth",
     "nul.txt/unet_MEL_best.pth", "AUX ./unet_MEL_best.pth", "x\nunet_MEL_best.pth", "a" * 2000 + "/unet_MEL_best.pth",
     "unet_MEL_best.pth\x00.txt"],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused_by_name(bring_it, target, tmp_path, name):
    before = set(tmp_path.rglob("*"))
    source = saved(tmp_path / "evil.zip", _with_raw_name(name))
    events = bring_it(source)
    (said,) = refusals(events).values()
    assert "is not imported: " in said, "by its name, not by what it holds"
    assert end(events).files == ("color_statistics.json",)
    assert set(tmp_path.rglob("*.pth")) - before == set()
    assert "\x00" not in "".join(refusals(events))


def _with_raw_name(name: str) -> bytes:
    """An archive whose member has exactly that name: zipfile itself would mend some of them."""
    stand_in = "x" * len(name.encode())
    data = pack({stand_in: b"weights", "color_statistics.json": STATISTICS})
    return data.replace(stand_in.encode(), name.encode())


def test_links_are_refused(bring_it, target, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("color_statistics.json")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    events = bring_it(saved(tmp_path / "link.zip", buffer.getvalue()))
    assert "link" in refusals(events)["color_statistics.json"]
    assert names_in(target) == []


def test_two_files_of_one_name_are_both_refused(bring_it, tmp_path):
    data = pack({"a/color_statistics.json": STATISTICS, "b/Color_Statistics.JSON": STATISTICS.replace("180", "1")})
    events = bring_it(saved(tmp_path / "twice.zip", data))
    assert "a/color_statistics.json, b/Color_Statistics.JSON" in refusals(events)["color_statistics.json"]
    assert end(events).status == "refused"


def test_a_bomb_is_refused_before_it_is_unpacked(bring_it, target, tmp_path):
    events = bring_it(saved(tmp_path / "bomb.zip", pack({"unet_MEL_best.pth": bytes(50_000_000)})))
    assert "times its size" in refusals(events)["unet_MEL_best.pth"]
    assert not [event for event in events if isinstance(event, Extracting)]


def test_a_bomb_that_lies_about_its_size_is_cut_off(bring_it, target, tmp_path, monkeypatch):
    written = []
    real = Path.open
    monkeypatch.setattr(Path, "open", lambda path, *a, **k: written.append(path) or real(path, *a, **k))
    data = bytearray(pack({"unet_MEL_best.pth": bytes(50_000_000)}))
    entry = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, entry + 24, 20_000)  # the directory's uncompressed size
    struct.pack_into("<I", data, 22, 20_000)
    events = bring_it(saved(tmp_path / "liar.zip", bytes(data)))
    assert "damaged" in refusals(events)["unet_MEL_best.pth"]
    assert names_in(target) == []
    assert any(path.name == "unet_MEL_best.pth" for path in written), "the test must have got as far as unpacking"
    assert max((event.done for event in events if isinstance(event, Extracting)), default=0) <= 20_000


def test_a_file_that_grows_while_it_is_read_is_cut_off(tmp_path):
    read = []

    class Endless(io.RawIOBase):
        def read(self, size=-1):
            read.append(size)
            return bytes(size)

    offer = Offer((Member("x", "unet_MEL_best.pth", 3_000_000, Endless),), ())
    installation = Installation(tmp_path / "models", tmp_path / "models" / "unpacked")
    (refused,) = (e for e in installation.put(offer, CancelToken()) if isinstance(e, Refused))
    assert "damaged" in refused.message
    assert sum(read) <= 4 * 1024**2
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize(
    ("limit", "value", "words"), [("MAX_MEMBERS", 3, "4 files"), ("MAX_TOTAL", 100, "would unpack to")]
)
def test_limits_of_the_whole_archive(bring_it, target, tmp_path, monkeypatch, limit, value, words):
    monkeypatch.setattr(f"download.members.{limit}", value)
    data = pack({"color_statistics.json": STATISTICS, "a": b"", "b": b"", "c": b""})
    with pytest.raises(ArchiveError, match=words):
        bring_it(saved(tmp_path / "many.zip", data))
    assert names_in(target) == []


def test_a_member_larger_than_any_model_is_refused_by_its_header(tmp_path, monkeypatch):
    monkeypatch.setattr("download.members.MAX_BYTES", 100)
    with open_archive(_file(tmp_path, pack({"color_statistics.json": STATISTICS}))) as archive:
        assert "far more than any model" in in_archive(archive, tmp_path).refused[0][1]


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "archive.zip"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_archive_is_refused_whole(bring_it, target, tmp_path, small, part):
    with pytest.raises(ArchiveError, match="ends too early") as refusal:
        bring_it(saved(tmp_path / "cut.zip", small[: int(len(small) * part)]))
    assert refusal.value.exit_code == 3
    assert names_in(target) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"", "no zip archive"), (b"<html>no quota", "a web page"), (b"Rar!\x1a\x07", "no zip archive"),
     (pack({"holiday.jpg": b"x"}), "holds none of the files"), (pack({}), "holds none of the files")],
)  # fmt: skip
def test_what_is_no_archive_of_models_is_refused_in_words(bring_it, tmp_path, data, words):
    with pytest.raises(ArchiveError, match=words):
        bring_it(saved(tmp_path / "x.zip", data))


@pytest.mark.parametrize("place", [0.2, 0.4, 0.6])
def test_a_damaged_member_is_refused_and_the_others_are_taken(bring_it, tmp_path, place):
    good = pack({"unet_MEL_best.pth": os.urandom(400_000), "color_statistics.json": STATISTICS})
    broken = bytearray(good)
    broken[int(len(good) * place)] ^= 0xFF
    events = bring_it(saved(tmp_path / "damaged.zip", bytes(broken)))
    assert "damaged" in refusals(events)["unet_MEL_best.pth"]
    assert end(events).files == ("color_statistics.json",)


def test_a_name_that_is_no_text_is_damage(bring_it, tmp_path):
    """Its own header calls the name UTF-8; the directory at the end, by which it is chosen, does not."""
    data = bytearray(pack({"color_statistics.json": STATISTICS}))
    data[6:8] = struct.pack("<H", 0x800)
    data[30] = 0x80
    events = bring_it(saved(tmp_path / "odd.zip", bytes(data)))
    assert "damaged" in refusals(events)["color_statistics.json"]


def test_a_password_and_a_strange_method_are_told(bring_it, tmp_path):
    data = bytearray(pack({"color_statistics.json": STATISTICS}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    events = bring_it(saved(tmp_path / "locked.zip", bytes(data)))
    assert "password" in refusals(events)["color_statistics.json"]
    events = bring_it(saved(tmp_path / "lzma.zip", pack({"color_statistics.json": STATISTICS}, zipfile.ZIP_LZMA)))
    assert "method" in refusals(events)["color_statistics.json"]


def test_an_older_file_of_that_name_is_renamed_never_overwritten(bring_it, target, tmp_path):
    target.mkdir()
    (target / "color_statistics.json").write_text("mine")
    events = bring_it(saved(tmp_path / "x.zip", pack({"color_statistics.json": STATISTICS})))
    (installed,) = (event for event in events if isinstance(event, Installed))
    assert installed.replaced is not None
    assert installed.replaced.read_text() == "mine"


def test_a_checksum_is_compared_before_anything_is_unpacked(bring_it, target, tmp_path):
    path = _file(tmp_path, pack({"color_statistics.json": STATISTICS}))
    with pytest.raises(ChecksumError):
        bring_it(local_source(path, "0" * 64))
    assert names_in(target) == []


def test_the_models_folder_is_not_imported_into_itself(bring_it, target):
    target.mkdir()
    (target / "color_statistics.json").write_text(STATISTICS)
    with pytest.raises(UsageError, match="the models folder itself"):
        bring_it(local_source(target))


def test_what_is_not_there_is_refused_and_what_makes_no_sense_is_wrong_usage(tmp_path):
    with pytest.raises(ModelMissingError, match="nothing at"):
        local_source(tmp_path / "gone.zip")
    with pytest.raises(UsageError, match="folder has no checksum"):
        local_source(tmp_path, "0" * 64)
    with pytest.raises(UsageError, match="is no SHA-256"):
        local_source(tmp_path, "12345678")


@pytest.mark.parametrize(
    ("name", "kept"),
    [("unet_MEL_best.pth", "unet_MEL_best.pth"), ("x/y/UNET_vasc_BEST.PTH", "unet_VASC_best.pth"),
     ("unet_NV_best.safetensors", "unet_NV_best.safetensors"), ("unet_NV_epoch_05.pth", None),
     ("unet_FOO_best.pth", None), ("Classifier.pth", "classifier.pth"), ("classifier.pth.bak", None),
     ("__MACOSX/._unet_MEL_best.pth", None)],
)  # fmt: skip
def test_which_files_are_taken(name, kept):
    assert wanted(name) == kept


def test_names_of_honest_archives_are_safe():
    for name in ("checkpoints/unet_MEL_best.pth", "a b/ü/ж.pth", "console/unet_MEL_best.pth", "communication.txt"):
        assert why_unsafe(name) is None
    assert class_of("color_statistics.json") is None
