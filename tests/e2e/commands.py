"""Every command that writes a folder, small enough to be broken off again and again, and what it ends in."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from safetensors.numpy import load_file

from classifier.config import ClassifierConfig
from core.generation import GenerationRequest, parse_counts
from core.generator.image_generator import ImageGenerator
from core.taxonomy import CLASS_CODES
from tests.support.exports import put
from tests.support.keras_files import simple_cnn, write_keras
from tests.support.labelled_data import write_labelled_folder
from tests.support.picture_sets import write_folders, write_labelled
from tests.support.tiny_classifier import draw_lesion, write_tiny_classifier
from tests.support.tiny_models import write_tiny_pack
from training.run_folder import write_run_config
from training.trackers import open_run_log

STARTER = Path(__file__).resolve().parents[2] / "starter/isic7-128"

PASSING = frozenset(
    {"created", "seconds", "training_time_seconds", "training_time_formatted", "hardware", "settings", "output",
     "timestamp", "images_per_second", "minutes", "folder", "source", "config", "data"}
)  # fmt: skip
"""Keys of results that say when, where and how fast."""


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes
    ----------
    argv
        The command line for an output folder; `{world}` and `{out}` are replaced.
    results
        Names in the output folder that the command ends in, and how they are compared.
    again
        Flags with which it goes on after it was broken off, beside the same command line.
    parts
        Pattern of what is finished before the end, and is never made again.
    prepare
        Write into the output folder what the command expects there.
    """

    argv: tuple[str, ...]
    results: dict[str, Callable[[Path], Any]]
    again: tuple[str, ...] = ()
    parts: str = ""
    prepare: Callable[[Path], object] | None = None

    def line(self, world: Path, out: Path, *, again: bool = False) -> list[str]:
        """Return the command line."""
        begun = again and bool(self.again) and (out / "config.json").exists()
        words = self.argv + (self.again if begun else ())
        return [word.format(world=world, out=out) for word in words]

    def outcome(self, out: Path) -> dict[str, Any]:
        """Return what it has ended in, as far as it has."""
        return {name: compare(out / name) for name, compare in self.results.items() if (out / name).exists()}

    def finished_parts(self, out: Path) -> dict[str, str]:
        """Return what is finished already."""
        return {str(path): as_bytes(path) for path in out.glob(self.parts)} if self.parts else {}


def as_bytes(path: Path) -> str:
    """Compare a file byte by byte."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def as_tensors(path: Path) -> dict[str, str]:
    """Compare the tensors of a file: safetensors orders what its header says of them by chance."""
    return {name: hashlib.sha256(tensor.tobytes()).hexdigest() for name, tensor in load_file(path).items()}


def as_results(path: Path) -> Any:
    """Compare a JSON file without what says when, where and how fast."""
    return _lasting(json.loads(path.read_text(encoding="utf-8")))


def as_folder(path: Path) -> dict[str, str]:
    """Compare all files of a folder byte by byte."""
    return {p.relative_to(path).as_posix(): as_bytes(p) for p in sorted(path.rglob("*")) if p.is_file()}


def is_there(path: Path) -> bool:
    """Compare nothing: the file says when it was made."""
    return path.is_file()


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(item) for key, item in value.items() if key not in PASSING}
    return [_lasting(item) for item in value] if isinstance(value, list) else value


def make_world(world: Path) -> Path:
    """Write what the commands read."""
    write_tiny_pack(world / "models/pack", image_size=8)
    write_tiny_classifier(world / "judge")
    for number in range(1, 7):
        put(world / "collection", "MEL", number, number, pixels=draw_lesion("MEL", number))
    put(world / "collection", "NV", 1, 9, pixels=draw_lesion("NV", 9))
    lesion = draw_lesion("MEL", 1)
    inside = np.tri(*lesion.shape[:2], dtype=np.uint8) * 255
    Image.fromarray(inside).save(world / "mask.png")
    write_labelled_folder(world / "photographs", lesions=6, size=16)
    write_labelled_folder(world / "learnt", lesions=8, size=16)
    write_keras(world / "model.h5", simple_cnn(16))
    write_archive(world)
    write_runs(world / "runs")
    generate(world)
    classes = {"MEL": 13, "NV": 12}
    write_labelled(world / "real", classes, side=16)
    write_folders(world / "spots", classes, side=16)
    for place, part in enumerate(("train", "test", "synthetic")):
        for code in CLASS_CODES:
            folder = world / "utility" / part / code
            folder.mkdir(parents=True)
            for index in range(4):
                Image.fromarray(draw_lesion(code, 1000 * place + index)).save(folder / f"{part}_{index}.png")
    return world


def write_runs(root: Path) -> None:
    """Write two runs with a log each."""
    for number, name in enumerate(("a", "b")):
        write_run_config(root / name, kind="classifier", name=name, settings=ClassifierConfig(seed=number))
        with open_run_log(root / name, "none", columns=("loss",)) as log:
            for images in (100, 200):
                log.log(images, loss=1 / (images + number))


def generate(world: Path) -> None:
    """Generate one image, to be made again."""
    request = GenerationRequest(
        parse_counts("MEL=1"),
        models=world / "models",
        output=world / "generated",
        steps=2,
        device="cpu",
        precision="fp32",
    )
    list(ImageGenerator().generate(request))


def write_archive(world: Path) -> None:
    """Write the small part of an archive as the predecessor's, and what was found out about a model."""
    statistics = {"MEL": {"rgb": {"mean": [1, 2, 3], "std": [1, 2, 3]}}}
    with zipfile.ZipFile(world / "archive.zip", "w") as archive:
        archive.writestr("checkpoints/color_statistics.json", json.dumps(statistics))
    (world / "judged").mkdir()
    (world / "judged/judgement.json").write_bytes((STARTER / "judgement.json").read_bytes())


