"""The experiment end to end in a tiny world: what it writes, that it goes on, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from PIL import Image

from core.cancel import CancelToken, StopMode
from core.errors import InputRefusedError, UsageError
from core.events import Notice, Progress
from core.jobs.stream import JobContext
from core.taxonomy import CLASS_CODES
from evaluation.utility.arms import plan_arms
from evaluation.utility.data import read_material
from evaluation.utility.experiment import run_experiment
from evaluation.utility.request import ArmTrained, UtilityFinished, UtilityStarted
from evaluation.utility.training import ArmTrainer
from tests.evaluation.utility.conftest import draw
from tests.support.tiny_classifier import draw_lesion
from tests.support.watched_job import WatchedJob

pytestmark = pytest.mark.slow

ARMS = 6


def carry_out(request, cancel=None):
    return list(run_experiment(request, cancel or CancelToken()))


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def said(events):
    return [event.message for event in of(events, Notice)]


def test_it_ends_with_a_verdict_a_report_and_every_number(ask):
    request = ask()
    events = carry_out(request)
    (started,) = of(events, UtilityStarted)
    assert started.images == {"train": 35, "validation": 7, "test": 28, "synthetic": 21}
    fractions = [event.fraction for event in of(events, Progress)]
    assert fractions == sorted(fractions)
    assert len(of(events, ArmTrained)) == ARMS * 2
    end = events[-1]
    assert isinstance(end, UtilityFinished)
    assert end.status == "completed"
    assert "2 seeds are few" in end.verdict
    page = end.report.read_text(encoding="utf-8")
    assert str(end.verdict) in page.replace("&#x27;", "'")
    assert "http" not in page.split("</style>")[1], "self-contained"
    results = json.loads(end.results.read_text(encoding="utf-8"), parse_constant=pytest.fail)
    arms = results["sections"]["arms"]
    assert set(arms) - {"title", "verdict"} == {arm.key for arm in plan_arms((1.0,))}
    for key in ("real", "synthetic_only"):
        assert len(arms[key]["seeds"]) == 2
        assert 0 <= arms[key]["balanced_accuracy"]["value"] <= 1
        assert arms[key]["balanced_accuracy"]["low"] <= arms[key]["balanced_accuracy"]["value"]
        assert set(arms[key]["recall"]) == {"MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"}
    assert len(results["sections"]["utility"]["differences"]) == 2 * 4
    others = results["sections"]["utility"]["other_metrics"]
    assert len(others) == 2 * 4 * (5 + 7), "every score of every pair"
    assert {"brier", "f1_macro", "recall_DF"} <= {one["metric"] for one in others}
    assert all(one["call"] in ("better", "worse", "not distinguishable") for one in others)
    for words in (
        results["created"],
        str(request.train),
        str(request.test),
        str(request.synthetic[0]),
        "recall of MEL",
    ):
        assert words in page


def test_what_is_finished_is_kept_and_the_rest_is_made(ask):
    cancel = CancelToken()
    events = []
    for event in run_experiment(ask(), cancel):
        events.append(event)
        if len(of(events, ArmTrained)) == 5:
            cancel.request(StopMode.NOW)
    assert events[-1] == UtilityFinished("stopped", ask().output)
    again = of(carry_out(ask()), ArmTrained)
    assert [event.kept for event in again] == [True] * 5 + [False] * 7
    assert all(event.kept for event in of(carry_out(ask()), ArmTrained))


def test_a_resumed_experiment_ends_as_an_uninterrupted_one(ask, tmp_path):
    cancel = CancelToken()
    for number, event in enumerate(run_experiment(ask(), cancel)):
        if isinstance(event, Progress) and number > 12:
            cancel.request(StopMode.NOW)
    resumed, whole = carry_out(ask())[-1], carry_out(ask(output=tmp_path / "other"))[-1]
    assert resumed.differences == whole.differences


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_training_is_made_again(ask, damage):
    carry_out(ask())
    path = ask().output / "runs" / "real" / "seed_42.npz"
    path.write_bytes(path.read_bytes()[:100] if damage is None else damage)
    kept = {(event.arm, event.seed): event.kept for event in of(carry_out(ask()), ArmTrained)}
    assert [key for key, is_kept in kept.items() if not is_kept] == [("real", 42)]


def test_other_settings_or_images_take_nothing_from_an_earlier_experiment(ask, world, tmp_path):
    carry_out(ask(seeds=1))
    other = carry_out(ask(seeds=1, steps=7))
    assert not any(event.kept for event in of(other, ArmTrained))
    shutil.copytree(world / "synthetic", tmp_path / "more")
    Image.fromarray(draw_lesion("DF", 77)).save(tmp_path / "more" / "DF" / "new.png")
    assert not any(event.kept for event in of(carry_out(ask(seeds=1, synthetic=(tmp_path / "more",))), ArmTrained))


def test_every_arm_makes_the_same_number_of_steps_of_the_same_size(ask, monkeypatch):
    material = read_material(ask())
    training = ask().settings.training
    trainer = ArmTrainer(material, training, "cpu")
    sizes = {}
    make = torch.nn.functional.cross_entropy

    def watch(logits, *arguments, **options):
        sizes.setdefault(current, []).append(len(logits))
        return make(logits, *arguments, **options)

    monkeypatch.setattr("classifier.learner.functional.cross_entropy", watch)
    for arm in plan_arms((1.0,)):
        current = arm.key
        assert list(trainer.train(arm, 1)) == list(range(1, training.steps + 1))
    assert all(size == [training.batch_size] * training.steps for size in sizes.values()), sizes
    assert len(sizes) == ARMS


def test_the_test_set_chooses_nothing(ask, world, tmp_path):
    """With other labels in the test set the very same networks come out: their answers to validation are equal."""
    swapped = tmp_path / "swapped"
    for code, other in (("MEL", "NV"), ("NV", "MEL"), ("BCC", "BCC"), ("DF", "DF")):
        shutil.copytree(world / "test" / code, swapped / other)
    answers = []
    for test in (world / "test", swapped):
        trainer = ArmTrainer(read_material(ask(test=test)), ask().settings.training, "cpu")
        running = trainer.train(plan_arms((1.0,))[0], 1)
        while True:
            try:
                next(running)
            except StopIteration as end:
                answers.append(end.value)
                break
    np.testing.assert_array_equal(answers[0].validation, answers[1].validation)
    assert answers[0].best_step == answers[1].best_step


def test_one_data_set_for_both_is_divided_by_lesion(world, ask):
    material = read_material(ask(test=world / "train"))
    assert not {*material.test.lesions} & {*material.train.lesions, *material.validation.lesions}
    assert len(material.test) > 0


def test_validation_lesions_are_not_learnt(ask):
    material = read_material(ask())
    assert not {*material.validation.lesions} & {*material.train.lesions}
    assert set(material.validation.labels.tolist()) == set(range(7))


def test_a_test_photograph_among_those_to_learn_from_is_refused(world, ask, tmp_path):
    shutil.copytree(world / "test", tmp_path / "test")
    source = next((world / "train" / "MEL").iterdir())
    shutil.copy(source, tmp_path / "test" / "MEL" / "another_name.png")
    with pytest.raises(InputRefusedError, match="1 photograph of the test set") as refusal:
        carry_out(ask(test=tmp_path / "test"))
    assert "split by lesion" in refusal.value.remedy


def test_synthetic_images_that_are_test_photographs_spoil_everything(world, ask, tmp_path):
    shutil.copytree(world / "synthetic", tmp_path / "synthetic")
    shutil.copy(next((world / "test" / "MEL").iterdir()), tmp_path / "synthetic" / "MEL" / "copy.png")
    end = carry_out(ask(synthetic=(tmp_path / "synthetic",), seeds=1))[-1]
    assert end.level == "bad"
    assert "No result here is valid" in end.verdict


def test_disguised_test_photographs_are_found_and_nothing_else(ask, tmp_path):
    """Small copies of a leak: mirrored and compressed; other pictures, however alike in colour, are none."""
    rng = np.random.default_rng(0)
    for part in ("train", "test", "synthetic"):
        for code in ("MEL", "NV"):
            (tmp_path / part / code).mkdir(parents=True)
            for index in range(12):
                rough = rng.integers(60, 200, (8, 8, 3), dtype=np.uint8)
                picture = Image.fromarray(rough).resize((48, 48), Image.Resampling.BICUBIC)
                picture.save(tmp_path / part / code / f"{part}{index}.png")
    places = {"train": tmp_path / "train", "test": tmp_path / "test", "synthetic": (tmp_path / "synthetic",)}
    request = ask(**places, image_size=32)
    assert read_material(request).copies_of_test == 0
    for index in range(5):
        with Image.open(tmp_path / "test" / "MEL" / f"test{index}.png") as photograph:
            photograph.transpose(Image.Transpose.ROTATE_90).save(
                tmp_path / "synthetic" / "MEL" / f"l{index}.jpg", quality=60
            )
    assert read_material(request).copies_of_test == 5


def test_copies_of_training_photographs_are_counted(world, ask, tmp_path):
    shutil.copytree(world / "synthetic", tmp_path / "synthetic")
    for path in (world / "train" / "MEL").iterdir():
        shutil.copy(path, tmp_path / "synthetic" / "MEL")
    material = read_material(ask(synthetic=(tmp_path / "synthetic",)))
    assert (material.copies_of_train, material.copies_of_test) == (6, 0)


def test_unreadable_files_are_named_and_survived(world, ask, tmp_path):
    shutil.copytree(world / "synthetic", tmp_path / "synthetic")
    (tmp_path / "synthetic" / "MEL" / "broken.png").write_bytes(b"\x89PNG")
    events = carry_out(ask(synthetic=(tmp_path / "synthetic",), seeds=1))
    assert any("broken.png" in event.message for event in of(events, Notice))
    assert events[-1].status == "completed"


def test_a_missing_class_is_named_and_survived(world, ask, tmp_path):
    draw(tmp_path / "few", 3, 9000, ("MEL", "NV"))
    events = carry_out(ask(synthetic=(tmp_path / "few",), seeds=1))
    assert events[-1].status == "completed"
    assert "The synthetic set has no image of BCC, AKIEC, BKL, DF, VASC." in said(events)


@pytest.mark.parametrize(
    ("part", "words"),
    [("train", "There are no training photographs of DF"), ("test", "The test set has no photograph of DF")],
)
def test_a_class_that_is_missing_among_the_photographs_is_named(world, ask, tmp_path, part, words):
    shutil.copytree(world / part, tmp_path / "without")
    shutil.rmtree(tmp_path / "without" / "DF")
    events = carry_out(ask(**{part: tmp_path / "without"}, seeds=1))
    assert any(words in note for note in said(events)), said(events)
    assert events[-1].status == "completed"


def test_photographs_that_name_no_lesions_are_told_as_such(ask):
    assert sum("has no lesion identifiers" in note for note in read_material(ask()).notes) == 2


def test_images_without_a_class_are_counted_and_every_note_says_of_which_set(world, ask, tmp_path):
    shutil.copytree(world / "synthetic", tmp_path / "set" / "batch")
    (tmp_path / "set" / "batch" / "odd").mkdir()
    for name in ("a.png", "b.png"):
        shutil.copy(next((world / "synthetic" / "MEL").iterdir()), tmp_path / "set" / "batch" / "odd" / name)
    (tmp_path / "set" / "batch" / "NV" / "broken.png").write_bytes(b"\x89PNG")
    notes = read_material(ask(synthetic=(tmp_path / "set",))).notes
    assert "set: Excluded because the class is unknown: 2 images." in notes
    assert any(note.startswith("set: ") and "broken.png" in note for note in notes)


def test_a_stop_is_heard_while_images_are_read(ask):
    cancel = CancelToken()
    events = []
    for event in run_experiment(ask(), cancel):
        events.append(event)
        cancel.request(StopMode.NOW)
    assert events[-1] == UtilityFinished("stopped", ask().output)
    assert not of(events, UtilityStarted)


def test_reading_is_counted(ask):
    job = WatchedJob()
    read_material(ask(), job)
    assert job.told == [(done, total) for total in (42, 28, 21) for done in range(total)]


@pytest.mark.parametrize("which", ["train", "test", "synthetic"])
def test_an_empty_folder_is_refused_by_name(ask, tmp_path, which):
    (tmp_path / "empty").mkdir()
    value = (tmp_path / "empty",) if which == "synthetic" else tmp_path / "empty"
    with pytest.raises(InputRefusedError) as refusal:
        carry_out(ask(**{which: value}))
    assert str(tmp_path / "empty") in str(refusal.value)


@pytest.mark.parametrize("which", ["train", "test", "synthetic"])
def test_a_folder_that_is_not_there_is_refused_before_any_image_is_read(ask, tmp_path, which):
    gone = tmp_path / "gone"
    job = WatchedJob()
    with pytest.raises(InputRefusedError, match="gone"):
        read_material(ask(**{which: (gone,) if which == "synthetic" else gone}), job)
    assert not job.told


def test_images_without_classes_are_refused_with_the_form_to_bring_them_into(world, ask, tmp_path):
    (tmp_path / "flat").mkdir()
    shutil.copy(next((world / "synthetic" / "MEL").iterdir()), tmp_path / "flat" / "a.png")
    with pytest.raises(InputRefusedError, match="classes of the images"):
        carry_out(ask(synthetic=(tmp_path / "flat",)))


def test_a_test_set_of_one_class_is_refused(world, ask, tmp_path):
    shutil.copytree(world / "test" / "MEL", tmp_path / "one" / "MEL")
    with pytest.raises(InputRefusedError, match="one class only"):
        carry_out(ask(test=tmp_path / "one"))


@pytest.mark.parametrize(
    "values", [{"seeds": 0}, {"ratios": ()}, {"ratios": (1.0, 1.0)}, {"ratios": (0.0,)}, {"ratios": (-1.0,)},
               {"ratios": (float("nan"),)}, {"ratios": (1e9,)}, {"synthetic": ()}],
)  # fmt: skip
def test_impossible_requests_are_wrong_usage(ask, values):
    with pytest.raises(UsageError):
        ask(**values)


def test_every_step_of_a_short_training_is_told_with_its_share_of_the_whole(ask):
    steps = [event for event in of(carry_out(ask(seeds=1)), Progress) if event.total == 6]
    assert [event.done for event in steps] == [1, 2, 3, 4, 5, 6] * ARMS
    expected = [round(0.05 + 0.95 * (arm + step / 6) / ARMS, 4) for arm in range(ARMS) for step in range(1, 7)]
    assert [event.fraction for event in steps] == expected


def test_the_digest_of_a_part_is_of_pixels_and_its_classes_are_in_order(ask):
    material = read_material(ask())
    part = material.synthetic
    assert part.digests == [hashlib.sha256(one.numpy().tobytes()).hexdigest() for one in part.pixels]
    assert part.codes == CLASS_CODES
    digest = hashlib.sha256()
    for one in (material.train, material.validation, material.test, material.synthetic):
        digest.update(one.pixels.numpy().tobytes())
        digest.update(one.labels.numpy().astype("<i8").tobytes())
        digest.update("\n".join(one.lesions).encode())
    assert material.fingerprint == digest.hexdigest()


def test_fifteen_percent_of_the_lesions_choose(ask, tmp_path):
    draw(tmp_path / "many", 20, 3000, ("MEL", "NV"))
    material = read_material(ask(train=tmp_path / "many"))
    assert Counter(material.validation.labels.tolist()) == {0: 3, 1: 3}
    assert material.notes[2].startswith("There are no training photographs of BCC, AKIEC, BKL, DF, VASC")


def test_a_class_of_one_lesion_has_none_to_choose_by_and_only_such_classes_are_refused(ask, tmp_path):
    draw(tmp_path / "some", 6, 3000, ("MEL", "NV"))
    draw(tmp_path / "some2", 1, 4000, ("DF",))
    shutil.move(tmp_path / "some2" / "DF", tmp_path / "some" / "DF")
    notes = read_material(ask(train=tmp_path / "some")).notes
    assert "DF: too few lesions for model selection." in notes
    draw(tmp_path / "single", 1, 3000)
    with pytest.raises(InputRefusedError, match="none is left for model selection"):
        read_material(ask(train=tmp_path / "single"))


def test_lesions_in_training_and_test_are_refused_where_both_name_them(ask, tmp_path):
    for name, first in (("train", 0), ("test", 900)):
        draw(tmp_path / name, 3, first, ("MEL", "NV"))
        pictures = sorted((tmp_path / name).rglob("*.png"))
        rows = [
            f"{path.stem},{path.parent.name},{name}{path.stem[-5:]},{path.relative_to(tmp_path / name)}"
            for path in pictures
        ]
        rows[0] = rows[0].replace(f",{name}", ",L", 1)
        (tmp_path / name / "labels.csv").write_text("\n".join(["id,class,lesion_id,path", *rows]))
    with pytest.raises(InputRefusedError, match="In both training and test data: 1 lesion, such as L"):
        read_material(ask(train=tmp_path / "train", test=tmp_path / "test"))


def test_notes_of_several_synthetic_sets_are_all_told(world, ask, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(world / "synthetic", tmp_path / name)
        (tmp_path / name / "MEL" / f"broken_{name}.png").write_bytes(b"\x89PNG")
    material = read_material(ask(synthetic=(tmp_path / "one", tmp_path / "two")))
    for name in ("one", "two"):
        assert any(note.startswith(f"{name}: ") and f"broken_{name}" in note for note in material.notes)
    assert len(material.synthetic) == 42


def test_the_best_state_is_that_of_the_best_look(ask):
    """The answers are those of the step that is told, and no look is better."""
    training = ask(steps=6).settings.training
    material = read_material(ask())
    trainer = ArmTrainer(material, training, "cpu")
    scores = []
    own = trainer._score
    trainer._score = lambda *given: scores.append(own(*given)) or scores[-1]
    running = trainer.train(plan_arms((1.0,))[0], 3)
    while True:
        try:
            next(running)
        except StopIteration as end:
            outcome = end.value
            break
    looks = sorted(trainer._looks())
    assert looks[-1] == 6
    assert len(scores) == len(looks)
    assert outcome.score == max(scores)
    assert outcome.best_step == looks[scores.index(max(scores))]
    truth = material.validation.labels.numpy()
    hits = [np.mean(outcome.validation.argmax(1)[truth == label] == label) for label in range(7)]
    assert outcome.score == pytest.approx(np.mean(hits))


def test_looks_are_even_and_the_last_is_the_last_step(ask):
    material, training = read_material(ask()), ask().settings.training
    for steps, looks, expected in (
        (100, 8, {12, 25, 38, 50, 62, 75, 88, 100}), (6, 8, {1, 2, 3, 4, 5, 6}), (10, 1, {10}), (9, 3, {3, 6, 9}),
    ):  # fmt: skip
        assert ArmTrainer(material, replace(training, steps=steps, looks=looks), "cpu")._looks() == expected


def test_every_row_is_drawn_equally_often_or_every_class(ask):
    material = read_material(ask())
    training = replace(ask().settings.training, steps=41, batch_size=6)
    trainer = ArmTrainer(material, training, "cpu")
    plain, _, sampled, *_ = plan_arms((1.0,))
    rows = torch.tensor([0, 1, 2, 3, 4, 20, 21, 22, 34])

    def drawn(arm):
        batches = list(trainer._draws(arm, rows, torch.Generator().manual_seed(1)))
        assert [len(batch) for batch in batches] == [6] * 41
        return Counter(torch.cat(batches).tolist())

    counts = drawn(plain)
    assert set(counts) == set(rows.tolist())
    assert max(counts.values()) - min(counts.values()) <= 1
    classes = Counter()
    for row, count in drawn(sampled).items():
        classes[int(material.train.labels[row])] += count
    assert len(classes) >= 3
    assert max(classes.values()) < 2 * min(classes.values())


def test_what_was_asked_for_and_started_is_written_down(ask, tmp_path):
    draw(tmp_path / "small", 2, 8000)
    request = ask(seeds=1, synthetic=(tmp_path / "small",))
    events = carry_out(request)
    (started,) = of(events, UtilityStarted)
    assert started.lesions == {"train": 35, "validation": 7, "test": 28, "synthetic": 14}
    assert (started.seeds, started.steps) == (1, 6)
    data = json.loads(events[-1].results.read_text(encoding="utf-8"))
    assert data["format"] == 1
    assert data["settings"] == {
        "train": "train", "test": "test", "synthetic": ["small"], "ratios": [1.0], "seeds": 1, "curate": "",
        "training": asdict(request.settings.training),
    }  # fmt: skip
    assert {event.seed for event in of(events, ArmTrained)} == {42}
    assert events[-1].differences.keys() == {
        f"{arm} - {control}"
        for arm in ("synthetic_1", "synthetic_only")
        for control in ("real", "real_weighted", "real_oversampled", "real_duplicated")
    }


def test_each_set_has_its_share_of_the_reading(ask):
    told: list[float] = []

    class Shares(JobContext):
        def __init__(self, begin=0.0, share=1.0):
            super().__init__()
            self.begin, self.share = begin, share

        def part(self, begin, share, words=""):
            return Shares(self.begin + begin * self.share, share * self.share)

        def progress(self, done, total, words="", unit=""):
            told.append(self.begin + self.share * done / total)

    read_material(ask(), Shares())
    places = [(place + done / total) / 6 for place, total in enumerate((42, 28, 21)) for done in range(total)]
    assert told == pytest.approx(places)
