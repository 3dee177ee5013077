"""Which tests guard which module that computes or reads; pages, plots, requests and commands are not among them."""

from __future__ import annotations

from posixpath import normpath

Guards = dict[str, tuple[str, ...]]

METHODS = ("test_methods", "test_attribution", "test_sanity", "test_explain_methods", "test_explain")
CLI = ("../cli/test_explain_classify", "../cli/test_explain_methods")
FRAMES = ("trajectory/test_frames", "trajectory/test_run")

_XAI: Guards = {
    "agreement": ("test_agreement", "test_report"),
    "artefacts": ("test_artefacts", "test_faithfulness"),
    "attribution": ("test_attribution", "test_methods", "test_agreement", "test_explain_methods"),
    "baselines": ("test_baselines", "test_strength", "test_explain"),
    "classifier": ("test_classifier", "test_untrained", "test_sanity", "test_explain", *CLI),
    "explain": ("test_explain", "test_explain_methods", "test_sanity", *CLI),
    "explanation": ("test_explanation", "test_explain", "test_report", *CLI),
    "faithfulness": ("test_faithfulness", "test_imputation", "test_explain_methods", "test_validation"),
    "gate": ("test_gate", "test_explain", "test_explain_methods"),
    "gradcam": METHODS,
    "methods": METHODS,
    "occlusion": METHODS,
    "overlay": ("test_overlay", "test_figure", "test_comparison", "test_report"),
    "sanity": ("test_sanity", "test_explain_methods"),
    "shapley": ("test_game", "test_superpixels", *METHODS),
    "smoothgrad": METHODS,
    "statistics": ("test_statistics", "trajectory/test_summary"),
    "strength": ("test_strength",),
    "subject": ("test_mask", "test_explain", "test_explain_methods", *CLI),
    "task": METHODS,
    "validation": ("test_validation",),
    "trajectory/coalitions": ("trajectory/test_coalitions", "trajectory/test_time_shap"),
    "trajectory/controls": ("trajectory/test_controls", "trajectory/test_run"),
    "trajectory/shift": (
        "trajectory/test_shift",
        "trajectory/test_regions",
        "trajectory/test_interventions",
        "trajectory/test_controls",
        "trajectory/test_run",
    ),
    "trajectory/source": FRAMES,
    "trajectory/summary": ("trajectory/test_summary", "trajectory/test_run"),
    "trajectory/target": ("trajectory/test_shift", "trajectory/test_controls", "trajectory/test_time_shap"),
    "trajectory/time_shap": ("trajectory/test_time_shap", "trajectory/test_run"),
}

GUARDS: Guards = {module: (*tests, "test_parameters") for module, tests in _XAI.items()}
"""Of xai/, from there."""

TABLES = ("photographs/test_label_table", "photographs/test_sources", "photographs/test_forms")
FORMS = ("photographs/test_forms", "photographs/test_sources")
FILES = ("photographs/test_files", "photographs/test_matrix")

READERS: Guards = {
    "core/images": ("core/test_images", "photographs/test_pixels"),
    "core/tiff": ("core/test_images",),
    "core/files/walking": ("core/files/test_walking", *FILES),
    "photographs/diagnoses": ("photographs/test_diagnoses", *FORMS),
    "photographs/files": FILES,
    "photographs/image_folders": ("photographs/test_files", *FORMS),
    "photographs/label_forms": FORMS,
    "photographs/label_table": TABLES,
    "photographs/label_terms": FORMS,
    "photographs/labelled": ("photographs/test_labelled", "photographs/test_splits"),
    "photographs/licence": FORMS,
    "photographs/manifest": ("photographs/test_manifest", *FORMS),
    "photographs/masks": ("photographs/test_masks",),
    "photographs/missing": FORMS,
    "photographs/pixels": ("photographs/test_pixels",),
    "photographs/rows": FORMS,
    "photographs/sources": (*FORMS, "photographs/test_manifest"),
    "photographs/splits": ("photographs/test_splits",),
    "photographs/table_text": TABLES,
    **{
        f"photographs/forms/{form}": FORMS
        for form in ("derm7pt", "folders", "ham10000", "isic_archive", "isic_challenge", "own", "ph2")
    },
    "photographs/forms/jsonl": (*FORMS, "photographs/test_manifest"),
}
"""What reads photographs, tables and masks."""