CPU = ("--device", "cpu")
NET = ("--set=widths=8,16", "--set=attention=1", "--set=attention_head_dim=8", "--set=norm_groups=4",
       "--set=samples_per_class=1", "--set=sample_steps=1")  # fmt: skip

COMMANDS = {
    "models download": Command(
        ("models", "download", "--from-file", "{world}/archive.zip", "--to", "{out}"),
        {"color_statistics.json": as_bytes, "isicgui-models.json": is_there},
    ),
    "models import": Command(
        ("models", "import", "{world}/model.h5", "--output", "{out}"),
        {"classifier.json": as_results, "model.safetensors": as_bytes},
    ),
    "models card": Command(
        ("models", "card", "{out}", "--judged", "{world}/judged"),
        {"README.md": as_bytes, "SHA256SUMS": as_bytes, "judgement.json": as_bytes},
        prepare=lambda out: write_tiny_pack(out, image_size=8),
    ),
    "models sheet": Command(
        ("models", "sheet", "{world}/models/pack", "--output", "{out}/sheet.png", "--keep", "{out}/kept", "--columns",
         "1", "--steps", "1", *CPU),
        {"sheet.png": as_bytes},
        parts="kept/*/*.png",
    ),
    "models judge": Command(
        ("models", "judge", "{world}/models/pack", "--data", "{world}/learnt", "--output", "{out}", "--evaluator",
         "{world}/judge", "--per-class", "1", "--steps", "1", *CPU),
        {"judgement.json": as_results, "samples.png": as_bytes},
        parts="generated/*/*/*.png",
    ),
    "export": Command(
        ("export", "{world}/collection", "--to", "{out}", "--format", "hf"), {".": as_folder}
    ),
    "curate": Command(
        ("curate", "{world}/collection", "--output", "{out}", "--rules", "duplicates"),
        {"curation.csv": as_bytes, "curation.json": as_results},
    ),
    "evaluate": Command(
        ("evaluate", "--synthetic", "{world}/spots", "--real", "{world}/real", "--output", "{out}", "--evaluator",
         "{world}/judge", *CPU),
        {"results.json": as_results, "report.html": is_there, "report.pdf": is_there},
    ),
    "data check": Command(
        ("data", "check", "{world}/learnt", "--output", "{out}"), {"photographs.png": as_bytes}
    ),
    "reproduce": Command(
        ("reproduce", "{world}/generated/MEL/ISIC_0000001.png", "--models", "{world}/models", "--save", "{out}.png",
         *CPU),
        {"../out.png": as_bytes},
    ),
    "experiments compare": Command(
        ("experiments", "compare", "a", "b", "--root", "{world}/runs", "--output", "{out}/curves.png"),
        {"curves.png": as_bytes},
    ),
    "explain": Command(
        ("explain", "{world}/collection/NV", "--output", "{out}", "--methods", "gradcam", "--classifier",
         "{world}/judge", *CPU),
        {"analysis.json": as_results, "report.html": is_there},
    ),
    "utility": Command(
        ("utility", "--train", "{world}/utility/train", "--test", "{world}/utility/test", "--synthetic",
         "{world}/utility/synthetic", "--output", "{out}", "--architecture", "small_cnn", "--image-size", "16",
         "--steps", "2", "--seeds", "2", *CPU),
        {"results.json": as_results},
        parts="runs/*/*.npz",
    ),
    "train autoencoder": Command(
        ("train", "autoencoder", "--data", "{world}/photographs", "--output", "{out}", "--image-size=16",
         "--latent-channels=2", "--batch-size=2", "--precision=fp32", "--device=cpu", "--tracker=none", "--images=12",
         "--set=checkpoint_minutes=0.00001", "--set=widths=8,8", "--set=norm_groups=4", "--set=discriminator_width=4",
         "--set=adversarial_start=0.4"),
        {"pack/diffusion_pytorch_model.safetensors": as_tensors, "pack/reconstruction.json": as_results},
        again=("--resume",),
    ),
    "train classifier": Command(
        ("train", "classifier", "--data", "{world}/photographs", "--output", "{out}", "--architecture", "small_cnn",
         "--image-size", "16", "--epochs", "2", "--precision", "fp32", "--tracker", "none", *CPU),
        {"test_results.json": as_results, "model/model.safetensors": as_tensors, "test_predictions.csv": as_bytes},
        again=("--resume",),
    ),
    "train diffusion": Command(
        ("train", "diffusion", "--data", "{world}/photographs", "--output", "{out}", "--image-size=16",
         "--batch-size=8", "--precision=fp32", "--device=cpu", "--tracker=none", "--classes=NV,VASC", "--images=24",
         "--set=checkpoint_minutes=0.00001", *NET),
        {"best/diffusion_pytorch_model.safetensors": as_tensors},
        again=("--resume",),
    ),
    "trajectory": Command(
        ("trajectory", "--class", "MEL,NV", "--output", "{out}", "--models", "{world}/models", "--classifier",
         "{world}/judge", "--steps", "2", "--groups", "2", "--quick", *CPU),
        {"analysis.json": as_results},
        parts="*/trajectory.npz",
    ),
}  # fmt: skip
