"""Which tests guard which module of xai/ that computes; pages, plots and commands are not among them."""

from __future__ import annotations

METHODS = ("test_methods", "test_attribution", "test_sanity", "test_explain_methods", "test_explain")
CLI = ("../cli/test_explain_classify", "../cli/test_explain_methods")
FRAMES = ("trajectory/test_frames", "trajectory/test_run")

_OWN: dict[str, tuple[str, ...]] = {
    "agreement": ("test_agreement", "test_report"),
    "artefacts": ("test_artefacts", "test_faithfulness"),
    "attribution": ("test_attribution", "test_methods", "test_explain_methods"),
    "baselines": ("test_baselines", "test_strength", "test_explain"),
    "classifier": ("test_classifier", "test_sanity", "test_explain", *CLI),
    "colour": ("test_overlay", "test_figure", "test_comparison"),
    "combined": ("test_methods", "test_agreement", "test_explain_methods"),
    "explain": ("test_explain", "test_explain_methods", "test_sanity", *CLI),
    "explanation": ("test_explanation", "test_explain", "test_report", *CLI),
    "faithfulness": ("test_faithfulness", "test_explain_methods", "test_validation"),
    "game": ("test_game", "test_methods"),
    "gate": ("test_gate", "test_explain", "test_explain_methods"),
    "gradcam": METHODS,
    "imputation": ("test_imputation", "test_faithfulness"),
    "mask": ("test_mask", "test_explain_methods", *CLI),
    "methods": METHODS,
    "occlusion": METHODS,
    "overlay": ("test_overlay", "test_figure", "test_comparison", "test_report"),
    "sanity": ("test_sanity", "test_explain_methods"),
    "shapley": METHODS,
    "smoothgrad": METHODS,
    "statistics": ("test_statistics", "trajectory/test_summary"),
    "strength": ("test_strength",),
    "subject": ("test_explain", "test_explain_methods", *CLI),
    "superpixels": ("test_superpixels", "test_explain_methods"),
    "task": METHODS,
    "untrained": ("test_untrained", "test_classifier"),
    "validation": ("test_validation",),
    "trajectory/actions": ("trajectory/test_coalitions", "trajectory/test_time_shap"),
    "trajectory/branches": ("trajectory/test_coalitions", "trajectory/test_time_shap"),
    "trajectory/coalitions": ("trajectory/test_coalitions", "trajectory/test_time_shap"),
    "trajectory/controls": ("trajectory/test_controls", "trajectory/test_run"),
    "trajectory/frames": FRAMES,
    "trajectory/interventions": ("trajectory/test_interventions", "trajectory/test_shift"),
    "trajectory/nulls": ("trajectory/test_summary", "trajectory/test_run"),
    "trajectory/row": ("trajectory/test_summary",),
    "trajectory/regions": ("trajectory/test_regions", "trajectory/test_controls", "trajectory/test_shift"),
    "trajectory/shift": ("trajectory/test_shift", "trajectory/test_controls", "trajectory/test_run"),
    "trajectory/source": FRAMES,
    "trajectory/summary": ("trajectory/test_summary", "trajectory/test_run"),
    "trajectory/target": ("trajectory/test_shift", "trajectory/test_controls", "trajectory/test_time_shap"),
    "trajectory/time_shap": ("trajectory/test_time_shap", "trajectory/test_run"),
}

GUARDS = {module: (*tests, "test_parameters") for module, tests in _OWN.items()}
