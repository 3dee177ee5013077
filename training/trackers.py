"""What a training run writes down while it runs: always JSON lines and a CSV table, TensorBoard or W&B if wanted."""

from __future__ import annotations

import json
import logging
import math
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Protocol

import numpy as np
import numpy.typing as npt

from core.errors import UsageError
from core.files.atomic import write_text_atomic
from core.files.opening import read_regular
from core.files.text import csv_line
from core.message import Message

TrackerKind = Literal["tensorboard", "wandb", "none"]
logger = logging.getLogger(__name__)

Value = float | int | str | None
Picture = npt.NDArray[np.uint8]

LOG_FILE: Final = "log.jsonl"
TABLE_FILE: Final = "training_history.csv"
WANDB_ID_FILE: Final = "wandb_id.txt"

_ID: Final = re.compile(r"[0-9a-f]{16}")
_ID_BYTES: Final = 16


class Tracker(Protocol):
    """A service that draws curves: TensorBoard, W&B."""

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Note numbers at a step."""

    def image(self, step: int, name: str, pixels: Picture) -> None:
        """Note a picture (H, W, 3)."""

    def close(self) -> None:
        """Write out what is still buffered."""


class RunLog:
    """The log of one run: `log.jsonl` and `training_history.csv` in its folder, and one tracker if there is one.

    Parameters
    ----------
    columns
        Every name that `log` will ever be given; the columns of the table after the step.
    step_name
        What the steps count.
    """

    def __init__(
        self, folder: Path, columns: Sequence[str], step_name: str = "images", tracker: Tracker | None = None
    ) -> None:
        self._lines, self._table = folder / LOG_FILE, folder / TABLE_FILE
        self._columns, self._step_name, self._tracker = (step_name, *columns), step_name, tracker

    def __enter__(self) -> RunLog:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def log(self, step: int, **values: Value) -> None:
        """Append one row; a column that is not given, or is no finite number, stays empty."""
        row = {self._step_name: step, **{name: _finite(value) for name, value in values.items()}}
        table = self._csv([row], header=not self._table.exists())
        _append(self._lines, json.dumps(row) + "\n")
        _append(self._table, table)
        if self._tracker is not None:
            self._tracker.scalars(
                step, {n: float(value) for n, value in row.items() if isinstance(value, (int, float))}
            )

    def image(self, step: int, name: str, pixels: Picture) -> None:
        """Show a picture (H, W, 3) in the tracker; the run saves its own copy itself."""
        if self._tracker is not None:
            self._tracker.image(step, name, pixels)

    def rewind(self, step: int) -> None:
        """Forget the rows after `step` and a half-written last one: a resumed run will write them again."""
        rows = [self._known(row) for row in read_log(self._lines) if _is_by(row.get(self._step_name), step)]
        write_text_atomic(self._lines, "".join(json.dumps(row) + "\n" for row in rows))
        write_text_atomic(self._table, self._csv(rows, header=True))

    def close(self) -> None:
        """Close the tracker."""
        if self._tracker is not None:
            self._tracker.close()

    def _known(self, row: Mapping[str, Value]) -> dict[str, Value]:
        return {name: _finite(value) for name, value in row.items() if name in self._columns}

    def _csv(self, rows: Sequence[Mapping[str, Value]], *, header: bool) -> str:
        if unknown := {name for row in rows for name in row} - {*self._columns}:
            raise ValueError(f"The table has no column {', '.join(sorted(unknown))}.")
        head = [csv_line(self._columns)] if header else []
        return "".join((*head, *(csv_line(row.get(name, "") for name in self._columns) for row in rows)))


def open_run_log(
    folder: Path,
    kind: TrackerKind = "tensorboard",
    *,
    columns: Sequence[str],
    step_name: str = "images",
    config: Mapping[str, Any] | None = None,
    resume_at: int | None = None,
) -> RunLog:
    """Open the log of a run.

    Parameters
    ----------
    kind
        Where curves are drawn besides the two files. TensorBoard that is not installed is left out with a warning.
    config
        The run's settings, shown by W&B.
    resume_at
        The step of the checkpoint that the run continues from, or None for a new run: later rows are dropped.

    Raises
    ------
    UsageError
        If W&B is asked for and not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = RunLog(folder, columns, step_name, _open_tracker(folder, kind, config or {}, resume_at))
    if resume_at is not None:
        log.rewind(resume_at)
    return log


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a `log.jsonl`; damaged lines, such as one that was cut off by a kill, are ignored.

    Raises
    ------
    DamagedFileError
        If the file is no regular one, absurdly large, or cannot be read.
    """
    from core.files.reading import MAX_LINES_FILE_BYTES, Line, parse_json_lines, read_input

    try:
        raw = read_input(path, what="a training's log", limit=MAX_LINES_FILE_BYTES)
    except FileNotFoundError:
        return []
    lines: Iterator[Line[dict[str, Value]]] = parse_json_lines(raw, dict[str, Value])
    return [line.value for line in lines if line.value is not None]


def _is_by(value: Value, step: int) -> bool:
    return isinstance(value, int | float) and value <= step


class TensorBoardTracker:
    """Event files in `<run>/tensorboard`."""

    def __init__(self, folder: Path, resume_at: int | None) -> None:
        from torch.utils.tensorboard import SummaryWriter

        purge = None if resume_at is None else resume_at + 1
        self._writer: Any = SummaryWriter(str(folder / "tensorboard"), purge_step=purge)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Note numbers at a step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def image(self, step: int, name: str, pixels: Picture) -> None:
        """Note a picture (H, W, 3)."""
        self._writer.add_image(name, pixels, step, dataformats="HWC")

    def close(self) -> None:
        """Write out what is still buffered."""
        self._writer.close()


class WandbTracker:
    """A W&B run named like the run's folder and the one around it; a resumed run continues it."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        self._wandb: Any = import_module("wandb")  # no requirement of this program: whoever wants it installs it
        self._run: Any = self._wandb.init(
            project="isicgui",
            name="/".join(folder.resolve().parts[-2:]),
            id=_wandb_id(folder),
            dir=str(folder),
            config=dict(config),
            resume="allow",
        )

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Note numbers at a step."""
        self._run.log(dict(values), step=step)

    def image(self, step: int, name: str, pixels: Picture) -> None:
        """Note a picture (H, W, 3)."""
        self._run.log({name: self._wandb.Image(pixels)}, step=step)

    def close(self) -> None:
        """Write out what is still buffered."""
        self._run.finish()


def _wandb_id(folder: Path) -> str:
    """Return the run's own id, drawn once and kept in its folder: names such as `fold_0` come again in every run."""
    note = folder / WANDB_ID_FILE
    with suppress(OSError):
        known = read_regular(note, _ID_BYTES).decode("ascii", "replace")
        if _ID.fullmatch(known):
            return known
    drawn = secrets.token_hex(_ID_BYTES // 2)
    write_text_atomic(note, drawn)
    return drawn


def _open_tracker(folder: Path, kind: TrackerKind, config: Mapping[str, Any], resume_at: int | None) -> Tracker | None:
    if kind == "wandb":
        if find_spec("wandb") is None:
            raise UsageError(
                Message("Weights & Biases was requested, but the package wandb is not installed."),
                remedy=Message("Install it with 'pip install wandb', or leave --tracker out."),
            )
        return WandbTracker(folder, config)
    if kind == "tensorboard" and find_spec("tensorboard") is None:
        logger.warning("TensorBoard is not installed: curves are written to %s only.", TABLE_FILE)
        return None
    return TensorBoardTracker(folder, resume_at) if kind == "tensorboard" else None


def _finite(value: Value) -> Value:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as stream:
        stream.write(text)
