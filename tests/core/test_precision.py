"""Devices and number formats: what is there, what is refused, and in which words."""

from __future__ import annotations

import pytest
import torch

from core import precision
from core.errors import DeviceError, UsageError
from core.precision import has_bf16, is_emulated, precision_again, resolve_device, resolve_precision

CPU = torch.device("cpu")


@pytest.fixture
def cards(monkeypatch):
    """Pretend that the machine has CUDA cards of the given compute capabilities."""

    def pretend(*capabilities: tuple[int, int]) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(capabilities))
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(capabilities))
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capabilities[device.index])

    return pretend


def test_auto_is_the_card_if_there_is_one(cards):
    cards()
    assert resolve_device("auto") == CPU
    cards((8, 0))
    assert resolve_device("auto") == torch.device("cuda", 0)


def test_devices_are_named_as_people_name_them(cards):
    cards((8, 0), (9, 0))
    assert resolve_device("CPU") == CPU
    assert resolve_device(" cuda ") == torch.device("cuda", 0)
    assert resolve_device("CUDA:1") == torch.device("cuda", 1)


@pytest.mark.parametrize("text", ["cuda:2", "gpu", "cuda:-1", "cuda:x", "", "mps"])
def test_a_device_that_is_not_there_is_answered_with_those_that_are(cards, text):
    cards((8, 0), (9, 0))
    with pytest.raises(DeviceError) as error:
        resolve_device(text)
    assert "cpu, cuda:0, cuda:1" in error.value.remedy
    assert error.value.exit_code == 2


def test_without_a_card_cuda_is_refused_with_the_reason(cards, monkeypatch):
    cards()
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(DeviceError, match="built for the CPU only"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    with pytest.raises(DeviceError, match="no CUDA GPU"):
        resolve_device("cuda:0")


@pytest.mark.parametrize(
    ("capability", "expected"), [((7, 5), "fp16"), ((8, 0), "bf16"), ((8, 6), "bf16"), ((12, 0), "bf16")]
)
def test_cards_compute_in_bf16_from_ampere_on(cards, capability, expected):
    cards(capability)
    assert resolve_precision("auto", torch.device("cuda", 0)) == expected


@pytest.mark.parametrize(
    ("capability", "features", "expected"),
    [
        ("AVX512", {"avx512_bf16": True}, "bf16"),
        ("AVX512", {"amx_bf16": True}, "bf16"),
        ("AVX512", {"avx512_f": True}, "fp32"),
        ("AVX2", {"avx512_bf16": True}, "fp32"),  # torch is held back by ATEN_CPU_CAPABILITY
        ("DEFAULT", {}, "fp32"),
    ],
)
def test_processors_compute_in_bf16_only_where_the_hardware_does(monkeypatch, capability, features, expected):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    assert resolve_precision("auto", CPU) == expected
    assert has_bf16(CPU) == (expected == "bf16")


def test_what_is_asked_for_explicitly_is_what_one_gets():
    assert resolve_precision("fp32", CPU) == "fp32"
    assert resolve_precision("bf16", CPU) == "bf16"
    assert resolve_precision("fp16", torch.device("cuda", 0)) == "fp16"
    assert set(precision.DTYPES) == {"fp32", "bf16", "fp16"}


def test_fp16_on_a_processor_is_refused():
    with pytest.raises(UsageError, match="hundreds of times slower"):
        resolve_precision("fp16", CPU)


@pytest.mark.parametrize("has", [True, False])
def test_torch_2_10_is_asked_by_the_names_it_knows(monkeypatch, has):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    assert has_bf16(CPU) == has


@pytest.mark.parametrize("hardware", [True, False])
def test_what_was_recorded_is_computed_again_and_only_fp16_on_a_processor_is_replaced(monkeypatch, hardware):
    monkeypatch.setattr(precision, "has_bf16", lambda device: hardware)
    assert [precision_again(name, CPU) for name in ("fp32", "bf16", "fp16")] == ["fp32", "bf16", "fp32"]
    assert precision_again("fp16", torch.device("cuda", 0)) == "fp16"
    assert is_emulated("bf16", CPU) != hardware
    assert not is_emulated("fp32", CPU)
