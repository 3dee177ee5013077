"""How a valid file of some form becomes a mutated one: `Form` takes its bytes and returns others."""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable

from tests.fuzz.mutations import json_bytes, mutate_bytes, mutate_json, mutate_text
from tests.fuzz.values import Hostile

Form = Callable[[bytes, Hostile], bytes]

PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def raw(data: bytes, hostile: Hostile) -> bytes:
    """Change bytes."""
    return mutate_bytes(data, hostile)


def as_json(data: bytes, hostile: Hostile) -> bytes:
    """Change a JSON file."""
    if hostile.random.random() < 0.15:
        return mutate_bytes(data, hostile)
    return json_bytes(mutate_json(json.loads(data), hostile), hostile)


def as_lines(data: bytes, hostile: Hostile, only: tuple[str, ...] = ()) -> bytes:
    """Change one line of a file with a JSON object a line; `only` those of some types."""
    lines = data.splitlines(keepends=True)
    if hostile.random.random() < 0.15:
        return mutate_bytes(data, hostile)
    places = [n for n, line in enumerate(lines) if not only or json.loads(line).get("type") in only]
    place = hostile.random.choice(places)
    changed = json_bytes(mutate_json(json.loads(lines[place]), hostile), hostile) + b"\n"
    kind = hostile.random.randrange(8)
    if kind == 0:  # behind the valid one
        lines.insert(place + 1, changed)
    elif kind == 1:  # in another order
        lines.insert(hostile.random.randrange(len(lines)), lines.pop(place))
    elif kind == 2:
        lines.append(changed)
    else:
        lines[place] = changed
    return b"".join(lines)


def lines_of(*types: str) -> Form:
    """Return a form that changes the journal lines of some types."""
    return lambda data, hostile: as_lines(data, hostile, types)


def as_table(data: bytes, hostile: Hostile) -> bytes:
    """Change a CSV table."""
    if hostile.random.random() < 0.3:
        return mutate_bytes(data, hostile)
    text = mutate_text(data.decode(), hostile, ",")
    encoding = hostile.random.choice(("utf-8",) * 6 + ("utf-16", "utf-8-sig"))
    return text.encode(encoding, "surrogatepass")


def as_settings(data: bytes, hostile: Hostile) -> bytes:
    """Change a TOML or INI file."""
    if hostile.random.random() < 0.3:
        return mutate_bytes(data, hostile)
    return mutate_text(data.decode(), hostile, "==.,").encode("utf-8", "surrogatepass")


def as_recipe(data: bytes, hostile: Hostile) -> bytes:
    """Change the recipe inside a PNG, or the file itself, with checksums that fit."""
    chunks = list(_chunks(data))
    if hostile.random.random() < 0.15:
        return mutate_bytes(data, hostile)
    place = hostile.random.choice([n for n, (kind, body) in enumerate(chunks) if b"{" in body and b"Xt" in kind])
    kind, body = chunks[place]
    before, text = body[: body.index(b"{")], body[body.index(b"{") :]
    if hostile.random.random() < 0.15:
        place = hostile.random.randrange(len(chunks))
        chunks[place] = chunks[place][0], mutate_bytes(chunks[place][1], hostile)
    else:
        chunks[place] = kind, before + json_bytes(mutate_json(json.loads(text), hostile), hostile)
    return PNG_HEAD + b"".join(map(_chunk, chunks))


def as_safetensors(data: bytes, hostile: Hostile) -> bytes:
    """Change the header of a safetensors file, or its bytes."""
    if hostile.random.random() < 0.25:
        return mutate_bytes(data, hostile)
    size = struct.unpack("<Q", data[:8])[0]
    header = json_bytes(mutate_json(json.loads(data[8 : 8 + size]), hostile), hostile)
    said = (
        len(header) if hostile.random.random() < 0.9 else hostile.random.choice((0, 1, 2**40, 2**63, len(header) + 9))
    )
    return struct.pack("<Q", said) + header + data[8 + size :]


