"""What the workspace of explanations calls its methods, units, classes and baselines, and a sentence on each method."""

from __future__ import annotations

from typing import Final

from core.config.schema import BY_KEY
from gui.i18n import mark, tr, translate
from xai.explanation import FACTS

METHODS: Final = {
    "ig": mark("Integrated Gradients"),
    "shapley": mark("Shapley values"),
    "combined": mark("IG and Shapley agree"),
    "gradcam": mark("Grad-CAM"),
    "layercam": mark("LayerCAM"),
    "occlusion": mark("Occlusion"),
    "smoothgrad": mark("SmoothGrad"),
}

SHORT: Final = {
    "ig": mark("IG"),
    "shapley": mark("Shapley"),
    "combined": mark("Agreement"),
    "gradcam": mark("Grad-CAM"),
    "layercam": mark("LayerCAM"),
    "occlusion": mark("Occlusion"),
    "smoothgrad": mark("SmoothGrad"),
}
"""Where several maps stand side by side."""

TARGETS: Final = {"label": mark("Own class"), "predicted": mark("Predicted class")}

STYLES: Final = {"signed": mark("Signed"), "positive": mark("For only"), "jet": mark("Jet")}

HINTS: Final = {
    "ig": mark("What each pixel adds to the class on the way from the baseline to the image; adds up. Seconds."),
    "shapley": mark("The fair share of each region among all combinations of regions; adds up. Up to half a minute."),
    "combined": mark("Where Integrated Gradients and Shapley values point to the same regions. Does not add up."),
    "gradcam": mark("Coarse: where the last layers see the class, in cells of many pixels. Does not add up."),
    "layercam": mark("As Grad-CAM, a little finer; only what speaks for the class. Does not add up."),
    "occlusion": mark("How the class changes when a window of the image is covered. Does not add up."),
    "smoothgrad": mark("Which pixels the class is most sensitive to, averaged over noise. Does not add up."),
}

UNITS: Final = {
    "logits per pixel": mark("logits/pixel"),
    "logits per pixel of a superpixel": mark("logits/pixel of a region"),
    "logits per pixel of a window": mark("logits/pixel of a window"),
    "share of the difference per pixel": mark("share/pixel"),
    "mean gradient x activation per cell": mark("gradient × activation"),
    "positive gradient x activation per cell": mark("gradient × activation"),
    "logits per unit of brightness": mark("logits/brightness"),
}


def method_name(key: str) -> str:
    """Return what a method is called."""
    return tr(METHODS[key]) if key in METHODS else key


def short_name(key: str) -> str:
    """Return a method's name where there is little room."""
    return tr(SHORT[key]) if key in SHORT else key


def target_name(target: str) -> str:
    """Return what a choice of the explained class is called where there is little room."""
    return tr(TARGETS[target]) if target in TARGETS else target


def style_name(style: str) -> str:
    """Return what a style of maps is called where there is little room."""
    return tr(STYLES[style]) if style in STYLES else style


def method_hint(key: str) -> str:
    """Return a sentence on a method."""
    return tr(HINTS[key]) if key in HINTS else ""


def choice_name(setting: str, choice: str) -> str:
    """Return what a choice of a setting is called; class codes are called what they are."""
    words = BY_KEY[setting].words
    return translate(words[choice]) if choice in words else choice


def choices(setting: str) -> tuple[str, ...]:
    """Return what can be chosen for a setting."""
    return BY_KEY[setting].choices


def unit_name(method: str) -> str:
    """Return the unit of a method's map, short enough for a colour bar."""
    unit = FACTS[method].unit if method in FACTS else ""
    return tr(UNITS[unit]) if unit in UNITS else unit
