"""What is left on disk: complete, strictly valid, readable without anything else, and honest about missing maps."""

from __future__ import annotations

import base64
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import OutputError
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier
from tests.xai.builders import RED, explanation
from xai import report
from xai.explain import explain_image
from xai.explanation import ExplainOptions
from xai.report import save_explanations
from xai.xai_integration import default_folder, run_xai_analysis


def strict(path):
    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.sources, self.depth = [], 0

    def handle_starttag(self, tag, attributes):
        self.sources += [value for name, value in attributes if name in ("src", "href")]


def test_everything_that_was_promised_is_there(tmp_path):
    values = np.random.default_rng(0).normal(size=(8, 6))
    made = [explanation(values, source=Path("/somewhere/ISIC_0000001.png")), explanation(source=None)]
    saved = save_explanations(made, tmp_path / "new" / "folder")
    assert saved.folder == tmp_path / "new" / "folder"
    assert [p.name for p in saved.overlays] == ["ISIC_0000001_ig_MEL_overlay.png", "image_ig_MEL_overlay.png"]
    named = {*saved.overlays, *saved.figures, *saved.arrays, saved.analysis, saved.report}
    assert {*saved.folder.iterdir()} == named | {saved.folder / "comparison.png"}
    data = strict(saved.analysis)
    assert data["format"] == 2
    assert len(data["explanations"]) == 2
    first = data["explanations"][0]
    assert first["image"] == "ISIC_0000001.png"
    assert first["score"] == 2.0
    assert first["gate"] == {"level": "green", "reasons": []}
    assert first["map_shown"] is True
    assert first["colour_scale"] > 0
    assert first["classification"]["probabilities"]["MEL"] == 0.7
    assert all((saved.folder / name).is_file() for name in first["files"].values())


