"""From a file to an explanation: which class, which numbers, which verdict, and what happens to odd pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from core.errors import DeviceError, InputRefusedError, UnknownClassError
from core.jobs.stream import JobStopped
from core.models.classification.loading import to_tensor
from dataset.png import encode_png
from dataset.recipe import Recipe
from measures.features import equal_length
from measures.reference import Reference
from tests.support.stopping_job import StoppingJob
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier
from xai.baselines import BASELINES
from xai.classifier import load_classifier
from xai.explain import classify_image, clear_cache, explain_image, get_classifier
from xai.explanation import ExplainOptions
from xai.subject import MAX_SIDE, read_subject


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return write_tiny_classifier(tmp_path_factory.mktemp("classifier"))


def options(classifier, **changes):
    return ExplainOptions(classifier=classifier, device="cpu", **changes)


def recipe(code):
    return Recipe(
        class_code=code, index=0, seed=1, noise_hash="0" * 16, sampler="ddim", steps=5, scheduler={}, guidance=1.0,
        weights="w", weights_sha256="0" * 64, models="m", color=None, precision="fp32", device="cpu", batch_size=1,
        threads=1, image_size=32, product_version="0",
    )  # fmt: skip


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("baseline", BASELINES)
def test_the_numbers_of_an_explanation_fit_together(classifier, baseline):
    image = draw_lesion("MEL", 500, side=50)
    (found,) = explain_image(image, options(classifier, baseline=baseline), label="MEL")
    assert found.attribution.shape == (50, 50, 3)
    assert found.attribution.dtype == np.float32
    assert np.array_equal(found.image, image)
    assert found.score == pytest.approx(found.classification.logits["MEL"], abs=1e-3)
    total = found.attribution.sum(dtype=np.float64)
    assert total == pytest.approx(found.score - found.baseline_score + found.delta, abs=1e-3)
    assert found.relative_delta == pytest.approx(abs(found.delta / (found.score - found.baseline_score)))
    assert found.relative_delta < 0.01
    assert (found.method, found.target, found.baseline) == ("ig", "MEL", baseline)
    if found.score > found.baseline_score:
        assert found.gate.level == "green", found.gate.reasons
    else:
        assert "The baseline alone scores" in found.gate.reasons[0]
    assert len(found.classifier_sha256) == 64
    assert found.seconds > 0


def test_most_of_it_lies_on_the_lesion(classifier):
    image = draw_lesion("MEL", 7)
    (found,) = explain_image(image, options(classifier), label="MEL")
    lesion = image.sum(axis=2) < 300
    assert 0.1 < lesion.mean() < 0.5
    mass = np.abs(found.attribution.sum(axis=2))
    assert mass[lesion].sum() > 0.9 * mass.sum()


def test_classification(classifier):
    found = classify_image(draw_lesion("VASC", 7), classifier, "cpu")
    assert found.predicted == "VASC"
    assert found.gate.level == "green"
    assert sum(found.probabilities.values()) == pytest.approx(1)
    logits = torch.tensor(list(found.logits.values()), dtype=torch.float64)
    assert list(found.probabilities.values()) == pytest.approx(logits.softmax(0).tolist())


def test_the_temperature_changes_probabilities_and_not_logits(classifier, tmp_path):
    warm = write_tiny_classifier(tmp_path / "warm", temperature=20.0)
    image = draw_lesion("MEL", 7)
    cold, soft = classify_image(image, classifier, "cpu"), classify_image(image, warm, "cpu")
    assert cold.logits == soft.logits
    assert max(soft.probabilities.values()) < max(cold.probabilities.values()) - 0.05


def test_the_label_of_a_recipe_goes_before_sidecar_and_folder(classifier, tmp_path):
    pixels = draw_lesion("NV", 3)
    image = tmp_path / "BKL" / "a.png"
    save(image, pixels)
    assert read_subject(image).label == "BKL"
    image.with_suffix(".json").write_text(json.dumps({"class": "DF"}))
    assert read_subject(image).label == "DF"
    image.write_bytes(encode_png(pixels, recipe("NV")))
    assert read_subject(image).label == "NV"
    (found,) = explain_image(image, options(classifier))
    assert found.target == "NV"
    assert found.source == image
    assert found.notes[0] == "Explained: NV (from the image's recipe)."
    assert read_subject(image, "vasc").label == "VASC"


@pytest.mark.parametrize("sidecar", ["{", '{"class": "moon"}', '{"class": ["MEL"]}', "[]", "null"])
def test_a_useless_sidecar_is_no_label(tmp_path, sidecar):
    image = save(tmp_path / "photos" / "a.png", draw_lesion("NV"))
    image.with_suffix(".json").write_text(sidecar)
    assert read_subject(image).label is None


def test_without_a_label_the_answer_is_explained_and_it_is_said(classifier):
    (found,) = explain_image(draw_lesion("BCC", 3), options(classifier))
    assert found.target == "BCC"
    assert "No label is known" in found.notes[0]
    assert found.gate.level == "green"


def test_explaining_another_class_is_amber_with_the_reason(classifier):
    (found,) = explain_image(draw_lesion("BCC", 3), options(classifier, target="nv"), label="BCC")
    assert found.target == "NV"
    assert found.gate.level == "amber"
    assert "explains NV, which is not the predicted class (BCC)" in found.gate.reasons[0]


def test_an_image_that_looks_like_another_class_is_amber(classifier):
    (found,) = explain_image(draw_lesion("BCC", 3), options(classifier), label="NV")
    assert found.target == "NV"
    assert found.gate.reasons == ("Target class: NV; predicted class: BCC.",)


def test_a_class_that_the_classifier_does_not_have(tmp_path):
    write_tiny_classifier(tmp_path / "c", trained=False)
    record = json.loads((tmp_path / "c" / "classifier.json").read_text())
    from safetensors.torch import load_file, save_file

    state = load_file(tmp_path / "c" / "model.safetensors")
    state = {**state, "fc.weight": state["fc.weight"][:2].clone(), "fc.bias": state["fc.bias"][:2].clone()}
    save_file(state, tmp_path / "c" / "model.safetensors")
    (tmp_path / "c" / "classifier.json").write_text(json.dumps({**record, "classes": ["NV", "BKL"]}))
    (found,) = explain_image(draw_lesion("MEL", 3), options(tmp_path / "c", target="MEL"))
    assert found.target in ("NV", "BKL")
    assert "has no class MEL" in found.notes[0]


def test_weak_evidence_is_measured_against_real_images(tmp_path):
    image = draw_lesion("MEL", 3)
    strong = write_tiny_classifier(tmp_path / "c", strength_p5=1e6)
    (found,) = explain_image(image, options(strong), label="MEL")
    assert found.gate.level == "amber"
    assert "Small effect" in found.gate.reasons[0]
    (other,) = explain_image(image, options(strong, baseline="blur"), label="MEL")
    assert other.gate.level == "green", "the record speaks about the skin baseline only"


def test_an_untrained_head_is_red_and_only_that_is_said(tmp_path):
    random = write_tiny_classifier(tmp_path / "c", trained=False)
    (found,) = explain_image(draw_lesion("MEL", 3), options(random), label="MEL")
    assert found.gate.level == "red"
    assert len(found.gate.reasons) == 1
    assert classify_image(draw_lesion("MEL", 3), random, "cpu").gate.level == "red"


def test_a_picture_that_is_its_own_baseline(classifier):
    plain = np.full((20, 20, 3), (224, 180, 156), np.uint8)
    (found,) = explain_image(plain, options(classifier))
    assert not found.attribution.any()
    assert found.relative_delta is None
    assert found.gate.level == "amber"
    assert any("nearly the same logit" in reason for reason in found.gate.reasons)


@pytest.mark.parametrize("after", [0, 2])
def test_cancelling(classifier, after):
    calls = iter(range(1000))
    with pytest.raises(JobStopped):
        explain_image(draw_lesion("MEL"), options(classifier), context=StoppingJob(lambda: next(calls) >= after))
    assert next(calls) == after + 1, "not asked again"


@pytest.mark.parametrize(
    "mode",
    ["L", "RGBA", "P", "I;16", "1", "LA", "CMYK"],
)
def test_pictures_of_other_kinds(classifier, tmp_path, mode):
    path = tmp_path / "a.tif"
    if mode == "I;16":
        Image.fromarray(np.arange(1600, dtype=np.uint16).reshape(40, 40) * 40).save(path)
    else:
        Image.fromarray(draw_lesion("NV", side=40)).convert(mode).save(path)
    (found,) = explain_image(path, options(classifier))
    assert found.image.shape == (40, 40, 3)
    assert np.isfinite(found.attribution).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (45, 60), (2, 900)])
def test_pictures_of_other_shapes(classifier, shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    (found,) = explain_image(image, options(classifier))
    assert found.attribution.shape == (*shape, 3)


@pytest.mark.parametrize(
    ("shape", "said"),
    [((1, 1), ["has only 1 x 1 pixels"]), ((31, 400), ["has only 400 x 31 pixels"]), ((32, 400), []), ((40, 40), [])],
)
def test_a_picture_too_small_to_show_a_lesion_is_doubtful(classifier, shape, said):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    answer = classify_image(image, classifier, "cpu")
    (found,) = explain_image(image, options(classifier))
    for gate in (answer.gate, found.gate):
        about = [reason for reason in gate.reasons if "has only" in reason]
        assert len(about) == len(said)
        assert all(words in reason for words, reason in zip(said, about, strict=True))
        assert gate.level != "green" or not said


def test_a_picture_without_colour_is_doubtful(classifier, tmp_path):
    coloured = save(tmp_path / "colour.png", draw_lesion("VASC", 7))
    grey = save(tmp_path / "grey.png", np.asarray(Image.open(coloured).convert("L")))
    verdicts = {path.stem: classify_image(path, classifier, "cpu").gate for path in (coloured, grey)}
    assert verdicts["colour"].level == "green"
    assert verdicts["grey"].level == "amber"
    assert "has no colour" in " ".join(verdicts["grey"].reasons)
    assert "has no colour" in " ".join(explain_image(grey, options(classifier))[0].gate.reasons)


def test_what_is_left_out_in_reading_is_said(tmp_path):
    pixels = draw_lesion("NV", side=40)
    clear = np.dstack([pixels, np.full((40, 40), 255, np.uint8)])
    holed = clear.copy()
    holed[:5, :5, 3] = 0
    files = {"clear": clear, "holed": holed, "sixteen": np.full((40, 40), 30000, np.uint16), "plain": pixels}
    notes = {name: read_subject(save(tmp_path / f"{name}.png", array)).notes for name, array in files.items()}
    assert notes["clear"] == notes["plain"] == ()
    assert len(notes["holed"]) == len(notes["sixteen"]) == 1
    assert "transparent" in notes["holed"][0]
    assert "8 bits" in notes["sixteen"][0]


def test_the_answer_is_doubtful_where_the_image_stands_for_another_class(classifier, tmp_path):
    image = draw_lesion("VASC", 7)
    right, wrong = (save(tmp_path / code / "a.png", image) for code in ("VASC", "NV"))
    assert classify_image(right, classifier, "cpu").gate.level == "green"
    verdict = classify_image(wrong, classifier, "cpu").gate
    assert verdict.level == "amber"
    assert verdict.reasons == ("Target class: NV; predicted class: VASC.",)


def test_a_picture_unlike_the_training_images_is_doubtful(tmp_path):
    folder = write_tiny_classifier(tmp_path / "c")
    before = load_classifier(folder)
    near, far = draw_lesion("MEL", 7), draw_lesion("VASC", 7)
    assert before.distance(to_tensor(near)) is None
    training = torch.cat([to_tensor(draw_lesion("MEL", seed)) for seed in range(20, 32)])
    seen = []
    head = before.architecture.head_of(before.net)
    with torch.no_grad(), head.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0].flatten(1))):
        for pictures in (training, to_tensor(near), to_tensor(far)):
            before.logits(pictures)
    known, own, other = (equal_length(features).double().numpy() for features in seen)
    reference = Reference(known.astype(np.float16), 1.0, 12, before.sha256)
    expected = reference.distances(own)[0], reference.distances(other)[0]
    assert expected[0] < 0.5 * expected[1]
    Reference(reference.features, float(np.mean(expected)), 12, before.sha256).save(folder)
    after = load_classifier(folder)
    assert (after.distance(to_tensor(near)), after.distance(to_tensor(far))) == pytest.approx(expected)
    assert classify_image(near, folder, "cpu").gate.level == "green"
    assert "unlike the training images of the classifier" in classify_image(far, folder, "cpu").gate.reasons[0]


def test_it_is_said_where_a_method_was_not_tested_for_the_classifier(classifier, tmp_path, monkeypatch):
    monkeypatch.setenv("ISICGUI_HOME", str(tmp_path / "home"))

    def untested(classifier, **changes):
        asked = options(classifier, methods=("gradcam",), **changes)
        (found,) = explain_image(draw_lesion("MEL", 7), asked, label="MEL")
        return any("Not tested for this classifier" in note for note in found.notes)

    assert untested(classifier)
    assert not untested(classifier, faithfulness=True)
    assert not untested(classifier), "it is known now"
    assert not untested(write_tiny_classifier(tmp_path / "c", trained=False)), "red for a better reason"


def test_large_pictures_are_scaled_down_and_it_is_said(tmp_path):
    path = save(tmp_path / "large.png", np.full((1500, 2000, 3), 128, np.uint8))
    subject = read_subject(path)
    assert subject.image.shape == (768, MAX_SIDE, 3)
    assert "from 2000x1500 to 1024x768" in subject.notes[0]
    assert not read_subject(np.zeros((MAX_SIDE, 3, 3), np.uint8)).notes


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_unreadable_files(classifier, tmp_path, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(InputRefusedError):
        explain_image(tmp_path / "a.png", options(classifier))


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)],
)
def test_arrays_that_are_no_pictures(classifier, array):
    with pytest.raises(InputRefusedError):
        explain_image(array, options(classifier))


def test_wrong_words(classifier):
    with pytest.raises(UnknownClassError):
        explain_image(draw_lesion("NV"), options(classifier, target="moon"))
    with pytest.raises(UnknownClassError):
        explain_image(draw_lesion("NV"), options(classifier), label="moon")
    with pytest.raises(DeviceError):
        classify_image(draw_lesion("NV"), classifier, "abacus")


def test_the_input_is_not_changed_and_the_same_question_has_the_same_answer(classifier):
    image = draw_lesion("NV", 4)
    before = image.copy()
    one, two = (explain_image(image, options(classifier, baseline="multi"))[0] for _ in range(2))
    assert np.array_equal(image, before)
    assert np.array_equal(one.attribution, two.attribution)
    one.image[:] = 0
    assert np.array_equal(image, before), "an explanation keeps its own copy"


def test_a_classifier_is_read_once_and_again_when_its_file_changes(tmp_path):
    folder = write_tiny_classifier(tmp_path / "c")
    clear_cache()
    first = get_classifier(folder, "cpu")
    assert get_classifier(folder, "cpu") is first
    write_tiny_classifier(folder, trained=False)
    assert get_classifier(folder, "cpu") is not first
    assert get_classifier(folder, "cpu").provenance.level == "red"


@pytest.mark.parametrize("shape", [(1, 4 * MAX_SIDE), (4 * MAX_SIDE, 1)])
def test_of_a_long_strip_one_pixel_of_its_short_side_is_left(shape):
    read = read_subject(np.zeros((*shape, 3), np.uint8)).image
    assert read.shape == (*(min(side, MAX_SIDE) for side in shape), 3)