def as_zip(data: bytes, hostile: Hostile) -> bytes:
    """Change a member of a ZIP file, or its name, or the file itself."""
    if hostile.random.random() < 0.3:
        return mutate_bytes(data, hostile)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    place = hostile.random.randrange(len(members))
    name, content = members[place]
    if hostile.random.random() < 0.25:
        members[place] = _member_name(hostile), content
    elif hostile.random.random() < 0.15:
        members.insert(place, members[place])
    else:
        members[place] = name, _member(name, content, hostile)
    return _zipped(members, hostile)


def as_archive(data: bytes, hostile: Hostile) -> bytes:
    """Change a ZIP file as `as_zip` does, or let its directory lie about a member, or about itself."""
    if hostile.random.random() < 0.5:
        return as_zip(data, hostile)
    mark, fields = hostile.random.choice(((b"PK\x01\x02", _MEMBER_FIELDS), (b"PK\x05\x06", _END_FIELDS)))
    places = [n for n in range(len(data)) if data.startswith(mark, n)]
    changed = bytearray(data)
    for _ in range(hostile.random.choice((1, 1, 2))):
        place, (offset, size) = hostile.random.choice(places), hostile.random.choice(fields)
        value = hostile.random.choice((0, 1, 8, 9, 0xA1FF0000, 2**31, 2**32 - 1, hostile.random.getrandbits(32)))
        changed[place + offset : place + offset + size] = (value % 256**size).to_bytes(size, "little")
    return bytes(changed)


_MEMBER_FIELDS = (
    (6, 2),
    (8, 2),
    (10, 2),
    (16, 4),
    (20, 4),
    (24, 4),
    (28, 2),
    (30, 2),
    (32, 2),
    (34, 2),
    (38, 4),
    (42, 4),
)
"""Offset and bytes: version, flags (locked), method, checksum, both sizes, lengths, disk, kind of file, place."""

_END_FIELDS = ((4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2))


def _member_name(hostile: Hostile) -> str:
    text = hostile.text()[:200].encode("utf-8", "replace").decode()
    return hostile.random.choice((text, text + "/unet_NV_best.pth", "checkpoints/" + text)) or "x"


def _member(name: str, content: bytes, hostile: Hostile) -> bytes:
    if name.endswith(".npy") and hostile.random.random() < 0.7:
        return _npy(content, hostile)
    if name.endswith(".json") and hostile.random.random() < 0.7:
        return as_json(content, hostile)
    return mutate_bytes(content, hostile)


def _npy(content: bytes, hostile: Hostile) -> bytes:
    """Change the header of an array, at its length."""
    end = content.index(b"\n") + 1
    header = content[10:end].decode("latin-1")
    swaps = (
        ("'<f", "'>f"), ("<f2", "|O"), ("<f8", "|O"), ("<U", "|V"), ("False", "True"), ("(", "(1000000000000,"),
        ("(", "(-1,"), ("(", "(0,"), ("'descr'", "'x'"), ("{", "{" * 60), ("<f", "<M8[ns]"), (")", ",)"), ("f", "c"),
    )  # fmt: skip
    old, new = hostile.random.choice(swaps)
    changed = header.replace(old, new, 1).rstrip().encode("latin-1")
    changed += b" " * max(0, end - 11 - len(changed)) + b"\n"
    return content[:8] + struct.pack("<H", len(changed)) + changed + content[end:]


def _zipped(members: list[tuple[str, bytes]], hostile: Hostile) -> bytes:
    stream = io.BytesIO()
    packing = hostile.random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", packing) as archive:
        warnings.simplefilter("ignore", UserWarning)  # a name twice is meant
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = packing
            archive.writestr(info, content)
    return stream.getvalue()


def _chunks(data: bytes):
    place = len(PNG_HEAD)
    while place < len(data):
        size = struct.unpack(">I", data[place : place + 4])[0]
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        place += 12 + size


def _chunk(chunk: tuple[bytes, bytes]) -> bytes:
    kind, body = chunk
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
