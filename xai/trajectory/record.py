"""An image's analysis as JSON and as arrays; the schema is described in docs/trajectory.md."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Final

import numpy as np

from core.version import __version__
from xai.explanation import Explanation
from xai.statistics import CONFIDENCE, PRIMARY_TEST
from xai.trajectory.analysis import ExplainedFrame, ImageAnalysis
from xai.trajectory.coalitions import DESCRIPTIONS
from xai.trajectory.controls import CONTROLS, NULLS
from xai.trajectory.folders import FORMAT
from xai.trajectory.request import TrajectoryRequest
from xai.trajectory.shift import AREA, FORMULA, shifts_to_json
from xai.trajectory.source import strip
from xai.trajectory.summary import Summary
from xai.trajectory.time_shap import HOEFFDING_ERROR, HOEFFDING_FAILURE, TimeShap
from xai.trajectory.words import verdict_of_image, verdict_of_summary

ARRAYS: Final = {"trajectory": "trajectory.npz", "maps": "maps.npz", "time_shap": "time_shap.npz"}


def header(kind: str) -> dict[str, Any]:
    """Return what every `analysis.json` begins with."""
    return {
        "format": FORMAT,
        "kind": kind,
        "product_version": __version__,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def describe_image(analysis: ImageAnalysis, request: TrajectoryRequest) -> dict[str, Any]:
    """Return the analysis as JSON types; NaN and infinity are left to `finite_json`."""
    classifier, answer = analysis.classifier, analysis.answer
    explained = {item.frame.step: item for item in analysis.explained}
    return {
        **header("image"),
        "verdict": verdict_of_image(analysis),
        "gate": analysis.gate.to_json(),
        "image": {
            **analysis.source.describe(),
            "file": None if request.image is None else request.image.name,
            **_which_pixels(analysis),
        },
        "notes": list(analysis.source.notes),
        "settings": request.settings(),
        "classifier": {
            "path": classifier.path.name,
            "sha256": classifier.sha256,
            "classes": list(classifier.classes),
            "temperature": classifier.temperature,
            "gate": classifier.provenance.to_json(),
        },
        "classification": {
            "predicted": answer.predicted,
            "probabilities": dict(answer.probabilities),
            "logits": dict(answer.logits),
        },
        "timesteps": list(analysis.timesteps),
        "frames": [
            _describe_frame(analysis, position, explained.get(frame.step))
            for position, frame in enumerate(analysis.frames)
        ],
        "time_shap": describe_time_shap(analysis.time_shap, analysis.timesteps),
        "csi": {
            "formula": FORMULA,
            "area": AREA,
            "pixels": int(analysis.last.top.sum()),
            "n": 1,
            "interventions": shifts_to_json(analysis.last.shifts),
            "controls": {
                name: {
                    "what": CONTROLS[name],
                    "must_collapse": name in NULLS,
                    "interventions": shifts_to_json(shifts),
                }
                for name, shifts in analysis.controls.rows().items()
            },
        },
        "seconds": dict(analysis.seconds),
        "files": dict(ARRAYS),
    }


def describe_summary(summary: Summary, request: TrajectoryRequest, parts: Sequence[str]) -> dict[str, Any]:
    """Return the summary of several images as JSON types.

    Parameters
    ----------
    parts
        Names of the images' folders.
    """
    return {
        **header("summary"),
        "verdict": verdict_of_summary(summary),
        "images": dict(summary.images),
        "gates": dict(summary.gates),
        "recognised": dict(summary.recognised),
        "settings": request.settings(),
        "formula": FORMULA,
        "primary_test": PRIMARY_TEST,
        "confidence": CONFIDENCE,
        "comparisons": [row.to_json() for row in summary.rows],
        "own_minus_control": [row.to_json() for row in summary.beyond],
        "nulls": [null.to_json() for null in summary.nulls],
        "time_shap": [group.to_json() for group in summary.times],
        "parts": list(parts),
    }


def describe_time_shap(played: TimeShap, timesteps: Sequence[float]) -> dict[str, Any]:
    """Return Time-SHAP as JSON types."""
    solved = played.shapley
    exact = not solved.permutations
    return {
        "method": "exact: every coalition played" if exact else "antithetic permutation sampling",
        "value": "v(S) = logit of the image made when only the step groups in S act",
        "neutral_action": played.neutral,
        "neutral_action_in_words": DESCRIPTIONS[played.neutral],
        "groups": [
            {
                "first_step": first,
                "last_step": last,
                "first_timestep": timesteps[first - 1],
                "last_timestep": timesteps[last - 1],
                "phi": float(solved.values[number]),
                "phi_per_step": float(solved.values[number]) / (last - first + 1),
                "standard_error": None if exact else float(solved.standard_error[number]),
            }
            for number, (first, last) in enumerate(played.groups)
        ],
        "v_all": played.full,
        "v_none": played.empty,
        "efficiency_error": played.efficiency_error,
        "coalitions_played": len(played.values),
        "orders_sampled": solved.permutations,
        "segments_walked": played.segments,
        "segments_without_sharing": len(played.values) * len(played.groups),
        "steps_taken": played.steps,
        "marginal_range": played.marginal_range,
        "hoeffding": {
            "formula": "M >= R^2 / (2 eps^2) ln(2 / delta)",
            "R": "the largest observed spread of a group's marginal contributions",
            "eps_logits": HOEFFDING_ERROR,
            "delta": HOEFFDING_FAILURE,
            "orders_needed_if_sampled": played.hoeffding_orders,
        },
        "path_error": played.path_error,
        "seconds": played.seconds,
    }


def arrays_of(analysis: ImageAnalysis) -> dict[str, bytes]:
    """Return the `.npz` files by their names."""
    return {
        ARRAYS["trajectory"]: _trajectory(analysis),
        ARRAYS["maps"]: _maps(analysis.explained),
        ARRAYS["time_shap"]: _time_shap(analysis.time_shap),
    }


def _describe_frame(analysis: ImageAnalysis, position: int, explained: ExplainedFrame | None) -> dict[str, Any]:
    frame, classes = analysis.frames[position], analysis.classifier.classes
    data: dict[str, Any] = {
        "step": frame.step,
        "timestep": frame.timestep,
        "probabilities": dict(zip(classes, analysis.probabilities[position].tolist(), strict=True)),
        "logits": dict(zip(classes, analysis.logits[position].tolist(), strict=True)),
        "maps": None,
        "interventions": None,
    }
    if explained is not None:
        data["maps"] = {found.method: _describe_map(found) for found in explained.maps}
        data["interventions"] = shifts_to_json(explained.shifts)
    return data


def _describe_map(found: Explanation) -> dict[str, Any]:
    return {
        "target": found.target,
        "baseline": found.baseline,
        "score": found.score,
        "baseline_score": found.baseline_score,
        "relative_delta": found.relative_delta,
        "steps": found.steps,
        "gate": found.gate.to_json(),
        "cell": None if found.cell is None else list(found.cell),
    }


def _which_pixels(analysis: ImageAnalysis) -> dict[str, Any]:
    if analysis.source.color is None:
        words = "the image as it is saved; colours of this model's images are not corrected"
    else:
        words = "the image as it is saved, after colour correction; earlier steps are corrected in the same way"
    return {"explained": words, "differs_from_file_by": analysis.difference}


def _trajectory(analysis: ImageAnalysis) -> bytes:
    noisy, pictures = strip(list(analysis.frames))
    return _npz(
        {
            "steps": np.array([frame.step for frame in analysis.frames], dtype=np.int32),
            "timesteps": np.array([frame.timestep for frame in analysis.frames], dtype=np.float32),
            "x_t": np.stack([frame.noisy for frame in analysis.frames]).astype(np.float16),
            "x0": np.stack([frame.predicted for frame in analysis.frames]).astype(np.float16),
            "x_t_pictures": noisy,
            "x0_pictures": pictures,
            "logits": analysis.logits,
            "probabilities": analysis.probabilities,
        }
    )


def _maps(explained: Sequence[ExplainedFrame]) -> bytes:
    arrays: dict[str, Any] = {
        "steps": np.array([item.frame.step for item in explained], dtype=np.int32),
        "top": np.stack([item.top for item in explained]),
        "bottom": np.stack([item.bottom for item in explained]),
    }
    for number, found in enumerate(explained[0].maps):
        arrays[found.method] = np.stack([item.maps[number].attribution for item in explained])
    return _npz(arrays)


def _time_shap(played: TimeShap) -> bytes:
    coalitions = sorted(played.values)
    return _npz(
        {
            "phi": played.shapley.values,
            "standard_error": played.shapley.standard_error,
            "groups": np.array(played.groups, dtype=np.int32),
            "coalitions": np.array(coalitions, dtype=np.int64),
            "values": np.array([played.values[coalition] for coalition in coalitions]),
            "picture": played.picture,
            "neutral_picture": played.neutral_picture,
            "pixel_shares": played.pixel_shares.astype(np.float16),
            "logit_maps": played.logit_maps.astype(np.float32),
        }
    )


def _npz(arrays: Mapping[str, Any]) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()
