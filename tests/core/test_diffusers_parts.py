"""Sampling imports little of diffusers, and whoever needs more of it afterwards finds all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core.diffusers_parts import UNet2DModel
from core.models.networks import build_net

ROOT = Path(__file__).resolve().parents[2]
NOT_NEEDED = ("torch._dynamo", "torch._inductor", "sympy", "scipy.stats._stats_py", "diffusers.hooks", "transformers")


def run(code: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


SAMPLES = f"""
import json, sys
from pathlib import Path
from core.generation import GenerationRequest, order_counts
from core.generator.image_generator import ImageGenerator
counts = order_counts({{"MEL": 1}})
request = GenerationRequest(counts=counts, models=Path(sys.argv[1]), output=Path(sys.argv[2]), steps=2)
for _ in ImageGenerator().generate(request):
    pass
print(json.dumps([[name for name in {NOT_NEEDED!r} if name in sys.modules],
                  sum(name.startswith("diffusers.models.transformers.") for name in sys.modules)]))
"""


def test_generating_imports_no_compiler_and_no_transformers(pack: Path, tmp_path: Path) -> None:
    loaded, transformers = json.loads(run(SAMPLES, pack, tmp_path / "out").splitlines()[-1])
    assert loaded == []
    assert transformers <= 3
    assert list(tmp_path.glob("out/MEL/*.png"))


def test_all_of_diffusers_is_there_afterwards() -> None:
    out = run("""
import core.diffusers_parts as parts
import diffusers, scipy.stats, torch
from diffusers import AutoencoderKL, DDPMPipeline, DiTTransformer2DModel, EulerDiscreteScheduler, UNet2DConditionModel
from diffusers.training_utils import EMAModel
from diffusers.schedulers import DDIMScheduler, DDPMScheduler
assert diffusers.UNet2DModel is parts.UNet2DModel
assert DDPMScheduler is parts.DDPMScheduler is diffusers.DDPMScheduler
assert diffusers.models.transformers.DiTTransformer2DModel is DiTTransformer2DModel
assert not hasattr(diffusers.models.transformers, "NoSuchModel")
doubled = torch.compile(lambda x: 2 * x, backend="eager")(torch.ones(1))
print(round(float(scipy.stats.beta.cdf(0.5, 2, 2)), 6), doubled.item())
""")
    assert out.split() == ["0.5", "2.0"]


def test_a_diffusers_that_is_already_there_is_taken_as_it_is() -> None:
    out = run("""
import diffusers
from diffusers import UNet2DModel
import core.diffusers_parts as parts
print(parts.UNet2DModel is UNet2DModel)
""")
    assert out.strip() == "True"


@pytest.mark.parametrize("broken", ["diffusers.schedulers.scheduling_ddpm", "diffusers.models.unets.unet_2d"])
def test_what_cannot_be_imported_in_part_is_imported_as_a_whole(broken: str) -> None:
    out = run(f"""
import sys
class BreaksOnce:
    done = False
    def find_spec(self, name, path=None, target=None):
        if name == {broken!r} and not BreaksOnce.done:
            BreaksOnce.done = True
            raise ImportError("not in part")
sys.meta_path.insert(0, BreaksOnce())
import core.diffusers_parts as parts
import diffusers
from diffusers.models.transformers import DiTTransformer2DModel
print(BreaksOnce.done, diffusers.UNet2DModel is parts.UNet2DModel, type(diffusers.models.unets).__name__)
""")
    assert out.split() == ["True", "True", "module"]


def test_a_network_without_initial_values_gets_those_of_the_file(tmp_path: Path) -> None:
    config = {
        "sample_size": 8,
        "block_out_channels": (8, 8),
        "norm_num_groups": 4,
        "num_class_embeds": 3,
        "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
        "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    }
    made = UNet2DModel(**config)
    net = build_net(config, made.state_dict(), torch.float32, tmp_path / "weights.safetensors")
    for name, tensor in made.state_dict().items():
        assert torch.equal(net.state_dict()[name], tensor), name
    x, t, label = torch.randn(1, 3, 8, 8), torch.tensor([7]), torch.tensor([1])
    assert torch.equal(net(x, t, label).sample, made.eval()(x, t, label).sample)
