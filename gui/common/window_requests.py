"""What only a window can do, asked for by whoever knows no window: a session says it, its window grants it."""

from __future__ import annotations

import enum


class WindowRequest(enum.Enum):
    """One thing a window can be asked for by `Session.wish`."""

    OUTPUT_FOLDER = "output_folder"
    MODELS_FOLDER = "models_folder"
    GET_MODELS = "get_models"
    SETTINGS = "settings"
    DIAGNOSTICS = "diagnostics"
    CRASH_REPORT = "crash_report"
    ANALYSIS = "analysis"
    EXPORT = "export"
    TRAIN = "train"
    EVALUATE = "evaluate"
