"""Reading weights: every way a file can be wrong has its own refusal, and nothing in a file is ever run."""

from __future__ import annotations

import os
import pickle
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.cache.cache_manager import CacheManager
from core.errors import (
    ModelArchitectureError,
    ModelMissingError,
    ModelNotFiniteError,
    ModelRefusedError,
    ModelTooLargeError,
    ModelTruncatedError,
    ModelUnsafeError,
    OutOfMemoryError,
)
from core.generator.model_manager import ModelManager
from core.models import networks
from core.models.discovery import ClassModel, discover
from core.models.networks import PREDECESSOR_NET, build_net, read_state
from core.models.pack import MAX_BYTES
from tests.support.tiny_models import (
    PREDECESSOR_PARAMETERS,
    PREDECESSOR_TENSORS,
    old_attention_keys,
    predecessor_net,
    tiny_net,
    write_tiny_pack,
)

CPU = torch.device("cpu")


def load(model: ClassModel, precision: str = "fp32"):
    return ModelManager(CacheManager()).load(model, CPU, precision)


def tiny_file(folder: Path, state: dict | None = None) -> Path:
    """A pack whose weights file is `state`; returns that file."""
    pack = write_tiny_pack(folder / "pack")
    path = pack / "diffusion_pytorch_model.safetensors"
    if state is not None:
        save_file(state, path)
    return path


def load_tiny(path: Path):
    return load(discover(path.parent).classes["MEL"])


def tiny_state() -> dict[str, torch.Tensor]:
    return dict(tiny_net().state_dict())


def test_the_predecessors_checkpoint_loads_with_every_tensor(checkpoint):
    loaded = load(ClassModel("MEL", True, checkpoint, "checkpoint"))
    state = loaded.net.state_dict()
    assert len(state) == PREDECESSOR_TENSORS
    assert sum(t.numel() for t in state.values()) == PREDECESSOR_PARAMETERS
    assert all(torch.equal(state[name], tensor) for name, tensor in predecessor_net().state_dict().items())
    assert (loaded.image_size, loaded.class_label, loaded.null_label) == (128, None, None)
    assert len(loaded.sha256) == 64


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("container", [None, "model_state_dict", "state_dict"])
def test_every_wrapping_and_both_key_dialects_give_the_same_tensors(tmp_path, container, prefix):
    state = tiny_state()
    wrapped = {prefix + name: tensor for name, tensor in old_attention_keys(state).items()}
    assert wrapped.keys() != state.keys()
    path = tmp_path / "unet_MEL_best.pth"
    torch.save({container: wrapped} if container else wrapped, path)
    read = read_state(path)
    assert read.keys() == state.keys()
    assert all(torch.equal(read[name], state[name]) for name in state)


def test_the_old_dialect_of_the_full_checkpoint_fits_the_network():
    state = predecessor_net().state_dict()
    renamed = {networks._modern_name(name): tensor for name, tensor in old_attention_keys(state).items()}
    net = build_net(PREDECESSOR_NET, renamed, torch.float32, Path("x.pth"))
    assert all(torch.equal(net.state_dict()[name], state[name]) for name in state)


def test_a_checkpoint_may_be_a_safetensors_file(tmp_path):
    path = tmp_path / "unet_MEL_best.safetensors"
    save_file(tiny_state(), path)
    assert read_state(path).keys() == tiny_state().keys()


def test_half_precision_weights_become_fp32(tmp_path):
    pack = write_tiny_pack(tmp_path / "pack", half=True)
    net = load(discover(pack).classes["MEL"]).net
    assert {p.dtype for p in net.parameters()} == {torch.float32}


def test_a_loaded_network_does_not_depend_on_its_file_any_more(tmp_path):
    path = tiny_file(tmp_path)
    net = load_tiny(path).net
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    path.write_bytes(bytes(path.stat().st_size))
    assert all(torch.equal(net.state_dict()[name], before[name]) for name in before)


