"""What is left on disk of an analysis: overlays, figures, raw arrays, `analysis.json` and a page to read.

`analysis.json` holds `format`, `product_version`, `created` (ISO 8601, UTC), `style` (of the overlays),
`comparison_scales` (unit to the value at which the colours of `comparison.png` saturate), `agreement` (for each picture
and target with several maps: `image`, `target`, `baseline` and the `pairs` of `xai.agreement`) and `explanations`, a
list with one object for each map:

- `image`, `method`, `target`, `baseline` (null if the method needs none), `steps`, `seconds`, `notes`,
  `classifier_sha256`, `height`, `width`;
- `unit` (of the map), `parameters` (whatever else the method was run with and found: window, cells, samples, seed, the
  Shapley `values` and `standard_errors` of the superpixels, ...), `cell` (height and width in pixels, or null);
- `score`, `baseline_score`, `delta` (logits), `relative_delta` (null where the difference is too small to divide by,
  and for methods that do not divide it up);
- `gate`: `level` (green, amber, red) and `reasons`; `map_shown`: false where no map could be drawn;
- `colour_scale`: the value at which the colours of this overlay saturate, in `unit`, or null;
- `classification`: `predicted`, `probabilities`, `logits`, `gate`;
- `faithfulness`: what `xai.faithfulness` measured, or null;
- `files`: `overlay`, `figure`, `arrays`, all relative to the folder.

A value that is no number (NaN, infinity) is null. The `.npz` holds `attribution` (signed float32, H x W x 3), `image`
(uint8, H x W x 3), `parameters` (the same object as in `analysis.json`, as JSON text) and, where there are any,
`standard_error` (float32, H x W, in `unit`) and `segments` (int32, H x W: the superpixel of each pixel).
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np

import reports
from core.files.atomic import output_errors
from core.files.text import finite, finite_json
from core.keeping import replace_kept, replace_kept_text
from core.utils.path_manager import PathManager
from core.version import __version__
from reports.html import render_html
from xai.agreement import agreement_table
from xai.comparison import MAX_COMPARED, compare, question_of, reduced
from xai.explanation import Explanation, Style
from xai.figure import png_bytes, render_figure
from xai.methods import METHODS
from xai.overlay import render_marked, shared_scale, why_no_map
from xai.report_page import Entry, report_of

FORMAT: Final = 2
ANALYSIS_FILE: Final = "analysis.json"
REPORT_FILE: Final = "report.html"
COMPARISON_FILE: Final = "comparison.png"
MAX_FIGURES: Final = 200
"""In the report. Further maps are listed there with the names of their figures."""


@dataclass(frozen=True, slots=True)
class SavedAnalysis:
    """The files of an analysis; `overlays`, `figures` and `arrays` are in the order of the explanations."""

    folder: Path
    overlays: tuple[Path, ...]
    figures: tuple[Path, ...]
    arrays: tuple[Path, ...]
    analysis: Path
    report: Path


def save_explanations(explanations: Iterable[Explanation], folder: Path, *, style: Style = "signed") -> SavedAnalysis:
    """Write everything there is to keep of some explanations into a folder; see `AnalysisWriter`.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """
    writer = AnalysisWriter(folder, style)
    for explanation in explanations:
        writer.add(explanation)
    return writer.finish()


class AnalysisWriter:
    """Writes an analysis map by map, so that what is finished is on disk and memory does not grow with a folder.

    Each overlay and figure uses the full range of colours for its own image; `comparison.png`, written where there are
    several maps, shows them on one scale for each unit. Every file appears complete or not at all; `analysis.json`
    comes last.

    Parameters
    ----------
    folder
        Made if it does not exist.
    """

    def __init__(self, folder: Path, style: Style = "signed") -> None:
        self.folder = folder
        self._style: Style = style
        self._names: set[str] = set()
        self._entries: list[Entry] = []
        self._compared: list[Explanation] = []
        self._alike: list[Explanation] = []
        self._agreement: list[dict[str, Any]] = []

    @property
    def maps(self) -> int:
        """How many maps have been written."""
        return len(self._entries)

    def add(self, explanation: Explanation) -> None:
        """Write overlay, figure and raw arrays of one map.

        Raises
        ------
        OutputError
            If the folder cannot be made or written to.
        """
        with output_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            entry = _save_one(explanation, self._new_name(explanation), self.folder, self._style)
        in_page = len(self._entries) < MAX_FIGURES
        self._entries.append(entry if in_page else replace(entry, figure=None))
        if len(self._compared) < MAX_COMPARED:
            self._compared.append(reduced(explanation))
        if self._alike and question_of(self._alike[0]) != question_of(explanation):
            self._settle_agreement()
        if why_no_map(explanation) is None:
            self._alike.append(explanation)

    def finish(self) -> SavedAnalysis:
        """Write what tells of all maps together: comparison, report and `analysis.json`.

        Raises
        ------
        OutputError
            If the folder cannot be made or written to.
        """
        self._settle_agreement()
        with output_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            comparison = compare(self._compared, self._style, total=len(self._entries))
            if comparison is not None:
                replace_kept(self.folder / COMPARISON_FILE, png_bytes(comparison.sheet))
            page = render_html(report_of(self._entries, comparison, self._agreement))
            reports.write(self.folder / REPORT_FILE, page)
            scales = comparison.scales if comparison is not None else {}
            analysis = _analysis([entry.data for entry in self._entries], self._style, scales, self._agreement)
            replace_kept_text(self.folder / ANALYSIS_FILE, finite_json(analysis))
        return _saved(self.folder, self._entries)

    def _settle_agreement(self) -> None:
        """Compare the maps of the picture that is finished now."""
        if len(self._alike) > 1:
            first, pairs = self._alike[0], agreement_table(self._alike)
            image = None if first.source is None else first.source.name
            said = {"image": image, "target": first.target, "baseline": first.baseline, "pairs": pairs}
            self._agreement.append(finite(said))
        self._alike = []

    def _new_name(self, explanation: Explanation) -> str:
        stem = "image" if explanation.source is None else PathManager.safe_component(explanation.source.stem)
        name = f"{stem}_{explanation.method}_{PathManager.safe_component(explanation.target)}"
        candidates = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        new = next(candidate for candidate in candidates if candidate not in self._names)
        self._names.add(new)
        return new


def _save_one(explanation: Explanation, name: str, folder: Path, style: Style) -> Entry:
    files = {"overlay": f"{name}_overlay.png", "figure": f"{name}_figure.png", "arrays": f"{name}.npz"}
    scale = shared_scale([explanation])
    data = _describe(explanation, scale, files)
    figure = png_bytes(render_figure(explanation, scale=scale or None, style=style))
    overlay = png_bytes(render_marked(explanation, scale=scale or None, style=style))
    replace_kept(folder / files["overlay"], overlay)
    replace_kept(folder / files["figure"], figure)
    replace_kept(folder / files["arrays"], _npz(explanation, data))
    return Entry(data, figure)


def _describe(explanation: Explanation, scale: float, files: Mapping[str, str]) -> dict[str, Any]:
    answer = explanation.classification
    data = {
        "image": None if explanation.source is None else explanation.source.name,
        "method": explanation.method,
        "target": explanation.target,
        "baseline": explanation.baseline if METHODS[explanation.method].uses_baseline else None,
        "unit": METHODS[explanation.method].unit,
        "parameters": dict(explanation.parameters),
        "cell": explanation.cell,
        "steps": explanation.steps,
        "seconds": round(explanation.seconds, 3),
        "notes": list(explanation.notes),
        "classifier_sha256": explanation.classifier_sha256,
        "height": explanation.image.shape[0],
        "width": explanation.image.shape[1],
        "score": explanation.score,
        "baseline_score": explanation.baseline_score,
        "delta": explanation.delta,
        "relative_delta": explanation.relative_delta,
        "gate": explanation.gate.to_json(),
        "map_shown": why_no_map(explanation) is None,
        "colour_scale": scale or None,
        "classification": {
            "predicted": answer.predicted,
            "probabilities": dict(answer.probabilities),
            "logits": dict(answer.logits),
            "gate": answer.gate.to_json(),
        },
        "faithfulness": explanation.faithfulness,
        "files": dict(files),
    }
    plain: dict[str, Any] = finite(data)
    return plain


def _npz(explanation: Explanation, data: Mapping[str, Any]) -> bytes:
    stream = io.BytesIO()
    extra: dict[str, Any] = {"standard_error": explanation.standard_error, "segments": explanation.segments}
    np.savez_compressed(
        stream,
        attribution=explanation.attribution,
        image=explanation.image,
        parameters=np.array(json.dumps(data, allow_nan=False)),
        **{name: array for name, array in extra.items() if array is not None},
    )
    return stream.getvalue()


def _analysis(
    explanations: Sequence[Mapping[str, Any]],
    style: Style,
    scales: Mapping[str, float],
    agreement: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "product_version": __version__,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "style": style,
        "comparison_scales": dict(scales),
        "agreement": list(agreement),
        "explanations": list(explanations),
    }


def _saved(folder: Path, entries: Sequence[Entry]) -> SavedAnalysis:
    def paths(kind: str) -> tuple[Path, ...]:
        return tuple(folder / entry.data["files"][kind] for entry in entries)

    return SavedAnalysis(
        folder, paths("overlay"), paths("figure"), paths("arrays"), folder / ANALYSIS_FILE, folder / REPORT_FILE
    )