PRECISION = "evaluation/test_precision"
NEARNESS = ("measures/test_memorisation_support", "measures/test_memorisation", PRECISION)

MEASURES: Guards = {
    "measures/bootstrap": ("measures/test_bootstrap", PRECISION),
    "measures/duplicates": ("measures/test_duplicates", "evaluation/test_diversity"),
    "measures/features": ("measures/test_features", "measures/test_memorisation", PRECISION),
    "measures/frechet": ("evaluation/test_frechet", PRECISION),
    "measures/kid": ("measures/test_kid", PRECISION),
    "measures/likeness": ("evaluation/test_pairs", PRECISION),
    "measures/lpips": ("evaluation/test_lpips", PRECISION),
    "measures/memorisation": NEARNESS,
    "measures/memorisation_files": ("measures/test_memorisation",),
    "measures/memorisation_support": NEARNESS,
    "measures/neighbours": ("measures/test_neighbours", *NEARNESS),
    "measures/pictures": (
        "measures/test_neighbours",
        "measures/sheets/test_contact_sheet",
        "measures/test_memorisation",
    ),
    "measures/prdc": ("evaluation/test_prdc", PRECISION),
    "measures/reference": ("measures/test_reference",),
    "measures/texture": ("measures/test_texture",),
}

VERDICTS = "evaluation/test_verdicts"
EXPERIMENT = "evaluation/utility/test_experiment"

EVALUATION: Guards = {
    "evaluation/appearance": ("evaluation/test_appearance", VERDICTS),
    "evaluation/counted": ("evaluation/test_counted",),
    "evaluation/distribution": ("evaluation/test_distribution", VERDICTS),
    "evaluation/diversity": ("evaluation/test_diversity", VERDICTS),
    "evaluation/features": ("evaluation/test_features",),
    "evaluation/fidelity": ("evaluation/test_fidelity", VERDICTS, "evaluation/test_fidelity_reference"),
    "evaluation/itself": ("evaluation/test_itself",),
    "evaluation/measurements": ("evaluation/test_measurements", "evaluation/test_run"),
    "evaluation/memorisation": ("evaluation/test_memorisation", VERDICTS),
    "evaluation/pairs": ("evaluation/test_pairs", "evaluation/test_lpips"),
    "evaluation/results": ("evaluation/test_results", VERDICTS),
    "evaluation/sets": ("evaluation/test_sets", "evaluation/test_run"),
    "evaluation/spaces": ("evaluation/test_spaces",),
    "evaluation/curation/curate": ("evaluation/curation/test_curate",),
    "evaluation/curation/decide": ("evaluation/curation/test_decide",),
    "evaluation/curation/evidence": ("evaluation/curation/test_evidence",),
    "evaluation/curation/rules": ("evaluation/curation/test_rules",),
    "evaluation/masks/heuristics": ("evaluation/masks/test_overlap",),
    "evaluation/masks/overlap": ("evaluation/masks/test_overlap",),
    "evaluation/masks/section": ("evaluation/masks/test_section", VERDICTS),
    "evaluation/masks/segmenter": ("evaluation/masks/test_segmenter",),
    "evaluation/masks/training": ("evaluation/masks/test_segmenter",),
    "evaluation/utility/arms": ("evaluation/utility/test_arms",),
    "evaluation/utility/data": (EXPERIMENT, "evaluation/utility/test_curated"),
    "evaluation/utility/experiment": (EXPERIMENT,),
    "evaluation/utility/statistics": ("evaluation/utility/test_verdict", "evaluation/utility/test_statistics"),
    "evaluation/utility/store": ("evaluation/utility/test_verdict", EXPERIMENT),
    "evaluation/utility/training": (EXPERIMENT,),
    "evaluation/utility/verdict": ("evaluation/utility/test_verdict", "evaluation/utility/test_statistics"),
}

ROOMS: dict[str, Guards] = {
    "xai": {f"xai/{module}": tuple(normpath(f"xai/{test}") for test in tests) for module, tests in GUARDS.items()},
    "readers": READERS,
    "measures": MEASURES,
    "evaluation": EVALUATION,
}
"""By room, modules and their tests from the root of the project and of the tests."""
