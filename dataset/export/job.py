"""An export as a job: look at the pictures, plan, and write, or only say what would be written."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from core.cancel import CancelToken
from core.errors import InputRefusedError
from core.events import Event, Notice
from core.jobs.stream import stream
from core.message import Message
from dataset.export.events import ExportPlanned, LeftOut
from dataset.export.plan import ExportPlan, check_plan, plan_export
from dataset.export.request import ExportRequest
from dataset.export.writing import export


def run_export(request: ExportRequest, cancel: CancelToken) -> Iterator[Event]:
    """Carry an export out, whole or not at all.

    Yields
    ------
    Event
        How far the look at the pictures is, what stays away, and then the plan of a preview, or what `export` yields.

    Raises
    ------
    InputRefusedError, UsageError, OutputError, DiskFullError
        If it cannot be carried out; also if the pictures are not what was agreed to.
    JobStopped
        If it was stopped before anything was written.
    """
    plan = yield from stream(lambda context: plan_export(request.output, request.options, context), cancel)
    yield from (LeftOut(item.path, item.reason) for item in plan.left_out)
    if request.preview:
        yield from (Notice("export", warning) for warning in plan.warnings)
        yield _planned(plan)
        check_plan(plan)
        return
    if request.expected not in ("", plan.fingerprint):
        raise InputRefusedError(
            Message("'{path}' has changed since the export was planned; nothing was exported.", path=plan.output),
            remedy=Message("Export again."),
            path=plan.output,
        )
    yield from export(plan, cancel)


def _planned(plan: ExportPlan) -> ExportPlanned:
    return ExportPlanned(
        output=plan.output,
        options=dataclasses.asdict(plan.options),
        images=plan.rows,
        files=plan.files,
        bytes=plan.bytes,
        archive_bytes=plan.archive_bytes,
        counts=plan.counts,
        tree=plan.tree,
        left_out=tuple({"file": item.path, "reason": item.reason} for item in plan.left_out),
        warnings=plan.warnings,
    )
