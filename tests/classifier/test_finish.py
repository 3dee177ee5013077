"""What a finished run leaves: the files say the same thing, and the folder that ships is what was measured."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from sklearn.metrics import balanced_accuracy_score, classification_report, roc_auc_score

from classifier.aggregate import spread_of, summarise_runs
from classifier.card import card_of
from classifier.data import Split
from classifier.evaluation import evaluate
from classifier.export import describe, export_classifier, rounded
from classifier.finish import MODEL_FOLDER, finish_run, measure_run
from classifier.plots import draw_plots
from classifier.predictions import join, read_predictions
from classifier.report_page import report_of
from classifier.results import Results, RunAbout, results_json, time_text
from core.errors import InputRefusedError
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.loading import load_network, to_tensor
from core.taxonomy import CLASS_CODES
from measures.reference import read_reference
from photographs.licence import licence_of
from photographs.splits import Leakage
from reports.html import render_html
from reports.markdown import render_markdown
from tests.classifier.finished import SIDE, empty_split, make_split, make_trained, write_history

pytestmark = pytest.mark.slow

PREDECESSOR_KEYS = {
    "classification_report", "confusion_matrix", "auc_roc", "auc_per_class", "roc_curves", "balanced_accuracy",
    "specificity_per_class", "average_specificity", "training_time_seconds", "training_time_formatted",
}  # fmt: skip
PLOTS = {
    "training_loss.png", "training_f1score.png", "confusion_matrix.png", "confusion_matrix_normalized.png",
    "per_class_metrics.png", "overall_test_metrics.png", "specificity_per_class.png", "roc_curves.png",
    "reliability_diagram.png",
}  # fmt: skip
ABOUT = RunAbout("drawn lesions", licence_of("ham10000"), Leakage(56, 0, 0.0, True), "a small computer")


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    folder = tmp_path_factory.mktemp("run")
    write_history(folder)
    results = finish_run(
        folder, make_trained(), train=make_split("train 0", 6), validation=make_split("validation"),
        test=make_split("test"), extra=make_split("extra", 2), about=ABOUT,
    )  # fmt: skip
    return folder, results


def read(path: Path) -> dict:
    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_results_have_the_predecessors_keys_and_its_meaning(finished):
    folder, _ = finished
    data = read(folder / "test_results.json")
    answers = read_predictions(folder / "test_predictions.csv")
    truth, predicted = answers.labels, answers.calibrated.argmax(1)
    assert set(data) >= PREDECESSOR_KEYS
    assert data["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert data["auc_roc"] == pytest.approx(roc_auc_score(truth, answers.calibrated, multi_class="ovr"))
    expected = classification_report(truth, predicted, target_names=CLASS_CODES, output_dict=True, zero_division=0)
    for name, values in expected.items():
        assert data["classification_report"][name] == pytest.approx(values), name
    assert np.sum(data["confusion_matrix"]) == 56
    assert data["average_specificity"] == pytest.approx(np.mean(data["specificity_per_class"]))
    assert set(data["roc_curves"]["MEL"]) == {"fpr", "tpr"}
    assert (data["training_time_seconds"], data["training_time_formatted"]) == (3723.4, "01:02:03")


def test_results_say_on_what_and_how_sure(finished):
    data = read(finished[0] / "test_results.json")
    assert (data["images"], data["lesions"], data["measured_on"]) == (56, 28, "test")
    assert data["split_fingerprint"] == "fingerprint of test"
    assert data["leakage"] == {"images": 56, "leaked": 0, "share": 0.0, "known": True}
    assert data["splits"]["train"]["images"] == 84
    assert data["extra"]["images"] == 28
    for estimate in data["estimates"]["overall"].values():
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert data["config"]["architecture"] == "small_cnn"


def measure(**changes: Split) -> Results:
    parts = {"train": make_split("train 0", 6), "validation": make_split("validation"), "test": make_split("test")}
    return measure_run(make_trained(), parts | changes, RunAbout()).results


def test_temperature_improves_the_fit_on_the_lesions_it_was_fitted_on():
    evaluation = measure(test=make_split("validation")).evaluation
    assert evaluation.calibrated["log_loss"].value <= evaluation.raw["log_loss"].value + 1e-9


def test_predictions_come_back_exactly_and_give_the_same_numbers(finished):
    folder, results = finished
    again = evaluate(read_predictions(folder / "test_predictions.csv"))
    assert again.overall == results.evaluation.overall
    with (folder / "test_predictions.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 56
    assert sum(float(rows[0][f"p_{code}"]) for code in CLASS_CODES) == pytest.approx(1, abs=1e-5)


def test_what_ships_is_what_was_measured(finished):
    folder, results = finished
    network = load_network(folder / "model")
    assert network.head_problem is None
    assert network.classes == CLASS_CODES
    assert network.record.temperature == pytest.approx(results.evaluation.temperature, abs=1e-4)
    assert network.record.validation.balanced_accuracy == pytest.approx(results.headline.value, abs=1e-4)
    answers = read_predictions(folder / "test_predictions.csv")
    with torch.inference_mode():
        logits = network.logits(make_split("test").pixels / 255)
    np.testing.assert_allclose(logits.numpy(), answers.logits, atol=1e-4)


def test_weights_are_half_and_carry_their_description(finished):
    folder = finished[0] / "model"
    with safe_open(folder / "model.safetensors", "pt") as stored:
        kinds = {stored.get_tensor(name).dtype for name in stored.keys()}  # noqa: SIM118 - not a dict
        inside = json.loads(stored.metadata()["isicgui"])
    record = read(folder / "classifier.json")
    assert kinds == {torch.float16}
    assert record.pop("strength_p5") is None
    assert inside == record
    digest, name = (folder / "SHA256SUMS").read_text(encoding="utf-8").split()
    assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()


@pytest.mark.parametrize("architecture", ["densenet121_ham", "efficientnet_lite0", "resnet18", "simple_cnn"])
def test_every_architecture_survives_its_export(architecture: str, finished, tmp_path: Path):
    torch.manual_seed(0)
    net = ARCHITECTURES[architecture].build(len(CLASS_CODES)).eval()
    export_classifier(tmp_path, rounded(net), replace(finished[1], architecture=architecture), ())
    network = load_network(tmp_path)
    assert network.head_problem is None
    stored = network.net.state_dict()
    for name, tensor in rounded(net).state_dict().items():
        assert torch.equal(stored[name], tensor), name


def test_strength_is_kept_for_the_same_weights_only(finished, tmp_path: Path):
    _, results = finished
    net = rounded(make_trained().net)
    export_classifier(tmp_path, net, results, ())
    record = read(tmp_path / "classifier.json")
    (tmp_path / "classifier.json").write_text(json.dumps({**record, "strength_p5": 1.25}), encoding="utf-8")
    export_classifier(tmp_path, net, results, ())
    assert read(tmp_path / "classifier.json")["strength_p5"] == 1.25
    export_classifier(tmp_path, rounded(make_trained(seed=1).net), results, ())
    assert read(tmp_path / "classifier.json")["strength_p5"] is None


def test_plots_are_the_predecessors_and_can_be_opened(finished):
    folder = finished[0] / "plots"
    names = {path.name for path in folder.iterdir()}
    assert names == PLOTS
    for name in names:
        with Image.open(folder / name) as picture:
            picture.load()
            assert min(picture.size) > 500


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[str] = []
        self.text = ""
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        assert "href" not in values
        if tag == "img":
            assert values["alt"]
            self.pictures.append(values["src"])
        elif tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "


def page_of(results, plots):
    return render_html(report_of(results, plots))


def card_text(results):
    return render_markdown(card_of(results))


def parse(html: str) -> Page:
    page = Page()
    page.feed(html)
    assert page.open == []
    return page


def test_page_shows_everything_and_needs_nothing_else(finished):
    folder, results = finished
    page = parse((folder / "report.html").read_text(encoding="utf-8"))
    assert len(page.pictures) == len(PLOTS)
    assert all(source.startswith("data:image/png;base64,") for source in page.pictures)
    headline = f"Balanced accuracy {results.headline.value:.3f} (95 % interval"
    assert headline in page.text
    for words in ("drawn lesions", "ViDIR Group", "CC BY-NC 4.0", "fingerprint of test", "a small computer",
                  "0 of 56 held-out images", "further images", "from random weights"):  # fmt: skip
        assert words in page.text, words
    assert page.text.index(headline) < page.text.index("Class by class") < page.text.index("Settings and machine")


def test_card_says_what_it_is_and_under_which_terms(finished):
    folder, results = finished
    text = (folder / "model" / "README.md").read_text(encoding="utf-8")
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 120
    card = " ".join(text.split())
    assert f"**Balanced accuracy {results.headline.value:.3f}" in card
    for words in ("no medical device", "from random weights", "CC BY-NC 4.0", "ViDIR Group", "fingerprint of test"):
        assert words in card, words
    assert "{" not in card


def test_nothing_is_claimed_that_nobody_said(finished):
    plain = replace(finished[1], about=RunAbout(), extra=None)
    card, page = card_text(plain), parse(page_of(plain, {}))
    for text in (card, page.text):
        assert "licence of the training photographs is unknown" in " ".join(text.split())
        assert "Leakage between the splits was not measured" in " ".join(text.split())
        assert "further images" not in text


def test_names_in_the_data_cannot_break_the_page(finished):
    hostile = RunAbout("<script>alert(1)</script>", licence_of("csv", "<b>x</b>"), None, "<img src=x>")
    page = page_of(replace(finished[1], about=hostile, config={"<i>": "<script>"}), {})
    assert "<script" not in page
    assert parse(page).pictures == []


def test_without_a_test_set_everything_says_optimistic():
    results = measure(test=empty_split())
    assert results.measured_on == results_json(results)["measured_on"] == describe(results)["val_measured_on"]
    assert results.measured_on == "validation"
    assert results.fingerprint == "fingerprint of validation"
    for text in (card_text(results), page_of(results, {})):
        assert "so it is optimistic" in " ".join(text.split())


def test_absent_classes_are_null_and_nowhere_nan():
    few = make_split("few", 3, 1, ("MEL", "NV"))
    data = results_json(measure(validation=few, test=few))
    assert data["auc_per_class"]["DF"] is None
    assert data["classification_report"]["DF"]["recall"] is None
    assert data["classification_report"]["DF"]["support"] == 0
    assert "DF" not in data["roc_curves"]
    json.dumps(data, allow_nan=False)


def test_plots_of_a_measurement_with_absent_classes_can_be_drawn():
    few = make_split("few", 3, 1, ("MEL", "NV"))
    plots = draw_plots(measure(validation=few, test=few).evaluation, {})
    assert set(plots) == PLOTS - {"training_loss.png", "training_f1score.png"}


@pytest.fixture(scope="module")
def summarised(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("folds")
    runs = []
    for fold in range(2):
        runs.append(folder / f"fold_{fold}")
        runs[-1].mkdir()
        finish_run(
            runs[-1], make_trained(seed=fold, steps=15), train=make_split("train 0", 6),
            validation=make_split("validation"), test=make_split(f"fold {fold}", 3), about=ABOUT,
        )  # fmt: skip
    return folder, runs, summarise_runs(folder, runs)


def test_folds_are_averaged_and_pooled(summarised):
    folder, runs, summary = summarised
    single = [read(run / "test_results.json") for run in runs]
    values = [data["balanced_accuracy"] for data in single]
    assert summary.scores["balanced_accuracy"].mean == pytest.approx(sum(values) / 2)
    assert summary.scores["balanced_accuracy"].sd == pytest.approx(abs(values[0] - values[1]) / math.sqrt(2))
    matrices = np.array([data["confusion_matrix"] for data in single])
    np.testing.assert_array_equal(summary.pooled.matrix, matrices.sum(0))
    data = read(folder / "summary.json")
    assert [line["place"] for line in data["runs"]] == ["fold_0", "fold_1"]
    assert data["lesions"] == sum(one["lesions"] for one in single)
    assert data["estimates"]["overall"]["balanced_accuracy"]["low"] < data["balanced_accuracy"]
    page = parse((folder / "report.html").read_text(encoding="utf-8"))
    assert f"Balanced accuracy {summary.scores['balanced_accuracy']}" in page.text
    assert str(summary.pooled.headline) in summary.sentence


def test_each_fold_keeps_its_own_temperature(summarised):
    _, runs, _ = summarised
    parts = [read_predictions(run / "test_predictions.csv") for run in runs]
    np.testing.assert_allclose(join(parts).calibrated, np.concatenate([part.calibrated for part in parts]), atol=1e-12)
    assert len({float(part.temperature[0]) for part in parts}) == 2


def test_a_training_without_results_is_named(summarised):
    folder, runs, _ = summarised
    with pytest.raises(InputRefusedError, match="fold_7"):
        summarise_runs(folder, [*runs, folder / "fold_7"])


def test_spreads_by_hand():
    assert spread_of([0.5, 0.7, None]).mean == pytest.approx(0.6)
    assert spread_of([0.5, 0.7]).sd == pytest.approx(math.sqrt(0.02))
    assert (spread_of([0.5]).sd, spread_of([None]).mean) == (None, None)


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "00:00:00"), (59.6, "00:01:00"), (360_000, "100:00:00")])
def test_durations(seconds: float, text: str):
    assert time_text(seconds) == text


def test_squares_are_seen_as_the_network_will_see_them(finished):
    """A picture file of another size goes through the loaded classifier's own preprocessing."""
    network = load_network(finished[0] / "model")
    picture = make_split("test").pixels[0].permute(1, 2, 0).numpy()
    large = np.asarray(Image.fromarray(picture).resize((4 * SIDE, 4 * SIDE), Image.Resampling.NEAREST))
    with torch.inference_mode():
        small, big = network.logits(to_tensor(picture)), network.logits(to_tensor(large))
    assert small.argmax() == big.argmax()


def test_a_finished_run_knows_how_far_its_held_out_images_are(finished):
    folder, _ = finished
    network = load_network(folder / MODEL_FOLDER)
    reference = read_reference(folder / MODEL_FOLDER, network.sha256)
    assert reference is not None
    assert reference.threshold > 0
