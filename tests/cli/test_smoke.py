"""`doctor --smoke`: one image made, explained and made again, and what is said where that does not work."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.app import cli
from cli.doctor import smoke_test
from tests.support.tiny_models import write_tiny_pack


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return write_tiny_pack(tmp_path / "models" / "tiny", image_size=32)


def test_an_image_is_generated_explained_and_reproduced_and_nothing_is_left(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    checks = [event.check for event in smoke_test(models)]
    assert [(check.name, check.status) for check in checks] == [
        ("Generate", "ok"), ("Explain", "ok"), ("Reproduce", "ok"),
    ]  # fmt: skip
    assert "equal to the bit" in checks[-1].detail
    assert not list(scratch.iterdir())


def test_a_model_that_cannot_be_loaded_is_named_and_ends_it(models: Path) -> None:
    weights = models / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    (failed,) = [event.check for event in smoke_test(models)]
    assert (failed.name, failed.status) == ("Generate", "fail")
    assert failed.remedy


@pytest.mark.slow
def test_the_command_tells_of_it_behind_its_other_checks() -> None:
    done = CliRunner().invoke(cli, ["doctor", "--smoke", "--json"], standalone_mode=False)
    checks = [json.loads(line) for line in done.stdout.splitlines()]
    assert [check["name"] for check in checks][-3:] == ["Generate", "Explain", "Reproduce"]
    assert all(check["status"] == "ok" for check in checks[-3:])
