"""A whole analysis on tiny models: what lies on disk afterwards, whatever goes wrong on the way."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.errors import FolderLockedError, InputRefusedError, ModelRefusedError, UsageError
from core.events import Failed, ImageDone, Progress
from core.files.folder_lock import FolderLock
from core.generation import GenerationRequest
from core.generator.image_generator import ImageGenerator
from core.jobs.stream import JobContext, JobStopped
from core.taxonomy import image_seed
from tests.support.stopping_job import StoppingJob
from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.tiny_models import write_tiny_pack
from xai.explain import get_classifier
from xai.trajectory import plots, run
from xai.trajectory.analysis import STAGES
from xai.trajectory.controls import CONTROLS, NULLS
from xai.trajectory.folders import is_complete
from xai.trajectory.request import Analysed, AnalysisFinished, AnalysisStarted, TrajectoryRequest, parse_classes
from xai.trajectory.run import run_analysis
from xai.trajectory.shift import INTERVENTIONS
from xai.trajectory.target import make_target

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def make_request(models, classifier, tmp_path):
    def make(**flags):
        values = {"models": models, "classifier": classifier, "device": "cpu", "steps": 6, "groups": 3, **flags}
        return TrajectoryRequest(values.pop("output", tmp_path / "out"), **values)

    return make


@pytest.fixture
def no_plots(monkeypatch):
    """For tests that are not about pictures: plots are most of the time that a tiny image takes."""
    monkeypatch.setattr(run, "pictures_of_image", lambda _analysis: {})
    monkeypatch.setattr(run, "statistics_figure", lambda _summary: b"")
    monkeypatch.setattr(run, "times_figure", lambda _summary: b"")


def read(folder):
    return json.loads((folder / "analysis.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)


def collect(request):
    events = []
    return run_analysis(request, JobContext(tell=events.append)), events


@pytest.fixture(scope="module")
def analysed(models, classifier, tmp_path_factory):
    """One image, analysed in full."""
    request = TrajectoryRequest(
        tmp_path_factory.mktemp("analysed") / "out", models=models, classifier=classifier, device="cpu", steps=6,
        groups=3,
    )  # fmt: skip
    return (request, *collect(request))


def test_the_events_tell_of_the_whole_and_the_fraction_only_grows(analysed):
    request, finished, events = analysed
    assert isinstance(events[0], AnalysisStarted)
    assert events[0].to_json()["parts"] == ["MEL 0 (seed 2133561722)"]
    assert isinstance(events[-2], Analysed)
    assert events[-2].to_json()["class"] == "MEL"
    assert events[-1] is finished
    assert finished.report == request.output / "report.html"
    fractions = [event.fraction for event in events if isinstance(event, Progress)]
    assert fractions == sorted(fractions)
    assert 0 == fractions[0] < fractions[-1] <= 1.0
    stages = list(dict.fromkeys(event.words for event in events if isinstance(event, Progress)))
    assert stages == [stage.words for stage in STAGES.values()]
    (began,) = (e for e in events if isinstance(e, Progress) and e.unit == "coalitions" and e.done == 0)
    assert began.sentence == "Time-SHAP (0 of 8)"
    json.dumps([event.to_json() for event in events], allow_nan=False)


def test_the_files_have_the_names_that_the_predecessor_gave_them(analysed):
    request, _, _ = analysed
    names = {path.name for path in request.output.iterdir()}
    data = read(request.output)
    steps = [f"{frame['timestep']:g}" for frame in data["frames"]]
    expected = {"analysis.json", "report.html", "request.json", "trajectory.npz", "maps.npz", "time_shap.npz"}
    expected |= {"trajectory_all_steps.png", "probabilities_over_time.png", "time_shap_analysis.png"}
    expected |= {"statistical_analysis.png", "gradcam_overview.png", "gradcam_summary_all_timesteps.png"}
    for t in steps:
        expected |= {f"xai_step_t_{t}.png", f"xai_step_t_{t}_IG.png", f"interventions_t_{t}.png", f"gradcam_t_{t}.png"}
    assert expected <= names
    assert len(names - expected) == 1  # the most important step's own
    assert (names - expected).pop().startswith("gradcam_most_important_t")
    for name in data["pictures"]:
        with Image.open(request.output / name) as picture:
            picture.load()
    assert data["pictures_failed"] == {}


def test_the_json_is_small_finite_and_has_the_documented_keys(analysed):
    request, _, _ = analysed
    data = read(request.output)
    documented = (PROJECT / "docs" / "trajectory.md").read_text(encoding="utf-8")
    missing = [key for key in data if f"`{key}`" not in documented]
    missing += [key for part in ("time_shap", "csi", "image") for key in data[part] if f"`{key}`" not in documented]
    assert not missing
    assert (request.output / "analysis.json").stat().st_size < 100_000
    assert (data["format"], data["kind"], data["complete"]) == (2, "image", True)
    assert data["classification"]["predicted"] in data["classifier"]["classes"]
    for frame in data["frames"]:
        assert sum(frame["probabilities"].values()) == pytest.approx(1)
        assert set(frame["maps"]) == {"ig", "gradcam"}
        assert set(frame["interventions"]) == set(INTERVENTIONS)
    controls = data["csi"]["controls"]
    assert list(controls) == list(CONTROLS)
    assert {name for name, row in controls.items() if row["must_collapse"]} == set(NULLS)
    assert "E[|dF(top)|] - E[|dF(bottom)|]" in data["csi"]["formula"]
    assert all(len(shift["dF_random"]) == 20 for shift in data["csi"]["interventions"].values())


def test_the_numbers_agree_with_the_arrays(analysed):
    request, _, _ = analysed
    data, folder = read(request.output), request.output
    played = data["time_shap"]
    phi = [group["phi"] for group in played["groups"]]
    assert sum(phi) == pytest.approx(played["v_all"] - played["v_none"], abs=1e-4)
    assert played["segments_walked"] == 14
    with np.load(folder / "time_shap.npz") as arrays:
        np.testing.assert_allclose(arrays["phi"], phi)
        assert arrays["values"].shape == (8,)
        assert arrays["pixel_shares"].shape == (3, 16, 16, 3)
    with np.load(folder / "maps.npz") as arrays:
        assert arrays["ig"].shape == (2, 16, 16, 3)
        assert arrays["ig"].dtype == np.float32
        assert (arrays["top"].sum(axis=(1, 2)) == 26).all()
        assert (arrays["bottom"].sum(axis=(1, 2)) == 26).all()
    with np.load(folder / "trajectory.npz") as arrays, np.load(folder / "time_shap.npz") as time:
        np.testing.assert_array_equal(arrays["x0_pictures"][-1], time["picture"])
        assert arrays["x_t"].shape == (2, 16, 16, 3)


def test_the_page_says_the_verdict_and_holds_the_pictures(analysed):
    request, finished, _ = analysed
    page = finished.report.read_text(encoding="utf-8")
    data = read(request.output)
    assert data["verdict"][0].split(",")[0] in page
    assert "anecdote: n = 1, no test" in page
    assert page.count("data:image/png;base64,") >= 8
    assert not re.search("https?:", page.replace("http://www.w3.org", ""))


def test_a_plot_that_fails_costs_no_number(make_request, monkeypatch):
    def broken(_analysis):
        raise ValueError("boxplot(labels=...) is gone")

    monkeypatch.setattr(plots, "time_shap_figure", broken)
    request = make_request(quick=True)
    finished, _ = collect(request)
    data = read(request.output)
    assert data["complete"] is True
    assert data["pictures_failed"] == {"time_shap_analysis.png": "ValueError('boxplot(labels=...) is gone')"}
    assert len(data["time_shap"]["groups"]) == 3
    assert "statistical_analysis.png" in data["pictures"]
    assert "boxplot" in finished.report.read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_plots")
def test_maps_and_the_shuffled_heads_take_the_baseline_that_was_asked_for(make_request, tmp_path):
    rows = []
    for baseline in ("skin", "black"):
        request = make_request(quick=True, baseline=baseline, steps=2, groups=1, output=tmp_path / baseline)
        collect(request)
        data = read(request.output)
        assert data["settings"]["baseline"] == baseline
        assert data["frames"][-1]["maps"]["ig"]["baseline"] == baseline
        rows.append(data["csi"]["controls"]["shuffled_head_map"])
    assert rows[0] != rows[1]
    with pytest.raises(UsageError, match="no baseline 'green'"):
        make_request(baseline="green")


def test_numbers_are_on_disk_before_the_first_picture(make_request, monkeypatch):
    seen = []
    monkeypatch.setattr(plots, "mosaic", lambda _analysis: seen.append(read(request.output)) or b"")
    request = make_request(quick=True)
    collect(request)
    assert seen[0]["complete"] is False
    assert len(seen[0]["time_shap"]["groups"]) == 3


def test_several_images_get_a_summary_that_counts_images(make_request, monkeypatch):
    monkeypatch.setattr(run, "pictures_of_image", lambda _analysis: {})  # tested above; here the summary's are drawn
    request = make_request(classes=("MEL", "NV"), count=2, quick=True)
    finished, events = collect(request)
    data = read(request.output)
    assert (data["kind"], data["images"]) == ("summary", {"MEL": 2, "NV": 2})
    documented = (PROJECT / "docs" / "trajectory.md").read_text(encoding="utf-8")
    assert not [key for key in (*data, *data["comparisons"][0]) if f"`{key}`" not in documented]
    assert len(data["comparisons"]) == 3 * 4 * (1 + len(CONTROLS)) * 2
    assert [null["control"] for null in data["nulls"]] == list(NULLS)
    assert max(row["n"] for row in data["comparisons"]) == 4  # never the number of steps
    assert [path.is_dir() for path in (request.output / name for name in data["parts"])] == [True] * 4
    assert sum(isinstance(event, Analysed) for event in events) == 4
    assert "no test of that class can be significant" in finished.verdict
    assert data["pictures"] == ["statistical_analysis.png", "time_shap_summary.png"]
    page = finished.report.read_text(encoding="utf-8")
    assert all(f'href="{name}/report.html"' in page for name in data["parts"])


@pytest.mark.usefixtures("no_plots")
def test_a_stop_keeps_what_is_finished_and_the_same_request_goes_on(make_request):
    request = make_request(count=3, quick=True)
    events = []
    with pytest.raises(JobStopped):
        run_analysis(request, StoppingJob(lambda: any(isinstance(e, Analysed) for e in events), events.append))
    done = [event.folder for event in events if isinstance(event, Analysed)]
    before = (done[0] / "analysis.json").stat().st_mtime_ns
    finished, later = collect(request)
    assert later[0].finished_parts == 1
    assert sum(isinstance(event, Analysed) for event in later) == 2
    assert (done[0] / "analysis.json").stat().st_mtime_ns == before
    assert isinstance(finished, AnalysisFinished)
    assert not list(request.output.rglob("*.tmp"))
    assert not (request.output / ".work").exists()


@pytest.mark.usefixtures("no_plots")
def test_a_kill_leaves_only_whole_parts_and_the_same_command_finishes(models, classifier, tmp_path):
    command = [
        sys.executable, "main.py", "trajectory", "--class", "MEL", "--count", "3", "--quick", "--groups", "2",
        "--steps", "4", "--models", str(models), "--classifier", str(classifier), "--output", str(tmp_path / "out"),
        "--json",
    ]  # fmt: skip
    environment = {**os.environ, "ISICGUI_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        while json.loads(child.stdout.readline())["event"] != "analysed":
            pass
        assert json.loads(child.stdout.readline())["event"] == "progress"  # somewhere in the second image
        child.kill()
    parts = [path for path in (tmp_path / "out").iterdir() if path.name.startswith("MEL_")]
    for part in parts:
        if (part / "analysis.json").exists():
            read(part)
    assert sum(map(is_complete, parts)) in (1, 2)
    request = TrajectoryRequest(
        tmp_path / "out", count=3, quick=True, groups=2, steps=4, models=models, classifier=classifier
    )
    _, events = collect(request)  # the same request: what the command line stands for
    assert events[0].finished_parts >= 1
    assert read(tmp_path / "out")["images"] == {"MEL": 3}
    assert not list((tmp_path / "out").rglob("*.tmp"))


@pytest.mark.usefixtures("no_plots")
def test_a_set_of_images_can_be_enlarged(make_request):
    collect(make_request(quick=True, count=2))
    finished, events = collect(make_request(quick=True, count=2, classes=("MEL", "NV")))
    assert events[0].finished_parts == 2
    assert read(finished.output)["images"] == {"MEL": 2, "NV": 2}


@pytest.mark.usefixtures("no_plots")
def test_another_request_does_not_overwrite_an_analysis(make_request):
    collect(make_request(quick=True))
    with pytest.raises(UsageError, match="holds another analysis"):
        collect(make_request(quick=True, seed=7))


@pytest.mark.usefixtures("no_plots")
@pytest.mark.parametrize("kept", [(), ("notes.txt",)])
def test_a_refused_request_leaves_nothing_and_may_be_corrected(make_request, tmp_path, kept):
    out = tmp_path / "out"
    for name in kept:
        out.mkdir()
        (out / name).write_text("mine", encoding="utf-8")
    with pytest.raises(ModelRefusedError):
        collect(make_request(models=tmp_path / "nowhere"))
    assert out.exists() is bool(kept)
    assert [path.name for path in tmp_path.glob("out/*")] == list(kept)
    collect(make_request(quick=True))
    assert is_complete(out)


@pytest.mark.usefixtures("no_plots")
def test_a_request_stopped_before_its_first_result_may_give_way_to_another(make_request):
    with pytest.raises(JobStopped):
        run_analysis(make_request(quick=True), StoppingJob(lambda: True))
    finished, _ = collect(make_request(quick=True, seed=7))
    assert read(finished.output)["image"]["seed"] == image_seed("MEL", 0, 7)


@pytest.mark.usefixtures("no_plots")
def test_the_finished_request_again_only_tells_the_result(make_request):
    first, _ = collect(make_request(quick=True))
    again, events = collect(make_request(quick=True))
    assert again.verdict == first.verdict
    assert not [event for event in events if isinstance(event, Analysed)]


@pytest.mark.usefixtures("no_plots")
def test_in_an_output_folder_each_analysis_gets_its_own_and_an_unfinished_one_is_found(make_request, tmp_path):
    (tmp_path / "out" / ".isicgui").mkdir(parents=True)
    request = make_request(quick=True)
    events = []
    with pytest.raises(JobStopped):
        run_analysis(request, StoppingJob(lambda: len(events) > 3, events.append))
    began = events[0].output
    assert began.parent == tmp_path / "out" / "xai_results"
    assert began.name.startswith("xai_analysis_MEL_")
    finished, _ = collect(request)
    assert finished.output == began
    second, _ = collect(request)
    assert second.output != began


def test_two_processes_do_not_write_one_analysis(make_request, tmp_path):
    work = tmp_path / "out" / ".work"
    work.mkdir(parents=True)
    with FolderLock(work), pytest.raises(FolderLockedError):
        collect(make_request(quick=True))


@pytest.mark.usefixtures("no_plots")
def test_a_class_without_a_model_is_told_and_the_others_are_analysed(make_request, tmp_path, monkeypatch):
    folder = tmp_path / "one"
    write_tiny_pack(folder / "MEL", num_classes=None)
    request = make_request(models=folder, classes=("MEL", "NV"), quick=True, steps=3)
    _, events = collect(request)
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert (failed.class_code, failed.kind) == ("NV", "model_missing")
    assert read(request.output)["images"] == {"MEL": 1}
    with pytest.raises(ModelRefusedError):
        collect(make_request(models=folder, classes=("NV",), output=tmp_path / "none"))


def test_a_classifier_that_does_not_know_the_class_is_refused(classifier):
    judge = replace(get_classifier(classifier, "cpu"), classes=("NV", "BCC", "AKIEC", "BKL", "DF", "VASC", "unnamed"))
    with pytest.raises(InputRefusedError, match="has no class MEL"):
        make_target(judge, "MEL")


@pytest.mark.usefixtures("no_plots")
def test_a_random_head_is_called_no_evidence_first_of_all(make_request, tmp_path):
    judge = write_tiny_classifier(tmp_path / "judge", trained=False)
    request = make_request(classifier=judge, quick=True, steps=2, groups=1)
    finished, _ = collect(request)
    assert finished.verdict.startswith("Reliability check: failed")
    assert read(request.output)["gate"]["level"] == "red"


@pytest.mark.usefixtures("no_plots")
def test_an_image_file_is_analysed_by_its_recipe(make_request, models, tmp_path):
    generation = GenerationRequest((("BKL", 1),), models, tmp_path / "images", steps=5, seed=3, device="cpu")
    (file,) = [event.file for event in ImageGenerator().generate(generation) if isinstance(event, ImageDone)]
    request = make_request(image=file, quick=True, output=tmp_path / "images")
    finished, _ = collect(request)
    data = read(finished.output)
    assert finished.output.name.startswith("xai_analysis_BKL_")
    assert (data["image"]["class"], data["image"]["steps"]) == ("BKL", 5)
    with np.load(finished.output / "trajectory.npz") as arrays:
        np.testing.assert_array_equal(arrays["x0_pictures"][-1], np.asarray(Image.open(file)))


@pytest.fixture
def made_image(models, tmp_path):
    """Return a function that makes an image, changes its pixels, and keeps the recipe inside it."""
    generation = GenerationRequest((("BKL", 1),), models, tmp_path / "images", steps=3, device="cpu")
    (file,) = [event.file for event in ImageGenerator().generate(generation) if isinstance(event, ImageDone)]

    def edited(change):
        chunks = PngInfo()
        with Image.open(file) as image:
            for key, text in image.text.items():
                chunks.add_text(key, text)
            changed = Image.fromarray(change(np.asarray(image).copy()))
        changed.save(tmp_path / "edited.png", pnginfo=chunks)
        return tmp_path / "edited.png"

    return edited


@pytest.mark.usefixtures("no_plots")
def test_an_image_that_is_not_what_its_recipe_makes_is_told_so(make_request, made_image):
    def lighter(pixels):
        pixels[3, 4, 1] ^= 128
        return pixels

    finished, _ = collect(make_request(image=made_image(lighter), quick=True))
    image = read(finished.output)["image"]
    assert image["differs_from_file_by"] == 128
    assert "differs from the file by up to 128 of 255 levels" in finished.verdict
    whole, _ = collect(make_request(image=made_image(lambda pixels: pixels), quick=True, output=finished.output / "b"))
    assert read(whole.output)["image"]["differs_from_file_by"] == 0
    assert "of 255 levels" not in whole.verdict


@pytest.mark.usefixtures("no_plots")
def test_an_image_of_another_size_than_its_recipe_makes_is_refused(make_request, made_image):
    request = make_request(image=made_image(lambda pixels: pixels[:-2]), quick=True)
    with pytest.raises(InputRefusedError, match="16 x 14 pixels, but its recipe makes 16 x 16"):
        collect(request)


def test_parts_of_one_image_lie_in_the_folder_itself(make_request):
    assert run._parts(make_request().planned(), Path("x"))[0].folder == Path("x")
    assert parse_classes("all")[0] == "MEL"
    assert parse_classes("nv, MEL") == ("MEL", "NV")