def test_raw_arrays_come_back_bit_for_bit(tmp_path):
    made = explanation(np.random.default_rng(0).normal(size=(8, 6)))
    saved = save_explanations([made], tmp_path)
    with np.load(saved.arrays[0], allow_pickle=False) as arrays:
        assert arrays["attribution"].dtype == np.float32
        assert np.array_equal(arrays["attribution"], made.attribution)
        assert np.array_equal(arrays["image"], made.image)
        parameters = json.loads(str(arrays["parameters"]))
    assert parameters == strict(saved.analysis)["explanations"][0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_value_that_json_does_not_know(tmp_path, bad):
    made = explanation(np.full((8, 6), bad), RED, score=bad, baseline_score=bad, delta=bad, relative_delta=bad)
    saved = save_explanations([made, explanation()], tmp_path)
    broken = strict(saved.analysis)["explanations"][0]
    assert broken["score"] is broken["delta"] is broken["relative_delta"] is broken["colour_scale"] is None
    assert broken["map_shown"] is False
    assert "not a number" in saved.report.read_text(encoding="utf-8")


def test_the_page_needs_nothing_else(tmp_path):
    saved = save_explanations([explanation(), explanation(gate=RED)], tmp_path)
    page = saved.report.read_text(encoding="utf-8")
    links = Links()
    links.feed(page)
    assert len(links.sources) == 3, "comparison and two figures"
    for source in links.sources:
        with Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,")))) as picture:
            picture.verify()
    assert not re.search("https?:", re.sub(r'base64,[^"]*', "", page))
    assert "CHECKS FAILED" in page
    assert "it is random" in page
    assert "never a diagnosis" in page


def test_file_names_cannot_inject_html(tmp_path):
    saved = save_explanations([explanation(source=Path('a<script>alert("x")</script>.png'))], tmp_path)
    assert "<script" not in saved.report.read_text(encoding="utf-8")
    assert all(p.is_file() for p in (*saved.overlays, *saved.figures, *saved.arrays))


def test_images_of_the_same_name_do_not_overwrite_each_other(tmp_path):
    made = [explanation(np.full((8, 6), i + 1.0), source=Path(f"{i}/a.png")) for i in range(3)]
    saved = save_explanations(made, tmp_path)
    assert len({*saved.overlays, *saved.figures, *saved.arrays}) == 9
    for index, path in enumerate(saved.arrays):
        with np.load(path) as arrays:
            assert arrays["attribution"].sum() == pytest.approx(48 * (index + 1), rel=1e-5)


def test_a_red_explanation_is_saved_without_a_map(tmp_path):
    one, two = (save_explanations([explanation(np.full((8, 6), v), RED)], tmp_path / str(v)) for v in (1.0, -1.0))
    assert one.overlays[0].read_bytes() == two.overlays[0].read_bytes()
    assert strict(one.analysis)["explanations"][0]["map_shown"] is False


def test_the_scale_of_the_comparison_is_the_strongest_map(tmp_path):
    made = [explanation(np.full((8, 6), v), source=Path(f"{v}.png")) for v in (0.1, 1.0)]
    data = strict(save_explanations(made, tmp_path).analysis)
    scales = [e["colour_scale"] for e in data["explanations"]]
    assert scales == pytest.approx([0.1, 1.0], rel=1e-5)
    assert data["comparison_scales"] == {"logits per pixel": pytest.approx(1.0, rel=1e-5)}


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        save_explanations([explanation()], tmp_path / "file" / "folder")


def test_run_xai_analysis(tmp_path):
    classifier = write_tiny_classifier(tmp_path / "c")
    image = tmp_path / "out" / "MEL" / "ISIC_0000007.png"
    image.parent.mkdir(parents=True)
    Image.fromarray(draw_lesion("MEL", 7)).save(image)
    overlay, saved = run_xai_analysis(str(image), "cpu", str(classifier))
    assert saved.is_file()
    assert re.fullmatch(r"\d{8}_\d{6}_\d{3}_MEL_ISIC_0000007", saved.parent.name)
    assert saved.parent.parent == tmp_path / "out" / "xai_results"
    with Image.open(saved) as picture:
        assert np.array_equal(np.asarray(picture), np.asarray(overlay))
    _, elsewhere = run_xai_analysis(image, "cpu", classifier, tmp_path / "here")
    assert elsewhere.parent == tmp_path / "here"
    assert strict(elsewhere.parent / "analysis.json")["explanations"][0]["target"] == "MEL"


def test_an_image_outside_a_class_folder_gets_its_results_beside_it(tmp_path):
    assert default_folder(tmp_path / "photo.png").parent == tmp_path / "xai_results"


def test_a_whole_analysis_of_a_random_head_shows_no_map(tmp_path):
    random = write_tiny_classifier(tmp_path / "c", trained=False)
    trained = write_tiny_classifier(tmp_path / "t")
    pictures = {}
    for name, classifier in (("random", random), ("trained", trained)):
        (made,) = explain_image(draw_lesion("MEL", 7), ExplainOptions(classifier=classifier, device="cpu"), label="MEL")
        pictures[name] = np.asarray(Image.open(save_explanations([made], tmp_path / name).overlays[0])).astype(int)
    colour = {name: np.ptp(p[: len(p) // 4], axis=2).max() for name, p in pictures.items()}
    assert colour["random"] <= 1
    assert colour["trained"] > 1


def maps_of(name, *methods, **fields):
    rng = np.random.default_rng(0)
    return [
        explanation(rng.normal(size=(8, 6)), method=method, source=Path(name), relative_delta=0.001, **fields)
        for method in methods
    ]


def test_what_a_method_was_run_with_is_kept(tmp_path):
    extra = {
        "parameters": {"players": 4, "values": [1.0, -2.0, 0.5, 0.0], "exact": False, "layer": "relu2"},
        "standard_error": np.random.default_rng(0).random((8, 6)).astype(np.float32),
        "segments": (np.arange(48) % 4).reshape(8, 6).astype(np.int32),
        "cell": (4.0, 3.0),
        "faithfulness": {"measures": [], "seconds": 0.1},
    }
    (made,) = maps_of("a.png", "shapley", **extra)
    saved = save_explanations([made], tmp_path)
    (told,) = strict(saved.analysis)["explanations"]
    assert told["parameters"] == extra["parameters"]
    assert told["cell"] == [4.0, 3.0]
    assert told["unit"] == "logits per pixel of a superpixel"
    assert told["faithfulness"] == extra["faithfulness"]
    with np.load(saved.arrays[0], allow_pickle=False) as arrays:
        assert np.array_equal(arrays["standard_error"], extra["standard_error"])
        assert np.array_equal(arrays["segments"], extra["segments"])
        assert arrays["segments"].dtype == np.int32
    page = saved.report.read_text(encoding="utf-8")
    assert "3.0 x 4.0 pixels" in page
    assert "1, -2, 0.5, 0" in page


def test_arrays_that_a_method_has_not_are_not_there(tmp_path):
    saved = save_explanations([explanation()], tmp_path)
    with np.load(saved.arrays[0]) as arrays:
        assert set(arrays.files) == {"attribution", "image", "parameters"}


@pytest.mark.parametrize(("gap", "level"), [(0.002, "good"), (0.02, "doubt"), (0.2, "bad")])
def test_the_gap_is_a_badge_in_the_colour_of_its_level(tmp_path, gap, level):
    page = save_explanations([explanation(relative_delta=gap)], tmp_path).report.read_text(encoding="utf-8")
    assert re.search(rf'<span class="{level}">. completeness error {gap:.2%}</span>', page)


@pytest.mark.parametrize("method", ["combined", "gradcam", "layercam", "occlusion", "smoothgrad"])
def test_methods_that_do_not_add_up_have_no_badge_and_no_such_praise(tmp_path, method):
    page = save_explanations(maps_of("a.png", method), tmp_path).report.read_text(encoding="utf-8")
    assert not re.search(r"completeness error \d", page)
    assert "completeness error within limits" not in page
    assert "Validated classifier" in page


def test_methods_that_compare_with_no_baseline_name_none(tmp_path):
    told = strict(save_explanations(maps_of("a.png", "gradcam", "occlusion"), tmp_path).analysis)["explanations"]
    assert [e["baseline"] for e in told] == [None, "skin"]


def test_agreement_is_told_for_each_picture_and_target_by_itself(tmp_path):
    made = [*maps_of("a.png", "ig", "gradcam", "occlusion"), *maps_of("b.png", "ig", "gradcam")]
    made += [*maps_of("c.png", "ig"), *maps_of("d.png", "ig", "gradcam", gate=RED)]
    saved = save_explanations(made, tmp_path)
    agreement = strict(saved.analysis)["agreement"]
    assert [(said["image"], len(said["pairs"])) for said in agreement] == [("a.png", 3), ("b.png", 1)]
    assert {(p["a"], p["b"]) for p in agreement[0]["pairs"]} == {
        ("ig", "gradcam"), ("ig", "occlusion"), ("gradcam", "occlusion"),
    }  # fmt: skip
    assert "Do the methods agree?" in saved.report.read_text(encoding="utf-8")


def test_each_map_is_on_disk_before_the_next_is_made(tmp_path):
    def made():
        yield explanation(source=Path("a.png"))
        assert (tmp_path / "a_ig_MEL_overlay.png").is_file()
        assert (tmp_path / "a_ig_MEL.npz").is_file()
        yield explanation(source=Path("b.png"))

    assert len(save_explanations(made(), tmp_path).overlays) == 2


def test_a_long_report_lists_what_it_does_not_show(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "MAX_FIGURES", 2)
    monkeypatch.setattr(report, "MAX_COMPARED", 2)
    saved = save_explanations([explanation(source=Path(f"{i}.png")) for i in range(4)], tmp_path)
    page = saved.report.read_text(encoding="utf-8")
    assert page.count("data:image/png") == 3, "comparison and two figures"
    assert "2 more maps" in page
    assert "3_ig_MEL_figure.png" in page
    assert "2 more maps are not on this sheet" in page
    assert len(strict(saved.analysis)["explanations"]) == 4
