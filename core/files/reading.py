"""Reading what somebody else may have written: JSON by a schema, with one typed error for everything that is wrong.

A schema is a pydantic model derived from `Schema`, or any type that pydantic can check. It is strict (a number in
quotes is no number), its numbers are finite, and keys that it does not know are left to newer versions.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.errors import InputRefusedError
from core.files.opening import FileTooLargeError, NotRegularFileError, read_regular
from core.message import Message
from core.taxonomy import CLASS_INDEX

MAX_JSON_BYTES: Final = 64 * 1024**2
"""Of one JSON file; the largest that the program writes itself hold a few megabytes."""

MAX_LINE_BYTES: Final = 256 * 1024**2
"""Of one line of a file with a JSON object a line: the largest run is planned in one line of 200 MB."""

MAX_LINES_FILE_BYTES: Final = 4 * 1024**3
"""Of one file with a JSON object a line: the journal of ten million images."""

T = TypeVar("T")


class Schema(BaseModel):
    """Base of all schemas: strict, finite, frozen; unknown keys are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class DamagedFileError(InputRefusedError):
    """A file that is there and does not hold what its kind holds."""

    kind = "damaged_file"


def _known_class(code: str) -> str:
    if code not in CLASS_INDEX:
        raise ValueError(f"{code!r} is no class")
    return code


def _plain_name(name: str) -> str:
    size = len(name.encode("utf-8", "surrogatepass"))
    if name in ("", ".", "..") or any(sign in name for sign in "/\\:\0") or size > 255:
        raise ValueError("it is no plain file name")
    return name


ClassCode = Annotated[str, AfterValidator(_known_class)]
"""One of the seven codes."""

FileName = Annotated[str, AfterValidator(_plain_name)]
"""A name without a folder in it, on every system."""

Whole = Annotated[int, Field(ge=0, le=2**53)]
"""A whole number that every JSON reader keeps exactly."""

Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]

Time = Annotated[float, Field(ge=0, le=253_402_300_799.0)]
"""Seconds since the epoch, up to the year 9999."""

Share = Annotated[float, Field(ge=0, le=1)]

Text = Annotated[str, Field(max_length=4096)]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def parse_json(data: bytes | str, schema: type[T] | Any, *, what: str, path: Path | None = None) -> T:
    """Return `data` as an object of `schema`.

    Parameters
    ----------
    what
        What the data should be, for the message ("a recipe").

    Raises
    ------
    DamagedFileError
        If it is no JSON, nested too deep, or not what the schema asks for.
    """
    try:
        checked: T = _validate(_adapter(schema), data)
    except ValidationError as error:
        raise damaged(path, what, first_problem(error)) from error
    return checked


def check_object(data: Any, schema: type[T] | Any, *, what: str, path: Path | None = None) -> T:
    """Return an object that came by other ways than JSON text (TOML, a pipe) as one of `schema`; see `parse_json`."""
    try:
        checked: T = _adapter(schema).validate_python(data)
    except ValidationError as error:
        raise damaged(path, what, first_problem(error)) from error
    return checked


def read_json(path: Path, schema: type[T] | Any, *, what: str, limit: int = MAX_JSON_BYTES, follow: bool = True) -> T:
    """Read a JSON file, UTF-8 with or without a byte order mark, as an object of `schema`.

    Raises
    ------
    FileNotFoundError
        If there is no file; callers differ in what that means.
    DamagedFileError
        If it is no regular file, too large, unreadable, or not what the schema asks for.
    """
    data = read_input(path, what=what, limit=limit, follow=follow)
    checked: T = parse_json(data.removeprefix(b"\xef\xbb\xbf"), schema, what=what, path=path)
    return checked


def read_input(path: Path, *, what: str, limit: int = MAX_JSON_BYTES, follow: bool = True) -> bytes:
    """Return the bytes of a regular file of limited size.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    DamagedFileError
        If it is no regular file, too large or unreadable.
    """
    try:
        return read_regular(path, limit, follow=follow)
    except FileNotFoundError:
        raise
    except (NotRegularFileError, FileTooLargeError) as error:
        raise damaged(path, what, str(error.strerror)) from error
    except OSError as error:
        raise damaged(path, what, f"the system reports: {error.strerror or error}") from error
    except ValueError as error:  # a path with a zero byte
        raise damaged(path, what, str(error)) from error


@dataclass(frozen=True)
class Line(Generic[T]):
    """One line of a file with a JSON object a line.

    Attributes
    ----------
    number
        1-based.
    value
        What it holds, or None where it is damaged.
    problem
        What is wrong with it; "" if nothing is.
    """

    number: int
    value: T | None
    problem: str = ""


def parse_json_lines(raw: bytes, schema: type[T] | Any) -> Iterator[Line[T]]:
    """Yield every line of `raw` that is not blank; damaged ones are told, never raised."""
    adapter = _adapter(schema)
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        if len(line) > MAX_LINE_BYTES:
            yield Line(number, None, f"it holds {len(line):,} bytes")
            continue
        try:
            yield Line(number, _validate(adapter, line))
        except ValidationError as error:
            yield Line(number, None, first_problem(error))


def first_problem(error: ValidationError) -> str:
    """Return the first thing that is wrong, as in ``counts.MEL: Input should be a valid integer``."""
    found = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in found["loc"])[:200]
    text = str(found["msg"]).removeprefix("Value error, ")[:300]
    return f"{where}: {text}" if where else text


def _validate(adapter: TypeAdapter[Any], data: bytes | str) -> Any:
    """Check JSON text; names of files that are no UTF-8 stand in it as surrogates, which pydantic does not read."""
    try:
        return adapter.validate_json(data, strict=True)
    except ValidationError:
        if (b"\\ud" if isinstance(data, bytes) else "\\ud") not in data:  # type: ignore[operator]
            raise
        try:
            content = json.loads(data)
        except (ValueError, RecursionError):
            content = None
        if content is None:
            raise
        return adapter.validate_python(content, strict=True)


def _adapter(schema: Any) -> TypeAdapter[Any]:
    return _made_adapter(schema)


@functools.cache
def _made_adapter(schema: Any) -> TypeAdapter[Any]:
    return TypeAdapter(schema)


def damaged(path: Path | None, what: str, why: str) -> DamagedFileError:
    """Return the error that says of a file, or of data without one, that it is not `what`, and why."""
    if path is None:
        return DamagedFileError(
            Message("This is not {what}: {why}.", what=what, why=why.rstrip(".")),
            remedy=Message("Use a file that this program has written, and that was not edited since."),
        )
    return DamagedFileError(
        Message("'{path}' cannot be read as {what}: {why}.", path=path, what=what, why=why.rstrip(".")),
        remedy=Message("Restore the file from a copy, or move it away."),
        path=path,
    )
