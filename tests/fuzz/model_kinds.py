"""Models and what lies beside them: a folder of which the odd one is refused, and the others draw."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from core.cancel import CancelToken
from core.generation import GenerationRequest, parse_counts
from core.generator.color import load_color_statistics
from core.generator.image_generator import ImageGenerator
from core.models.classification.loading import load_network
from core.models.discovery import discover
from core.models.networks import WEIGHTS_FILE, decode, read_autoencoder
from core.models.safe_weights import read_weights
from diffusion.autoencoder.card import write_card as write_autoencoder_card
from diffusion.card import card_of, write_card
from diffusion.colour_statistics import class_statistics, render_statistics
from diffusion.draws import ImageSet
from diffusion.latent.latents import CACHE, encode_photographs, keep, kept
from download.job import fetch
from download.partial import Partial, Seen
from download.records import Ledger, Record, read_records, write_record
from download.source import WebSource, local_source
from evaluation.masks.segmenter import load_segmenter
from measures.reference import Reference, read_reference
from tests.fuzz.case import Kind
from tests.fuzz.forms import as_archive, as_json, as_safetensors, as_zip, raw
from tests.support.tiny_classifier import write_tiny_classifier
from tests.support.tiny_latents import write_tiny_autoencoder, write_tiny_latent_pack
from tests.support.tiny_models import write_tiny_pack
from training.runtime import CHECKPOINT, load_checkpoint, save_checkpoint
from xai.sanity import Sanity, Stage, read_sanity, save_sanity

_VALUE = {"mean": 30.5, "low": 30.0, "high": 31.0}
RECONSTRUCTION = {
    "images": 12, "lesions": 9, "measured_on": "test", "image_size": 16, "psnr": _VALUE, "ssim": _VALUE,
    "perceptual": _VALUE, "features": "pixels", "kernel_distance": [0.1, 0.05, 0.2], "floor": None,
    "agreement": {"judge": "net@12345678", "same": _VALUE, "on_photographs": _VALUE, "on_reconstructions": _VALUE},
}  # fmt: skip
TRAINING = {
    "images_seen": 5, "seconds": 7200, "precision": "fp32", "init_from": None, "licence": "CC0", "data": "photos",
    "split_fingerprint": "abc", "photographs": {"train": {"MEL": 3}, "test": {"MEL": 1}}, "leakage": {"known": True},
    "settings": {"image_size": 16, "latent_channels": 4, "widths": [4, 8], "norm_groups": 2},
    "hardware": {"cpu": "x", "cores": 2, "threads": 1, "gpus": [], "memory_gb": 8},
}  # fmt: skip
CPU = torch.device("cpu")
PHOTOGRAPHS = tuple(
    ImageSet(torch.zeros(count, 3, 16, 16, dtype=torch.uint8), torch.zeros(count, dtype=torch.int64))
    for count in (3, 2)
)
WEIGHTS = "pack/diffusion_pytorch_model.safetensors"
SOURCE = WebSource("https://example.invalid/a.zip")
SHA = "0" * 64


def make_pack(folder: Path) -> None:
    """Write a pack, and its colour statistics beside it."""
    write_tiny_pack(folder / "pack", image_size=8)
    pixels = np.random.default_rng(0).integers(0, 255, (4, 3, 8, 8), dtype=np.uint8)
    (folder / "pack/color_statistics.json").write_text(render_statistics(class_statistics(pixels, ["MEL", "NV"] * 2)))


def draw(folder: Path) -> None:
    """Discover the models, and draw two images with whatever says that it can."""
    catalog = discover(folder / "pack")
    for code in catalog.available[:1]:
        counts = parse_counts(f"{code}=1")
        request = GenerationRequest(
            counts, models=folder / "pack", output=folder / "out", steps=2, device="cpu", precision="fp32"
        )
        list(ImageGenerator().generate(request))


def card(folder: Path) -> None:
    """Draw, then write the card."""
    from core.models.pack import PackRefused, read_pack

    with suppress(PackRefused):
        card_of(read_pack(folder / "pack"))
    draw(folder)


def make_torch(folder: Path) -> None:
    """Write weights as `torch.save` does, as a ZIP and as a bare pickle."""
    state = {"a.weight": torch.ones(3, 2), "a.bias": torch.zeros(2), "b": torch.arange(4.0)}
    torch.save(state, folder / "weights.pth")
    torch.save({"model_state_dict": state, "epoch": 3}, folder / "old.pth", _use_new_zipfile_serialization=False)


def read_torch(folder: Path) -> None:
    """Read both."""
    read_weights(folder / "weights.pth")
    read_weights(folder / "old.pth")


def make_classifier(folder: Path) -> None:
    """Write a classifier with its reference and its sanity check."""
    write_tiny_classifier(folder / "net", trained=False)
    rng = np.random.default_rng(0)
    Reference(rng.normal(size=(30, 4)).astype(np.float16), 0.5, 40, SHA).save(folder / "net")
    save_sanity(folder / "sanity.json", SHA, Sanity("ig", (Stage("head", 0.1, 0.2), Stage("body", 0.0, 0.1))))


def read_classifier(folder: Path) -> None:
    """Load the network and answer once."""
    network = load_network(folder / "net")
    network.logits(torch.zeros(1, 3, 32, 32))


def read_companions(folder: Path) -> None:
    """Read what lies beside a classifier."""
    found = read_reference(folder / "net", SHA)
    if found is not None:
        found.distances(np.zeros((2, found.features.shape[1])))
    for sanity in read_sanity(folder / "sanity.json", SHA).values():
        assert isinstance(sanity.similarity, float)
        json.dumps(sanity.to_json())


def make_segmenter(folder: Path) -> None:
    """Copy the starter's segmenter."""
    from core.utils.path_manager import PathManager
    from evaluation.masks.segmenter import RECORD_FILE, STARTER, WEIGHTS_FILE

    for name in (RECORD_FILE, WEIGHTS_FILE):
        (folder / name).write_bytes((PathManager().starter_dir / STARTER / name).read_bytes())


