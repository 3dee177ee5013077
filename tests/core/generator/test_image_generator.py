"""A request in, events out, images on disk: the whole engine with a tiny network."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.cancel import CancelToken, StopMode
from core.errors import (
    InputRefusedError,
    ModelMissingError,
)
from core.events import Event, Finished, ImageDone, Loaded, Loading, Notice, Started, Step
from core.generation import RunChanges
from core.generator import run_images
from core.generator.color import ColorStatistics, apply_color_statistics
from core.generator.finishing import PreviewGate
from core.generator.image_generator import ImageGenerator
from core.images import read_image
from core.models.discovery import discover
from core.taxonomy import image_seed
from dataset.png import read_recipe
from dataset.synthetic_dataset import SyntheticDataset
from gui.workers.unfinished import find_unfinished
from tests.support.tiny_models import write_tiny_pack


def of_kind(events: list[Event], kind: type) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


def made(folder: Path) -> dict[str, bytes]:
    """Pixels by file name."""
    files = sorted(folder.glob("*/ISIC_*.png"))
    return {f"{path.parent.name}/{path.name}": read_image(path).tobytes() for path in files}


def by_seed(folder: Path) -> dict[tuple[str, int], bytes]:
    recipes = {path: read_recipe(path) for path in folder.glob("*/ISIC_*.png")}
    return {(recipe.class_code, recipe.seed): read_image(path).tobytes() for path, recipe in recipes.items()}


def leftovers(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and (path.suffix == ".tmp" or "tmp" in path.parts[-2])]


def test_the_stream_tells_the_whole_story_in_order(ask):
    events = list(ImageGenerator().generate(ask({"MEL": 2, "NV": 1})))
    kinds = [event.name for event in events]
    assert kinds == ["started", "loading", "loaded", *(["step"] * 3 + ["image"]) * 2,
                     "loading", "loaded", "step", "step", "step", "image", "finished"]  # fmt: skip
    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert (started.total, started.counts, started.batch_size) == (3, {"MEL": 2, "NV": 1}, 1)
    assert (started.device, started.precision, started.sampler, started.steps) == ("cpu", "fp32", "dpmpp-2m-sde", 3)
    assert finished == Finished(started.run_id, "completed", 3, 0, 0, finished.seconds, started.output)


def test_every_event_is_json(ask):
    for event in ImageGenerator().generate(ask()):
        json.loads(json.dumps(event.to_json(), allow_nan=False))


def test_images_carry_the_seeds_of_the_formula_and_their_recipe(ask, pack):
    request = ask({"MEL": 2, "DF": 1})
    done = of_kind(list(ImageGenerator().generate(request)), ImageDone)
    assert [(e.class_code, e.index, e.isic_number) for e in done] == [("MEL", 0, 1), ("MEL", 1, 2), ("DF", 0, 1)]
    weights = (pack / "diffusion_pytorch_model.safetensors").read_bytes()
    for event in done:
        assert event.seed == image_seed(event.class_code, event.index, 42)
        assert event.file == request.output / event.class_code / f"ISIC_{event.isic_number:07d}.png"
        recipe = read_recipe(event.file)
        noise = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(event.seed))
        assert recipe.noise_hash == event.noise_hash == hashlib.sha256(noise.numpy().tobytes()).hexdigest()[:16]
        assert recipe.weights_sha256 == hashlib.sha256(weights).hexdigest()
        assert (recipe.sampler, recipe.steps, recipe.guidance) == ("dpmpp-2m-sde", 3, 1.5)
        assert (recipe.precision, recipe.device, recipe.batch_size, recipe.image_size) == ("fp32", "cpu", 1, 16)
        assert recipe.scheduler["lambda_min_clipped"] == -5.1
        assert {"torch", "diffusers", "python"} <= recipe.versions.keys()
        assert recipe.models == pack.name
        assert pack.joinpath(Path(recipe.weights).name).is_file()


def test_steps_report_positions_and_previews_of_the_right_shape(ask):
    steps = of_kind(list(ImageGenerator().generate(ask({"MEL": 3}, batch_size=2))), Step)
    assert [step.images for step in steps] == [(1, 2)] * 3 + [(3,)] * 3
    assert [step.step for step in steps] == [1, 2, 3] * 2
    preview = steps[0].preview
    assert preview is not None
    assert preview.noisy.shape == preview.predicted.shape == (16, 16, 3)
    assert preview.noisy.dtype == np.uint8


def test_previews_come_at_most_fifteen_times_a_second(ask, monkeypatch):
    now = itertools.count()
    monkeypatch.setattr(run_images, "PreviewGate", lambda: PreviewGate(clock=lambda: next(now) / 100))
    steps = of_kind(list(ImageGenerator().generate(ask({"MEL": 1}, steps=100))), Step)  # 100 steps in one second
    assert 10 <= sum(step.preview is not None for step in steps) <= 16


def test_rate_and_remaining_time_count_finished_images_only(ask):
    done = of_kind(list(ImageGenerator().generate(ask({"MEL": 4}))), ImageDone)
    assert (done[0].rate, done[0].remaining) == (None, None)
    for event in done[1:]:
        assert event.rate > 0
        assert event.remaining == pytest.approx((event.total - event.done) / event.rate, rel=0.2)
    assert done[-1].remaining == 0
    assert [event.done for event in done] == [1, 2, 3, 4]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_running_again_elsewhere_gives_the_same_bytes(ask, tmp_path, precision):
    for name in ("a", "b"):
        list(ImageGenerator().generate(ask({"MEL": 2}, output=tmp_path / name, precision=precision)))
    assert made(tmp_path / "a") == made(tmp_path / "b")


def test_a_second_run_into_the_same_folder_adds_new_images(ask):
    request = ask({"MEL": 2})
    list(ImageGenerator().generate(request))
    before = made(request.output)
    done = of_kind(list(ImageGenerator().generate(request)), ImageDone)
    assert [(event.index, event.isic_number) for event in done] == [(2, 3), (3, 4)]
    after = made(request.output)
    assert len(after) == 4
    assert before.items() <= after.items()


def test_shards_are_the_parts_of_the_whole(ask, tmp_path):
    list(ImageGenerator().generate(ask({"MEL": 5, "NV": 2}, output=tmp_path / "whole")))
    parts: dict[tuple[str, int], bytes] = {}
    for i in (1, 2, 3):
        folder = tmp_path / f"part{i}"
        list(ImageGenerator().generate(ask({"MEL": 5, "NV": 2}, output=folder, shard=(i, 3))))
        assert not parts.keys() & by_seed(folder).keys()
        parts |= by_seed(folder)
    assert parts == by_seed(tmp_path / "whole")


def test_batches_of_any_size_make_the_same_images(ask, tmp_path):
    for size in (1, 3, 8):
        list(ImageGenerator().generate(ask({"MEL": 4}, output=tmp_path / str(size), batch_size=size)))
    one = by_seed(tmp_path / "1")
    for size in (3, 8):
        for key, pixels in by_seed(tmp_path / str(size)).items():
            difference = np.frombuffer(pixels, np.uint8).astype(int) - np.frombuffer(one[key], np.uint8)
            assert np.abs(difference).max() <= 1


def test_random_seeds_are_recorded(ask, tmp_path):
    done = of_kind(list(ImageGenerator().generate(ask({"MEL": 3}, seed=None))), ImageDone)
    assert len({event.seed for event in done}) == 3
    assert [read_recipe(event.file).seed for event in done] == [event.seed for event in done]


# --- stopping -------------------------------------------------------------------------------------------------------


def stop_at(events, cancel: CancelToken, mode: StopMode, kind: type, number: int) -> list[Event]:
    """Consume a stream and ask for a stop at the `number`-th event of a kind."""
    seen: list[Event] = []
    for event in events:
        seen.append(event)
        if isinstance(event, kind) and len(of_kind(seen, kind)) == number:
            cancel.request(mode)
    return seen


def test_stop_now_takes_effect_within_one_step_and_keeps_what_is_finished(ask):
    request, cancel = ask({"MEL": 3}, steps=5), CancelToken()
    seen = stop_at(ImageGenerator().generate(request, cancel), cancel, StopMode.NOW, Step, 7)
    assert len(of_kind(seen, Step)) == 7
    assert (seen[-1].status, seen[-1].written, seen[-1].remaining) == ("stopped", 1, 2)
    assert len(made(request.output)) == 1


def test_stop_after_this_image_finishes_the_batch(ask):
    request, cancel = ask({"MEL": 5}, steps=4, batch_size=2), CancelToken()
    seen = stop_at(ImageGenerator().generate(request, cancel), cancel, StopMode.AFTER_IMAGE, Step, 1)
    assert len(of_kind(seen, Step)) == 4
    assert (seen[-1].status, seen[-1].written, seen[-1].remaining) == ("stopped", 2, 3)


def test_discard_takes_back_this_run_only(ask):
    request, cancel = ask({"MEL": 2}), CancelToken()
    list(ImageGenerator().generate(request))
    before = made(request.output)
    again = dataclasses.replace(request, trajectory=True)
    seen = stop_at(ImageGenerator().generate(again, cancel), cancel, StopMode.DISCARD, ImageDone, 1)
    assert (seen[-1].status, seen[-1].written, seen[-1].remaining) == ("discarded", 0, 0)
    assert made(request.output) == before
    assert not list(request.output.glob("trajectories/*/*"))
    with (request.output / "synthetic_dataset.csv").open(newline="") as stream:
        assert len(list(csv.reader(stream))) == 3


def test_a_stop_while_the_last_image_is_stored_is_a_completed_run(ask):
    cancel = CancelToken()
    seen = stop_at(ImageGenerator().generate(ask({"MEL": 1}), cancel), cancel, StopMode.NOW, ImageDone, 1)
    assert seen[-1].status == "completed"


def test_a_stop_before_the_start_makes_nothing(ask):
    cancel = CancelToken()
    cancel.request(StopMode.NOW)
    request = ask()
    (end,) = ImageGenerator().generate(request, cancel)
    assert (end.name, end.run_id, end.status, end.written) == ("finished", "", "stopped", 0)
    assert not request.output.exists()


def test_a_stop_while_models_are_looked_for_leaves_no_run(ask, monkeypatch):
    request, cancel = ask({"MEL": 2}), CancelToken()
    list(ImageGenerator().generate(request))

    def discover_slowly(folder):
        cancel.request(StopMode.NOW)
        return discover(folder)

    monkeypatch.setattr("core.generator.image_generator.discover", discover_slowly)
    (end,) = ImageGenerator().generate(request, cancel)
    assert (end.run_id, end.status, end.remaining) == ("", "stopped", 2)
    assert find_unfinished(request.output) == []


def test_a_stop_before_a_resume_leaves_the_run_as_it_was(ask):
    request, cancel = ask({"MEL": 2}), CancelToken()
    events = ImageGenerator().generate(request)
    next(event for event in events if isinstance(event, ImageDone))
    events.close()
    before = find_unfinished(request.output)
    cancel.request(StopMode.NOW)
    (end,) = ImageGenerator().resume(request.output, cancel)
    assert (end.run_id, end.status) == ("", "stopped")
    assert find_unfinished(request.output) == before != []


# --- resume ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [StopMode.NOW, StopMode.AFTER_IMAGE])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_a_stopped_run_resumes_to_the_same_set(ask, tmp_path, mode, batch_size):
    counts = {"MEL": 3, "VASC": 2}
    list(ImageGenerator().generate(ask(counts, output=tmp_path / "whole", batch_size=batch_size)))
    request, cancel = ask(counts, output=tmp_path / "parts", batch_size=batch_size), CancelToken()
    stop_at(ImageGenerator().generate(request, cancel), cancel, mode, Step, 5)
    assert len(made(request.output)) < 5
    events = list(ImageGenerator().resume(request.output))
    assert events[0].total == 5
    assert (events[-1].status, events[-1].remaining) == ("completed", 0)
    assert of_kind(events, ImageDone)[-1].done == 5
    assert made(request.output) == made(tmp_path / "whole")
    assert not leftovers(request.output)


def test_what_was_damaged_is_told_also_where_nothing_is_to_be_finished(ask, tmp_path):
    list(ImageGenerator().generate(ask({"MEL": 1})))
    with (tmp_path / "out/.isicgui/journal.jsonl").open("ab") as journal:
        journal.write(b"[" * 5000 + b"\n")
    told, nothing = (event for event in ImageGenerator().resume(tmp_path / "out") if isinstance(event, Notice))
    assert "The journal was damaged" in told.message
    assert "is finished" in nothing.message


def test_a_resumed_run_explains_the_images_that_the_whole_run_would_have(ask, tmp_path):
    def explained(events):
        return [event.file.name for event in of_kind(events, ImageDone) if event.explain]

    counts = {"MEL": 5, "VASC": 1}
    whole = list(ImageGenerator().generate(ask(counts, output=tmp_path / "whole", xai_every=2)))
    assert explained(whole) == ["ISIC_0000001.png", "ISIC_0000003.png", "ISIC_0000005.png", "ISIC_0000001.png"]
    request, cancel = ask(counts, output=tmp_path / "parts", xai_every=2, batch_size=1), CancelToken()
    first = stop_at(ImageGenerator().generate(request, cancel), cancel, StopMode.NOW, Step, 5)
    assert len(made(request.output)) == 1
    rest = list(ImageGenerator().resume(request.output))
    assert explained(first) + explained(rest) == explained(whole)
    further = list(ImageGenerator().generate(ask({"MEL": 2}, output=tmp_path / "whole", xai_every=2)))
    assert explained(further) == ["ISIC_0000006.png"]  # of each run the first, wherever its numbers begin


def test_a_stream_closed_early_leaves_a_run_that_resumes(ask, tmp_path):
    list(ImageGenerator().generate(ask({"MEL": 3}, output=tmp_path / "whole")))
    request = ask({"MEL": 3}, output=tmp_path / "parts")
    stream = ImageGenerator().generate(request)
    for event in stream:
        if isinstance(event, ImageDone):
            break
    stream.close()
    with SyntheticDataset.open(request.output) as dataset:  # the lock is free again
        assert len(dataset.unfinished()) == 1
    list(ImageGenerator().resume(request.output))
    assert made(request.output) == made(tmp_path / "whole")


def test_random_seeds_survive_a_resume(ask):
    request, cancel = ask({"MEL": 4}, seed=None), CancelToken()
    seen = stop_at(ImageGenerator().generate(request, cancel), cancel, StopMode.NOW, ImageDone, 1)
    with SyntheticDataset.open(request.output) as dataset:
        planned = [slot.planned.seed for slot in dataset.unfinished()[0].slots]
    resumed = of_kind(list(ImageGenerator().resume(request.output)), ImageDone)
    assert [event.seed for event in of_kind(seen, ImageDone) + resumed] == planned


def test_resume_with_nothing_to_do_says_so(ask):
    request = ask({"MEL": 1})
    list(ImageGenerator().generate(request))
    events = list(ImageGenerator().resume(request.output))
    assert [event.name for event in events] == ["notice", "finished"]


def test_resume_of_no_folder_is_refused_and_makes_none(tmp_path):
    with pytest.raises(InputRefusedError):
        list(ImageGenerator().resume(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()


def test_resume_finds_models_that_have_moved(ask, tmp_path):
    models = write_tiny_pack(tmp_path / "old" / "tiny")
    request, cancel = ask({"MEL": 2}, models=models), CancelToken()
    stop_at(ImageGenerator().generate(request, cancel), cancel, StopMode.NOW, ImageDone, 1)
    models.rename(tmp_path / "moved")
    with pytest.raises(ModelMissingError):
        list(ImageGenerator().resume(request.output))
    events = list(ImageGenerator().resume(request.output, changes=RunChanges(models=tmp_path / "moved")))
    assert events[-1].status == "completed"


def test_one_interrupted_run_of_several_is_finished_in_another_way(ask, tmp_path):
    for seed in (1, 2):
        request, cancel = ask({"MEL": 3}, seed=seed, batch_size=1, precision="fp32"), CancelToken()
        stop_at(ImageGenerator().generate(request, cancel), cancel, StopMode.NOW, Step, 5)
    first, second = find_unfinished(request.output)
    changes = RunChanges((first.run_id,), device="cpu", batch_size=2)
    events = list(ImageGenerator().resume(request.output, changes=changes))
    assert [(e.run_id, e.batch_size, e.device) for e in of_kind(events, Started)] == [(first.run_id, 2, "cpu")]
    assert [run.run_id for run in find_unfinished(request.output)] == [second.run_id]


def test_another_device_chooses_its_own_precision(ask):
    request = ask({"MEL": 1}, device="cuda", precision="fp16")
    assert (RunChanges(device="cpu").apply(request).device, RunChanges(device="cpu").apply(request).precision) == (
        "cpu",
        "auto",
    )
    assert RunChanges(device="cuda").apply(request) == request
    assert RunChanges().apply(request) == request


# --- colour and trajectory ------------------------------------------------------------------------------------------


def write_colors(folder: Path, *codes: str) -> ColorStatistics:
    statistics = ColorStatistics((200.0, 120.0, 90.0), (30.0, 25.0, 20.0))
    content = {code: {"rgb": statistics.to_json()} for code in codes}
    (folder / "color_statistics.json").write_text(json.dumps(content))
    return statistics


def test_colours_are_corrected_by_the_statistics_next_to_the_models(ask, tmp_path):
    models = write_tiny_pack(tmp_path / "models" / "tiny")
    list(ImageGenerator().generate(ask({"MEL": 1, "NV": 1}, models=models, output=tmp_path / "plain")))
    statistics = write_colors(models, "MEL")
    events = list(ImageGenerator().generate(ask({"MEL": 1, "NV": 1}, models=models, output=tmp_path / "corrected")))
    plain, corrected = (read_image(tmp_path / name / "MEL" / "ISIC_0000001.png") for name in ("plain", "corrected"))
    assert np.array_equal(corrected, apply_color_statistics(plain, statistics))
    assert not np.array_equal(corrected, plain)
    assert [event.kind for event in of_kind(events, Notice)] == ["color"]
    recipes = {code: read_recipe(tmp_path / "corrected" / code / "ISIC_0000001.png") for code in ("MEL", "NV")}
    assert recipes["MEL"].color == statistics.to_json()
    assert recipes["NV"].color is None
    list(ImageGenerator().generate(ask({"MEL": 1}, models=models, output=tmp_path / "off", color=False)))
    assert np.array_equal(read_image(tmp_path / "off" / "MEL" / "ISIC_0000001.png"), plain)


def test_malformed_colour_statistics_are_refused_unless_colour_is_off(ask, tmp_path):
    models = write_tiny_pack(tmp_path / "models" / "tiny")
    (models / "color_statistics.json").write_text("{")
    with pytest.raises(InputRefusedError, match="color_statistics"):
        list(ImageGenerator().generate(ask(models=models)))
    assert list(ImageGenerator().generate(ask(models=models, color=False)))[-1].status == "completed"


def test_trajectories_hold_every_step(ask):
    request = ask({"MEL": 3}, trajectory=True, batch_size=2, sampler="ddpm", steps=4, guidance=1.0)
    events = list(ImageGenerator().generate(request))
    for event in of_kind(events, ImageDone):
        file = request.output / "trajectories" / "MEL" / f"{event.file.stem}.npz"
        with np.load(file) as arrays:
            assert arrays["x_t"].shape == arrays["x0"].shape == (4, 16, 16, 3)
            assert arrays["x_t"].dtype == arrays["x0"].dtype == np.uint8
            assert arrays["timesteps"].tolist() == [750, 500, 250, 0]
            # the last step of ddpm adds no noise: it ends at the predicted image
            assert np.abs(arrays["x0"][-1].astype(int) - np.asarray(Image.open(event.file))).max() <= 1
            noise = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(event.seed))
            first = (((noise[0] + 1) / 2).clamp(0, 1) * 255).to(torch.uint8).permute(1, 2, 0).numpy()
            assert np.array_equal(arrays["x_t"][0], first)
    assert not leftovers(request.output)


def test_a_network_is_loaded_once_for_all_classes_and_runs(ask):
    generator = ImageGenerator()
    for name in ("a", "b"):
        events = list(generator.generate(ask({"MEL": 1, "NV": 1}, output=ask().output / name)))
        assert len(of_kind(events, Loading)) == len(of_kind(events, Loaded)) == 2
    assert len(generator._manager._cache) == 1