class _Hostile:
    """Unpickled carelessly, it creates a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_bare_pickle_that_runs_code_is_refused_without_running_it(tmp_path, protocol):
    marker, path = tmp_path / "marker", tmp_path / "unet_MEL_best.pth"
    path.write_bytes(pickle.dumps({"conv_in.weight": _Hostile(marker)}, protocol=protocol))
    with pytest.raises(ModelRefusedError) as refusal:
        load(ClassModel("MEL", True, path, "checkpoint"))
    assert not marker.exists()
    assert path.name in str(refusal.value)


def test_a_torch_archive_that_runs_code_is_called_unsafe(tmp_path):
    marker, path = tmp_path / "marker", tmp_path / "unet_MEL_best.pth"
    torch.save({"conv_in.weight": torch.zeros(2), "x": _Hostile(marker)}, path)
    with pytest.raises(ModelUnsafeError, match="system"):
        load(ClassModel("MEL", True, path, "checkpoint"))
    assert not marker.exists()


def test_the_hostile_pickle_of_these_tests_is_really_hostile(tmp_path):
    marker, path = tmp_path / "marker", tmp_path / "x.pth"
    torch.save(_Hostile(marker), path)
    torch.load(path, weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", "legacy.pth"])
@pytest.mark.parametrize("part", range(16))
def test_a_file_cut_anywhere_is_truncated(tmp_path, suffix, part):
    whole = tmp_path / f"whole{suffix}"
    if suffix == ".safetensors":
        save_file(tiny_state(), whole)
    else:
        torch.save(tiny_state(), whole, _use_new_zipfile_serialization=suffix == ".pth")
    path = tmp_path / f"unet_MEL_best.{suffix.rpartition('.')[2]}"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * part // 16])
    with pytest.raises(ModelTruncatedError) as refusal:
        load(ClassModel("MEL", True, path, "checkpoint"))
    assert path.name in refusal.value.message
    assert refusal.value.remedy


def test_random_damage_never_gets_past_the_typed_refusals(tmp_path):
    whole = tmp_path / "whole.pth"
    torch.save(dict(list(tiny_state().items())[:4]), whole)
    data = whole.read_bytes()
    rng = torch.Generator().manual_seed(0)
    path = tmp_path / "unet_MEL_best.pth"
    for _ in range(150):
        damaged = bytearray(data)
        for position in torch.randint(len(data), (8,), generator=rng).tolist():
            damaged[position] = int(torch.randint(256, (1,), generator=rng))
        path.write_bytes(damaged)
        with suppress(ModelRefusedError):
            read_state(path)


def test_missing_and_extra_tensors_are_counted_and_named(tmp_path):
    state = tiny_state()
    state["stranger.weight"] = state.pop("conv_in.bias")
    with pytest.raises(ModelArchitectureError) as refusal:
        load_tiny(tiny_file(tmp_path, state))
    assert "1 missing (conv_in.bias)" in refusal.value.message
    assert "1 extra (stranger.weight)" in refusal.value.message


def test_tensors_of_another_shape_are_named_with_both_shapes(tmp_path):
    state = tiny_state() | {"conv_in.bias": torch.zeros(5)}
    with pytest.raises(ModelArchitectureError, match=r"conv_in.bias \(5,\) instead of \(8,\)"):
        load_tiny(tiny_file(tmp_path, state))


def test_whole_numbers_are_no_weights(tmp_path):
    state = tiny_state() | {"conv_in.bias": torch.zeros(8, dtype=torch.int64)}
    with pytest.raises(ModelArchitectureError, match=r"conv_in.bias"):
        load_tiny(tiny_file(tmp_path, state))


def test_another_architecture_is_refused_and_only_a_few_tensors_are_listed(tmp_path):
    path = tmp_path / "unet_MEL_best.pth"
    torch.save(tiny_state(), path)
    with pytest.raises(ModelArchitectureError) as refusal:
        load(ClassModel("MEL", True, path, "checkpoint"))
    assert "does not fit the network (330 tensors)" in refusal.value.message
    assert len(refusal.value.message) < 900


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, {}, "text"])
def test_a_file_without_a_state_dict_is_refused(tmp_path, content):
    path = tmp_path / "unet_MEL_best.pth"
    torch.save(content, path)
    with pytest.raises(ModelArchitectureError):
        load(ClassModel("MEL", True, path, "checkpoint"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_that_are_no_numbers_are_refused(tmp_path, value):
    state = tiny_state()
    state["conv_in.bias"] = state["conv_in.bias"].clone()
    state["conv_in.bias"][3] = value
    with pytest.raises(ModelNotFiniteError, match=r"conv_in.bias"):
        load_tiny(tiny_file(tmp_path, state))


def test_a_huge_file_is_refused_unread(tmp_path):
    path = tmp_path / "unet_MEL_best.pth"
    with path.open("wb") as stream:
        stream.write(b"PK\x03\x04")
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(ModelTooLargeError):
        read_state(path)


def test_a_small_file_that_describes_huge_tensors_is_refused(tmp_path):
    path = tmp_path / "unet_MEL_best.pth"
    torch.save({"conv_in.weight": torch.zeros(1).expand(10**6, 10**6)}, path)
    with pytest.raises(ModelTooLargeError):
        read_state(path)


def test_a_file_that_vanished_is_missing(tmp_path):
    with pytest.raises(ModelMissingError):
        load(ClassModel("MEL", True, tmp_path / "unet_MEL_best.pth", "checkpoint"))


def test_an_unavailable_class_is_refused_with_its_reason():
    with pytest.raises(ModelMissingError, match="no such thing"):
        load(ClassModel("MEL", False, reason="no such thing"))


def test_old_torch_does_not_open_pickles_but_opens_safetensors(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "__version__", "2.9.1+cpu")
    path = tmp_path / "unet_MEL_best.pth"
    torch.save(tiny_state(), path)
    with pytest.raises(ModelRefusedError, match=r"2\.9\.1"):
        read_state(path)
    save_file(tiny_state(), path.with_suffix(".safetensors"))
    assert read_state(path.with_suffix(".safetensors"))


def test_a_file_replaced_while_it_is_read_is_not_passed_off_under_the_old_hash(tmp_path, monkeypatch):
    path = tiny_file(tmp_path)
    other = tiny_file(tmp_path / "other", {name: tensor + 1 for name, tensor in tiny_state().items()})
    real = networks.read_state

    def swap_then_read(weights):
        shutil.copyfile(other, weights)
        os.utime(weights, ns=(1, 1))
        return real(weights)

    monkeypatch.setattr("core.generator.model_manager.read_state", swap_then_read)
    with pytest.raises(ModelTruncatedError, match="changed while"):
        load_tiny(path)


def test_new_content_under_an_old_name_is_loaded_anew(tmp_path):
    manager = ModelManager(CacheManager())
    path = tiny_file(tmp_path)
    model = discover(path.parent).classes["MEL"]
    first = manager.load(model, CPU, "fp32")
    assert manager.load(model, CPU, "fp32").net is first.net
    save_file({name: tensor + 1 for name, tensor in load_file(path).items()}, path)
    second = manager.load(model, CPU, "fp32")
    assert second.sha256 != first.sha256
    assert not torch.equal(second.net.conv_in.bias, first.net.conv_in.bias)


def test_classes_of_one_pack_share_its_network_and_differ_in_their_label(pack):
    manager = ModelManager(CacheManager())
    catalog = discover(pack)
    loaded = [manager.load(catalog.classes[code], CPU, "fp32") for code in ("MEL", "VASC")]
    assert loaded[0].net is loaded[1].net
    assert [model.class_label for model in loaded] == [0, 6]
    assert [model.null_label for model in loaded] == [7, 7]
    assert loaded[0].recommended["guidance"] == 1.5
    assert loaded[0].scheduler_config["prediction_type"] == "v_prediction"


def test_a_network_that_does_not_fit_into_memory_is_said_in_words(pack, monkeypatch):
    def full(*args, **kwargs):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("torch.nn.Module.to", full)
    with pytest.raises(OutOfMemoryError, match="does not fit"):
        load(discover(pack).classes["MEL"])


def test_precisions_are_cached_apart(pack):
    manager = ModelManager(CacheManager())
    model = discover(pack).classes["MEL"]
    assert manager.load(model, CPU, "fp32").net.dtype == torch.float32
    assert manager.load(model, CPU, "bf16").net.dtype == torch.bfloat16


def test_an_unreadable_scheduler_is_a_refusal_of_this_pack_only(tmp_path):
    pack = write_tiny_pack(tmp_path / "pack")
    (pack / "scheduler_config.json").write_text("{")
    model = discover(pack).classes["MEL"]
    assert not model.available
    with pytest.raises(ModelMissingError, match="scheduler_config"):
        load(model)
