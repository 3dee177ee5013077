"""Packs whose descriptions are wrong, absurd or do not run: each is refused by name, at once, and the others draw."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from core.errors import InputRefusedError, ModelArchitectureError, ModelRefusedError, UsageError
from core.events import Failed
from core.generator.color import load_color_statistics
from core.generator.image_generator import ImageGenerator
from core.generator.reproduce import _check
from core.generator.sampler import build_scheduler
from core.models.config_schema import MAX_TIMESTEPS
from core.models.discovery import discover
from core.models.networks import build_net
from core.models.pack import read_pack
from dataset.png import read_recipe
from tests.core.generator.test_image_generator import made, of_kind
from tests.support.tiny_models import tiny_net, tiny_scheduler, write_tiny_pack

HUGE = 10**9
NAN, INFINITE = float("nan"), float("inf")
SCHEDULER = {key: value for key, value in tiny_scheduler().config.items() if not key.startswith("_")}


def nested(depth: int = 5000) -> list:
    found: list = []
    for _ in range(depth):
        found = [found]
    return found


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


# --- networks -------------------------------------------------------------------------------------------------------

ODD_NETWORKS = {
    "sample_size": [HUGE, 0, -16, 17, 16.0, "16", None, True, [16, 16], 10**400, NAN],
    "block_out_channels": [[HUGE], [8, HUGE], [], [8], [8] * 100, ["8", 16], [8.5, 16], [True, 16], 8,
                           {"a": 8}, [-8, 16]],
    "layers_per_block": [10**6, 0, -1, 1.5, "1", None, True, [1]],
    "in_channels": [1, 4, HUGE, "3", 3.0, None],
    "out_channels": [6, 0, None],
    "num_class_embeds": [HUGE, 0, -1, "8", 8.0, True, [8]],
    "norm_num_groups": [0, -4, HUGE, "4", None],
    "attn_norm_num_groups": [0, HUGE, "4"],
    "attention_head_dim": [0, -8, HUGE, "8", 8.0],
    "norm_eps": [0, -1, NAN, INFINITE, "1e-5", None],
    "dropout": [2, -1, NAN, "0"],
    "mid_block_scale_factor": [0, NAN, INFINITE, 1e300, "1"],
    "downsample_padding": [HUGE, -1, "1"],
    "down_block_types": [[], ["DownBlock2D"], "DownBlock2D", [1, 2], None, ["x" * 10**6, "x"]],
    "up_block_types": [[], ["UpBlock2D"] * 1000, "UpBlock2D", [None, None]],
    "time_embedding_type": ["other", 1, None],
    "time_embedding_dim": [HUGE, 0, "32"],
    "num_train_timesteps": [HUGE, 0, -1, "1000"],
    "freq_shift": [HUGE, NAN, "0"],
    "center_input_sample": ["yes", 2],
    "add_attention": ["no", 0],
    "act_fn": [3, "x" * 10**6],
    "_class_name": ["UNet2DConditionModel", "AutoencoderKL", 3],
}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in ODD_NETWORKS.items() for value in values],
                         ids=lambda value: repr(value)[:24])  # fmt: skip
def test_an_odd_value_of_a_network_is_named_before_anything_is_built(tmp_path, key, value):
    write_tiny_pack(tmp_path / "odd")
    write_tiny_pack(tmp_path / "unet_NV", num_classes=None)
    change(tmp_path / "odd" / "config.json", **{key: value})
    catalog = discover(tmp_path)
    ((place, reason),) = catalog.ignored
    assert place.name == "odd"
    assert len(reason) < 1000
    assert catalog.available == ("NV",)
    assert "odd" in catalog.classes["MEL"].reason


BUILT_NEVER = {
    "groups that do not divide": {"norm_num_groups": 3},
    "an unknown block": {"down_block_types": ["DownBlock2D", "NoBlock2D"]},
    "an unknown activation": {"act_fn": "no such"},
    "conditions that are not there": {"down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"]},
    "heads that do not divide": {"attention_head_dim": 7},
    "an unknown normalisation": {"resnet_time_scale_shift": "no such"},
    "the wrong width": {"block_out_channels": [8, 32]},
}


@pytest.mark.parametrize("what", BUILT_NEVER)
def test_a_network_that_cannot_be_built_is_refused_and_the_others_draw(ask, tmp_path, what):
    models = two_packs(tmp_path)
    change(models / "unet_MEL" / "config.json", **BUILT_NEVER[what])
    assert_only_nevi(ask, models)


def two_packs(tmp_path: Path) -> Path:
    for code in ("MEL", "NV"):
        write_tiny_pack(tmp_path / "models" / f"unet_{code}", num_classes=None)
    return tmp_path / "models"


def assert_only_nevi(ask, models: Path, **values: object) -> Failed:
    request = ask({"MEL": 2, "NV": 1}, models=models, **values)
    events = list(ImageGenerator().generate(request))
    (failed,) = of_kind(events, Failed)
    assert (failed.class_code, failed.images) == ("MEL", 2)
    assert failed.remedy
    assert list(made(request.output)) == ["NV/ISIC_0000001.png"]
    assert (events[-1].status, events[-1].written, events[-1].failed) == ("failed", 1, 2)
    return failed


def _relabel(folder: Path, **values: object) -> None:
    """Write a pack whose network is built with its own weights, whatever it does when it runs."""
    config = {**dict(tiny_net(num_classes=None).config), **values}
    net = type(tiny_net())(**{key: value for key, value in config.items() if not key.startswith("_")})
    net.save_pretrained(folder)


RUN_NEVER = {
    "labels that are times": {"class_embed_type": "timestep"},
    "padding that grows": {"downsample_padding": 2},
}


@pytest.mark.parametrize("what", RUN_NEVER)
def test_a_network_that_is_built_and_does_not_run_is_refused_and_the_others_draw(ask, tmp_path, what):
    models = two_packs(tmp_path)
    _relabel(models / "unet_MEL", **RUN_NEVER[what])
    failed = assert_only_nevi(ask, models)
    assert failed.kind == "model_architecture"
    assert "unet_MEL" in failed.message


def test_a_run_of_nothing_but_a_network_that_does_not_run_is_an_error_and_leaves_no_run(ask, tmp_path):
    models = two_packs(tmp_path)
    _relabel(models / "unet_MEL", **RUN_NEVER["labels that are times"])
    request = ask({"MEL": 1}, models=models)
    with pytest.raises(ModelRefusedError, match="can be built but not run"):
        list(ImageGenerator().generate(request))
    assert list(ImageGenerator().resume(request.output))[-1].status == "completed"


def test_a_step_is_not_timed_with_it(ask, tmp_path):
    models = two_packs(tmp_path)
    _relabel(models / "unet_MEL", **RUN_NEVER["padding that grows"])
    with pytest.raises(ModelArchitectureError):
        ImageGenerator().time_step(ask({"MEL": 1}, models=models))


def test_attention_over_a_whole_large_picture_is_refused_not_begun(tmp_path):
    pack = write_tiny_pack(tmp_path / "pack", image_size=512)
    assert "attention over 256 x 256" in discover(pack).classes["MEL"].reason
    change(pack / "config.json", sample_size=256)
    assert discover(pack).classes["MEL"].available


def test_fewer_learned_times_than_the_schedule_has_are_refused(tmp_path):
    pack = write_tiny_pack(tmp_path / "pack")
    change(pack / "config.json", time_embedding_type="learned", num_train_timesteps=10)
    assert "trained with 10 timesteps" in discover(pack).classes["MEL"].reason


def test_keys_that_diffusers_does_not_know_change_nothing(tmp_path):
    state = tiny_net().state_dict()
    odd = {
        "self": 1,
        "cls": 2,
        "trust_remote_code": True,
        "auto_map": {"AutoModel": "x.Y"},
        "return_unused_kwargs": True,
    }
    config = {**dict(tiny_net().config), "_name_or_path": "/etc/passwd", "torch_dtype": "float8", **odd}
    net = build_net(config, state, torch.float32, tmp_path / "w.safetensors")
    assert all(torch.equal(net.state_dict()[name], tensor) for name, tensor in state.items())


# --- files ----------------------------------------------------------------------------------------------------------

ODD_FILES = {
    "nested": b"[" * 5000 + b"]" * 5000,
    "nested objects": b'{"a":' * 5000 + b"1" + b"}" * 5000,
    "a list": b"[]",
    "a text": b'"x"',
    "nothing": b"",
    "no UTF-8": b'{"a": "\xff"}',
    "zeros": bytes(100),
    "too large": b'{"a": "' + b"x" * 2 * 1024**2 + b'"}',
    "a number of 5000 digits": b'{"sample_size": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("name", ["config.json", "scheduler_config.json", "isicgui.json"])
@pytest.mark.parametrize("what", ODD_FILES)
def test_a_file_that_holds_something_else_refuses_its_pack_alone(tmp_path, name, what):
    write_tiny_pack(tmp_path / "odd")
    write_tiny_pack(tmp_path / "unet_NV", num_classes=None)
    (tmp_path / "odd" / name).write_bytes(ODD_FILES[what])
    catalog = discover(tmp_path)
    assert catalog.available == ("NV",)
    assert [place.name for place, _ in catalog.ignored] == ["odd"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["config.json", "diffusion_pytorch_model.safetensors", "isicgui.json"])
def test_a_pipe_in_a_pack_is_not_waited_for(tmp_path, name):
    write_tiny_pack(tmp_path / "odd")
    (tmp_path / "odd" / name).unlink()
    os.mkfifo(tmp_path / "odd" / name)
    discover(tmp_path)  # comes back; without its description the pack is complete


@pytest.mark.parametrize(
    "advice",
    [3, [], "x", {"guidance": NAN}, {"guidance": 1e300}, {"guidance": "3"}, {"guidance": -1}, {"steps": 0},
     {"steps": HUGE}, {"steps": 2.5}, {"sampler": 3}, {"color": "no"}, {"guidance": True}],
)  # fmt: skip
def test_advice_that_cannot_be_followed_is_not_followed(ask, tmp_path, advice):
    pack = write_tiny_pack(tmp_path / "pack")
    change(pack / "isicgui.json", recommended=advice)
    assert read_pack(pack).recommended == {}
    events = list(ImageGenerator().generate(ask({"MEL": 1}, models=pack)))
    assert events[-1].status == "completed"


# --- schedulers -----------------------------------------------------------------------------------------------------

ODD_SCHEDULERS = {
    "num_train_timesteps": [HUGE, MAX_TIMESTEPS + 1, 0, -1, 1e9, "1000", True, [1000], {}, 10**400, NAN],
    "beta_start": [0, -1, 1, 2, NAN, INFINITE, "0.1", [0.1]],
    "beta_end": [0, 1, 1e300, NAN, "0.1"],
    "beta_schedule": ["no such", 3, ["linear"], {}],
    "trained_betas": [[], [0.1], [2.0] * 1000, [NAN] * 1000, ["0.1"] * 1000, [0.1] * (MAX_TIMESTEPS + 1), "x", 0.1,
                      [[0.1]]],
    "prediction_type": ["no such", 3, ["epsilon"]],
    "variance_type": ["learned", "learned_range", "no such", 3],
    "clip_sample": ["yes", 3],
    "clip_sample_range": [0, -1, NAN, INFINITE, 1e300, "1"],
    "thresholding": ["yes"],
    "dynamic_thresholding_ratio": [0, 2, NAN],
    "sample_max_value": [0, NAN, 1e300],
    "timestep_spacing": ["no such", 3],
    "steps_offset": [HUGE, -1, 1.5, "1", 1000],
    "rescale_betas_zero_snr": ["yes", 1],
}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in ODD_SCHEDULERS.items() for value in values],
                         ids=lambda value: repr(value)[:24])  # fmt: skip
def test_an_odd_value_of_a_scheduler_is_refused_before_it_is_built(key, value):
    with pytest.raises(ModelRefusedError) as refusal:
        build_scheduler("ddpm", {**SCHEDULER, key: value}, 10)
    assert len(str(refusal.value)) < 1000


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "dpmpp-2m-sde", "unipc"])
@pytest.mark.parametrize(
    "config",
    [{}, {"lambda_min_clipped": -INFINITE}, {"trained_betas": [0.01] * 1000}, {"beta_schedule": "linear"},
     {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1, "solver_order": 2},
     {"_class_name": "EulerDiscreteScheduler", "sigma_min": None, "use_karras_sigmas": False}],
)  # fmt: skip
def test_schedules_that_people_have_are_built(sampler, config):
    assert len(build_scheduler(sampler, {**SCHEDULER, **config}, 10).timesteps) == 10


def test_a_pack_with_an_absurd_schedule_is_refused_and_the_others_draw(ask, tmp_path):
    models = two_packs(tmp_path)
    change(models / "unet_MEL" / "scheduler_config.json", num_train_timesteps=HUGE)
    assert "num_train_timesteps" in assert_only_nevi(ask, models).message


def test_a_model_with_fewer_times_than_steps_is_refused_and_the_others_draw(ask, tmp_path):
    models = two_packs(tmp_path)
    change(models / "unet_MEL" / "scheduler_config.json", num_train_timesteps=2)
    assert "2 timesteps" in assert_only_nevi(ask, models).message
    with pytest.raises(UsageError):
        list(ImageGenerator().generate(ask({"MEL": 1}, models=models)))


@pytest.fixture(scope="module")
def image(tmp_path_factory) -> Path:
    from core.generation import GenerationRequest, order_counts

    folder = tmp_path_factory.mktemp("recipe")
    pack = write_tiny_pack(folder / "tiny")
    request = GenerationRequest(order_counts({"MEL": 1}), pack, folder / "out", steps=2, precision="fp32", device="cpu")
    list(ImageGenerator().generate(request))
    return folder / "out" / "MEL" / "ISIC_0000001.png"


@pytest.mark.parametrize("scheduler", [{"num_train_timesteps": HUGE}, {"beta_start": NAN}, {"trained_betas": "x"}])
def test_the_scheduler_of_a_recipe_goes_through_the_same_check(image, scheduler):
    recipe = read_recipe(image)
    _check(recipe, image)
    object.__setattr__(recipe, "scheduler", {**recipe.scheduler, **scheduler})
    with pytest.raises(InputRefusedError, match=next(iter(scheduler))):
        _check(recipe, image)


# --- colours --------------------------------------------------------------------------------------------------------


def rgb(mean: object = (1, 2, 3), std: object = (1, 2, 3)) -> dict[str, object]:
    return {"rgb": {"mean": mean, "std": std}}


ODD_COLOURS = [
    rgb(mean=[NAN] * 3), rgb(mean=[1, 2]), rgb(mean=[1, 2, 3, 4]), rgb(mean=[1e300] * 3), rgb(mean=5), rgb(mean="abc"),
    rgb(std=[-1, 1, 1]), rgb(std=[1e300] * 3), rgb(std=[256, 1, 1]), [], {"rgb": None}, {}, nested(900),
]  # fmt: skip


@pytest.mark.parametrize("content", [*({"MEL": odd} for odd in ODD_COLOURS), []])
def test_odd_colour_statistics_are_refused_by_name(tmp_path, content):
    path = tmp_path / "color_statistics.json"
    path.write_text(json.dumps(content))
    with pytest.raises(InputRefusedError, match=r"color_statistics\.json"):
        load_color_statistics(path)


def test_colours_of_classes_that_nobody_here_draws_are_passed_over(ask, tmp_path):
    models = two_packs(tmp_path)
    (models / "color_statistics.json").write_text(json.dumps({"SCC": rgb(), "MEL": rgb()}))
    events = list(ImageGenerator().generate(ask({"MEL": 1}, models=models)))
    assert events[-1].status == "completed"
