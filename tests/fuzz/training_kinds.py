"""What training runs leave, and the settings that begin them."""

from __future__ import annotations

import json
from pathlib import Path

from classifier.aggregate import summarise_runs
from classifier.config import ClassifierConfig
from classifier.plots import read_history
from classifier.predictions import read_predictions, write_predictions
from core.utils.path_manager import PathManager
from diffusion.config import DiffusionConfig
from diffusion.judgement import JUDGEMENT_FILE, read_judgement
from diffusion.pack import read_training, settings_of
from gui.train.run_list import list_entries
from gui.train.run_list import read_log as read_window_log
from tests.fuzz.case import Kind
from tests.fuzz.forms import as_json, as_lines, as_settings, as_table
from training.curves import draw_curves
from training.experiments import compare, find_run, list_runs, read_run
from training.run_folder import read_run_settings, write_run_config
from training.settings import load_settings
from training.trackers import open_run_log, read_log

SETTINGS = 'image_size = 32\nbatch_size = 4\nlearning_rate = 1e-3\nseed = 7\nname = "x"\n'
RUN = "runs/diffusion_1"
CLASSIFIER_RUN = "runs/classifier_1"


def make_runs(folder: Path) -> None:
    """Write a run of each kind."""
    for name, config in ((RUN, DiffusionConfig()), (CLASSIFIER_RUN, ClassifierConfig())):
        kind = "diffusion" if name == RUN else "classifier"
        write_run_config(folder / name, kind=kind, name="x", settings=config)
        log = open_run_log(folder / name, "none", columns=("epoch", "loss", "kid", "val_balanced_accuracy"))
        for step in (100, 200):
            log.log(step, epoch=step // 100, loss=0.5, kid=0.1, val_balanced_accuracy=0.4)
        log.close()
    (folder / RUN / JUDGEMENT_FILE).write_bytes((PathManager().starter_dir / "isic7-128" / JUDGEMENT_FILE).read_bytes())
    (folder / RUN / "training.json").write_text((folder / RUN / "config.json").read_text())
    _write_results(folder / CLASSIFIER_RUN)


def _write_results(folder: Path) -> None:
    from classifier.evaluation import Answers, evaluate
    from tests.classifier.finished import make_split

    split = make_split("test", lesions=2)
    logits = (split.labels[:, None] == split.labels.unique()[None]).double().numpy()
    from core.taxonomy import CLASS_CODES

    answers = Answers(CLASS_CODES, split.labels.numpy(), logits, logits[:, 0] * 0 + 1, split.lesions, split.image_ids)
    write_predictions(folder / "test_predictions.csv", answers)
    from classifier.results import estimates_json

    results = {
        "format": 1, "classes": list(CLASS_CODES), "measured_on": "test", "images": 28, "lesions": 14, "seed": 0,
        "balanced_accuracy": 1.0, "estimates": estimates_json(evaluate(answers)),
    }  # fmt: skip
    (folder / "test_results.json").write_text(json.dumps(results))


def read_runs(folder: Path) -> None:
    """List, read, compare and draw the runs, as the window and the command line do."""
    root = folder / "runs"
    runs = list_runs(root)
    for entry in list_entries(root):
        read_window_log(entry.run.folder)
    details = [read_run(run.folder) for run in runs]
    if details:
        compare(details)
    for name in (RUN, CLASSIFIER_RUN):
        read_log(folder / name / "log.jsonl")
        read_history(folder / name / "training_history.csv")


def continue_run(folder: Path) -> None:
    """Begin to continue a run, with the settings that it was begun with."""
    for name, cls in ((RUN, DiffusionConfig), (CLASSIFIER_RUN, ClassifierConfig)):
        load_settings(cls, preset=read_run_settings(folder / name))
        log = open_run_log(
            folder / name, "none", columns=("epoch", "loss", "kid", "val_balanced_accuracy"), resume_at=100
        )
        log.log(300, epoch=3, loss=0.5)
        log.close()
    settings_of(read_training(folder / RUN))
    read_judgement(folder / RUN)


def draw(folder: Path) -> None:
    """Draw the curves of all runs that can be found."""
    draw_curves([read_run(find_run(run.name, folder / "runs")) for run in list_runs(folder / "runs")])


def read_results(folder: Path) -> None:
    """Put a finished training together with itself."""
    read_predictions(folder / CLASSIFIER_RUN / "test_predictions.csv")
    summarise_runs(folder / "runs", [folder / CLASSIFIER_RUN])


def read_settings(folder: Path) -> None:
    """Read a settings file as the trainers do."""
    load_settings(DiffusionConfig, file=folder / "settings.toml")


def make_settings(folder: Path) -> None:
    """Write settings in both forms."""
    (folder / "settings.toml").write_text(SETTINGS)
    (folder / "settings.json").write_text(json.dumps({"image_size": 32, "batch_size": 4, "seed": 7}))


TRAINING_KINDS = {
    "run config": Kind(make_runs, {f"{RUN}/config.json": as_json, f"{CLASSIFIER_RUN}/config.json": as_json}, read_runs,
                       refuses=False),
    "run log": Kind(
        make_runs,
        {f"{RUN}/log.jsonl": as_lines, f"{CLASSIFIER_RUN}/log.jsonl": as_lines,
         f"{RUN}/training_history.csv": as_table},
        read_runs,
        refuses=False,
    ),
    "continued run": Kind(
        make_runs,
        {f"{RUN}/config.json": as_json, f"{RUN}/training.json": as_json, f"{RUN}/{JUDGEMENT_FILE}": as_json,
         f"{RUN}/log.jsonl": as_lines, f"{CLASSIFIER_RUN}/training_history.csv": as_table},
        continue_run,
    ),
    "results": Kind(
        make_runs,
        {f"{CLASSIFIER_RUN}/test_results.json": as_json, f"{CLASSIFIER_RUN}/test_predictions.csv": as_table},
        read_results,
    ),
    "training settings": Kind(make_settings, {"settings.toml": as_settings}, read_settings),
    "training settings in JSON": Kind(
        make_settings,
        {"settings.json": as_json},
        lambda folder: load_settings(ClassifierConfig, file=folder / "settings.json"),
    ),
}  # fmt: skip