def make_archive(folder: Path) -> None:
    """Write an archive of what the predecessor's holds, with tiny contents."""
    write_tiny_classifier(folder / "net", trained=False)
    statistics = {"MEL": {"rgb": {"mean": [1, 2, 3], "std": [1, 2, 3]}}}
    stream = io.BytesIO()
    torch.save({"x": torch.ones(2)}, stream)
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("checkpoints/color_statistics.json", json.dumps(statistics))
        archive.writestr("checkpoints/unet_MEL_best.pth", stream.getvalue())
        archive.writestr("checkpoints/classifier.pth", stream.getvalue())


def install(folder: Path) -> None:
    """Bring the archive into a models folder, twice."""
    for _ in range(2):
        list(fetch(local_source(folder / "a.zip"), folder / "models", CancelToken(), ledger=Ledger(folder / "l.json")))


def install_arrived(folder: Path) -> None:
    """Bring the archive into a models folder as a download that has just arrived, twice."""
    for _ in range(2):
        partial = Partial(folder / "models", SOURCE)
        partial.open()
        shutil.copyfile(folder / "a.zip", partial.archive)
        list(fetch(SOURCE, folder / "models", CancelToken(), ledger=Ledger(folder / "l.json")))


def make_judged(folder: Path) -> None:
    """Write a pack with everything that its card tells of."""
    from core.utils.path_manager import PathManager

    write_tiny_pack(folder / "pack", image_size=8)
    for name in ("judgement.json", "training.json"):
        (folder / "pack" / name).write_bytes((PathManager().starter_dir / "isic7-128" / name).read_bytes())
    (folder / "pack/NOTES.md").write_text("- Too *dark*.\n", encoding="utf-8")


def write_the_card(folder: Path) -> None:
    """Write the card."""
    from core.models.pack import PackRefused

    with suppress(PackRefused):
        write_card(folder / "pack")


def make_autoencoder(folder: Path) -> None:
    """Write an autoencoder's pack with everything that its card tells of."""
    write_tiny_autoencoder(folder / "pack")
    for name, content in (("training.json", TRAINING), ("reconstruction.json", RECONSTRUCTION)):
        (folder / "pack" / name).write_text(json.dumps(content))
    (folder / "pack/NOTES.md").write_text("- Hairs are lost.\n", encoding="utf-8")


def decode_once(folder: Path) -> None:
    """Read the autoencoder and decode one picture."""
    net = read_autoencoder(folder / "pack")
    with torch.no_grad():
        decode(net, torch.zeros(1, net.config["latent_channels"], 8, 8))


def make_cache(folder: Path) -> None:
    """Write what a training on latent images keeps of its photographs."""
    write_tiny_autoencoder(folder / "vae")
    keep(encode_photographs(*PHOTOGRAPHS, folder / "vae", CPU, "fp32"), "f", folder)


