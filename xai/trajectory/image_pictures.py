"""Every picture of one image's analysis by its file name; the names are the predecessor's where it had one."""

from __future__ import annotations

from functools import partial

from xai.trajectory.analysis import ImageAnalysis
from xai.trajectory.artefacts import Picture
from xai.trajectory.plot_maps import (
    CAM,
    cam,
    cam_overview,
    cam_summary,
    map_figure,
    marked_overlay,
    most_important,
    scales,
    step_panels,
)
from xai.trajectory.plot_shift import interventions_figure, single_image_figure
from xai.trajectory.plot_steps import mosaic, probabilities
from xai.trajectory.plot_time import time_shap_figure

_SUFFIXES = {"ig": "IG", "shapley": "SHAP"}


def pictures_of_image(analysis: ImageAnalysis) -> dict[str, Picture]:
    """Return what draws each picture; nothing is drawn yet."""
    return {
        "trajectory_all_steps.png": partial(mosaic, analysis),
        "probabilities_over_time.png": partial(probabilities, analysis),
        "time_shap_analysis.png": partial(time_shap_figure, analysis),
        **_pictures_of_steps(analysis),
        **(_pictures_of_cam(analysis) if CAM in scales(analysis) else {}),
        "statistical_analysis.png": partial(single_image_figure, analysis),
    }


def _pictures_of_steps(analysis: ImageAnalysis) -> dict[str, Picture]:
    scale, seed = scales(analysis), analysis.source.planned.seed
    found: dict[str, Picture] = {}
    for item in analysis.explained:
        name = f"xai_step_t_{item.frame.name}"
        found[f"{name}.png"] = partial(step_panels, item, scale)
        for one in item.maps:
            if one.method != CAM:
                suffix = _SUFFIXES.get(one.method, one.method)
                found[f"{name}_{suffix}.png"] = partial(map_figure, one, scale[one.method], item.frame.step)
        found[f"interventions_t_{item.frame.name}.png"] = partial(interventions_figure, item, seed)
    return found


def _pictures_of_cam(analysis: ImageAnalysis) -> dict[str, Picture]:
    scale, important = scales(analysis)[CAM], most_important(analysis)
    each: dict[str, Picture] = {
        f"gradcam_t_{item.frame.name}.png": partial(marked_overlay, cam(item), scale) for item in analysis.explained
    }
    return {
        **each,
        f"gradcam_most_important_t{important.frame.name}.png": partial(marked_overlay, cam(important), scale),
        "gradcam_summary_all_timesteps.png": partial(cam_summary, analysis),
        "gradcam_overview.png": partial(cam_overview, analysis),
    }