def read_cache(folder: Path) -> None:
    """Take it up again."""
    kept(*PHOTOGRAPHS, folder / "vae", "f", folder)


def make_latent(folder: Path) -> None:
    """Write a latent pack."""
    write_tiny_latent_pack(folder / "pack")


def make_download(folder: Path) -> None:
    """Write what an interrupted download leaves, and what is remembered of finished ones."""
    partial = Partial(folder, SOURCE)
    partial.open()
    partial.remember(Seen(1000, '"abc"', "Mon, 01 Jan 2024 00:00:00 GMT"))
    (folder / "state.json").write_bytes((partial.folder / "state.json").read_bytes())
    partial.clear()
    Ledger(folder / "ledger.json").remember(SOURCE.key, SHA)
    write_record(folder, SOURCE.key, Record(SHA, {"unet_MEL_best.pth": SHA}, {"x": "damaged"}))


def read_download(folder: Path) -> None:
    """Read all of it, and write on."""
    partial = Partial(folder, SOURCE)
    partial.open()
    (partial.folder / "state.json").write_bytes((folder / "state.json").read_bytes())
    seen = partial.seen()
    assert seen.total is None or seen.total >= 0
    assert seen.validator is None or seen.validator.isprintable()
    partial.clear()
    ledger = Ledger(folder / "ledger.json")
    ledger.known(SOURCE.key)
    ledger.remember("other", SHA)
    for record in read_records(folder).values():
        assert isinstance(dict(record.files), dict)
    write_record(folder, "other", Record(SHA, {}, {}))


def make_checkpoint(folder: Path) -> None:
    """Write the state of a training."""
    save_checkpoint(folder / CHECKPOINT, {"net": {"w": torch.ones(2)}, "images": 10, "rng": torch.get_rng_state()})


MODEL_KINDS = {
    "pack config": Kind(make_pack, {"pack/config.json": as_json}, draw),
    "scheduler": Kind(make_pack, {"pack/scheduler_config.json": as_json}, draw),
    "pack description": Kind(make_pack, {"pack/isicgui.json": as_json}, card),
    "safetensors": Kind(make_pack, {WEIGHTS: as_safetensors}, draw),
    "colour statistics": Kind(
        make_pack,
        {"pack/color_statistics.json": as_json},
        lambda folder: (draw(folder), load_color_statistics(folder / "pack/color_statistics.json")),
    ),
    "torch file": Kind(make_torch, {"weights.pth": as_zip, "old.pth": raw}, read_torch),
    "classifier record": Kind(make_classifier, {"net/classifier.json": as_json}, read_classifier),
    "reference": Kind(make_classifier, {"net/reference.npz": as_zip}, read_companions, refuses=False),
    "sanity": Kind(make_classifier, {"sanity.json": as_json}, read_companions, refuses=False),
    "segmenter record": Kind(make_segmenter, {"segmenter.json": as_json}, load_segmenter),
    "archive": Kind(make_archive, {"a.zip": as_archive}, install),
    "downloaded archive": Kind(make_archive, {"a.zip": as_archive}, install_arrived),
    "judgement": Kind(
        make_judged,
        {"pack/judgement.json": as_json, "pack/training.json": as_json, "pack/NOTES.md": raw},
        write_the_card,
    ),
    "autoencoder": Kind(
        make_autoencoder, {"pack/config.json": as_json, f"pack/{WEIGHTS_FILE}": as_safetensors}, decode_once
    ),
    "autoencoder card": Kind(
        make_autoencoder,
        {
            "pack/config.json": as_json,
            "pack/training.json": as_json,
            "pack/reconstruction.json": as_json,
            "pack/NOTES.md": raw,
        },
        lambda folder: write_autoencoder_card(folder / "pack"),
    ),
    "latent pack": Kind(
        make_latent,
        {
            "pack/unet/config.json": as_json,
            "pack/vae/config.json": as_json,
            "pack/isicgui.json": as_json,
            "pack/scheduler/scheduler_config.json": as_json,
            f"pack/vae/{WEIGHTS_FILE}": as_safetensors,
        },
        draw,
    ),
    "latents cache": Kind(make_cache, {CACHE: as_zip}, read_cache),
    "download state": Kind(
        make_download,
        {"state.json": as_json, "ledger.json": as_json, "isicgui-models.json": as_json},
        read_download,
        refuses=False,
    ),
    "training checkpoint": Kind(
        make_checkpoint, {CHECKPOINT: as_zip}, lambda folder: load_checkpoint(folder / CHECKPOINT, CPU)
    ),
}
