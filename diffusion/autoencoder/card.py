"""The model card of an autoencoder, written from the files of its pack alone, so that it can be written again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import reports
from core.doctor import SUMS_NAME
from core.files.atomic import output_errors
from core.files.reading import Schema, read_json
from core.models.config_schema import AutoencoderNetworkConfig
from core.models.networks import CONFIG_FILE, WEIGHTS_FILE
from diffusion.autoencoder.config import AutoencoderConfig
from diffusion.autoencoder.pack import CARD_FILE, REPORT_FILE
from diffusion.autoencoder.record_schemas import ReconstructionJson
from diffusion.card_parts import hardware, licence_from, notes_of, photographs_in_words, plain, quoted
from diffusion.pack import TRAINING_FILE
from diffusion.record_schemas import TrainingJson
from reports.markdown import render_markdown
from reports.model import Authored, Block, Bullets, Code, Paragraph, Report, Section, Table, Text, marked, parse
from training.settings import load_settings

_LOADING: Final = """\
import torch
from diffusers import AutoencoderKL
net = AutoencoderKL.from_pretrained("{folder}")
mean, std = (torch.tensor(net.config[name]).view(1, -1, 1, 1) for name in ("latents_mean", "latents_std"))
latents = (net.encode(images).latent_dist.mode() - mean) / std   # images (N, 3, H, W) in -1..1
reconstructions = net.decode(latents * std + mean).sample"""

_ROLES: Final = "the first were used to monitor training, not for model selection, the second for the evaluation below."

_PARTS: Final[Mapping[str, type[Schema]]] = {
    CONFIG_FILE: AutoencoderNetworkConfig,
    TRAINING_FILE: TrainingJson,
    REPORT_FILE: ReconstructionJson,
}
"""What is read of a pack."""

_ELSEWHERE: Final = {"device", "threads", "tracker", "perceptual_network"}
"""Settings of the machine rather than of the model."""


def write_card(pack: Path) -> Path:
    """Write `README.md` of an autoencoder's pack and return it.

    Raises
    ------
    InputRefusedError
        If one of the pack's files cannot be read.
    OutputError
        If the folder cannot be written to.
    """
    card = render_markdown(card_of(pack))
    with output_errors(pack):
        reports.write(pack / CARD_FILE, card)
    return pack / CARD_FILE


def card_of(pack: Path) -> Report:
    """Return the model card of an autoencoder's pack."""
    config, training, measured = (_content(pack / name, schema) for name, schema in _PARTS.items())
    settings = load_settings(AutoencoderConfig, preset=training.get("settings") or {})
    licence = licence_from(training)
    terms: list[Block] = [
        Paragraph(parse(licence.sentence)),
        Authored(licence.credit or "No author of the training photographs is recorded."),
    ]
    sections = [
        Section("Files", [Bullets(list(_files())), Code(_LOADING.format(folder=pack.name), "python")]),
        Section("Data, licence, credit", terms),
        Section("Training", list(_training(training, settings))),
        Section("Evaluation", list(_measured(measured))),
        Section("Known faults", [Authored(notes_of(pack))]),
    ]
    return Report(settings.name, _lead(config, settings), sections)


def _content(path: Path, schema: type[Schema]) -> dict[str, Any]:
    """Return what a file of the pack says; {} if there is none."""
    try:
        found: Schema = read_json(path, schema, what="a part of an autoencoder")
    except FileNotFoundError:
        return {}
    return found.model_dump(exclude_unset=True)


def _lead(config: Mapping[str, Any], settings: AutoencoderConfig) -> tuple[Block, ...]:
    size, side = settings.image_size, settings.image_size // settings.factor
    about = marked(
        "An autoencoder of dermoscopic photographs: it encodes {size} x {size} pixels as {side} x {side} latent pixels "
        "of {channels} channels, the images on which a denoiser works, and decodes them again. It is convolutional, so "
        "it takes images of other sizes too.",
        size=size,
        side=side,
        channels=config.get("latent_channels", settings.latent_channels),
    )
    limits = "**For research and teaching only; details of a lesion that it changes may be clinically relevant.**"
    return Paragraph(about), Paragraph(parse(limits))


def _files() -> Iterator[Text]:
    yield marked(
        "`config.json`, `{weights}`: `diffusers.AutoencoderKL` in fp16, with the mean and the standard deviation of "
        "each latent channel (`latents_mean`, `latents_std`); `scaling_factor` is 1.",
        weights=WEIGHTS_FILE,
    )
    yield marked("`{report}`: the results of the evaluation.", report=REPORT_FILE)
    yield marked("`{training}`: how it was trained. `{sums}`: checksum of the weights.",
                 training=TRAINING_FILE, sums=SUMS_NAME)  # fmt: skip


def _training(training: Mapping[str, Any], settings: AutoencoderConfig) -> Iterator[Block]:
    if training.get("photographs"):
        yield Paragraph(photographs_in_words(training, _ROLES))
    if fingerprint := training.get("split_fingerprint"):
        yield Paragraph(marked("Fingerprint of the split: `{fingerprint}`.", fingerprint=fingerprint))
    yield Paragraph(_effort(training, settings))
    changed = settings.model_dump(mode="json", exclude_defaults=True, exclude=_ELSEWHERE)
    flags = [f"--set {quoted(f'{key}={plain(value)}')}" for key, value in changed.items()]
    yield Paragraph(
        marked(
            "To train it again, run this command; `--set max_minutes=` and `--set images=` may be raised, and "
            "`--init-from` with this folder continues from these weights:"
        )
    )
    yield Code(" ".join(["python main.py train autoencoder --data DIR --output DIR", *flags]))


def _effort(training: Mapping[str, Any], settings: AutoencoderConfig) -> str:
    hours = training.get("seconds", 0) / 3600
    kind = f"crops of {settings.crop_size} pixels" if settings.crops > 1 else "whole images"
    critic = (
        f"a patch discriminator from {settings.adversarial_start:.0%} of the budget on, its gradient up to "
        f"{settings.adversarial_weight:g} times as large as that of the others"
        if settings.adversarial_weight
        else "no discriminator"
    )
    return (
        f"{training.get('images_seen', 0):,} images processed (repetitions included; crops count as the share of "
        f"the image that they show), batch {settings.batch_size}, {hours:.1f} hours of wall-clock time in "
        f"{training.get('precision', 'fp32')} on {hardware(training.get('hardware'))}. {kind} first, whole images in "
        f"the last {settings.whole_share:.0%}. Losses: Charbonnier, {settings.perceptual_weight:g} times the distance "
        f"in the features of the starter classifier, {settings.kl_weight:g} times the KL divergence per latent value, "
        f"equivariance under scaling, rotation and reflection in {settings.equivariance_share:.0%} of the steps, "
        f"{critic}. AdamW {settings.learning_rate:g} with warm-up and cosine decay, moving average "
        f"{settings.ema_decay} (its weights ship), seed {settings.seed}. "
        + ("Started from the weights of another run." if training.get("init_from") else "From random weights.")
    )


def _measured(report: Mapping[str, Any]) -> Iterator[Block]:
    if not report:
        yield Paragraph("Not evaluated yet: the training was not completed.")
        return
    yield Paragraph(
        f"On {report['images']} photographs of {report['lesions']} held-out lesions "
        f"({report['measured_on']}), {report['image_size']} pixels per side, with the rounded weights of this folder. "
        "Intervals are 95 % CIs (percentiles under resampling of lesions)."
    )
    yield Table(("score", "value", "95 % interval"), list(_rows(report)))
    if report.get("agreement"):
        yield Paragraph(
            "The independent classifier was trained with another split, so some of these photographs may be among its "
            "training photographs: compare its two accuracies with each other, not with other values."
        )


def _rows(report: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield _row("PSNR, dB", report["psnr"], 2)
    yield _row("SSIM", report["ssim"], 3)
    if report.get("perceptual"):
        title = "Distance in the features of the independent classifier (0 equal, 4 opposite; instead of LPIPS)"
        yield _row(title, report["perceptual"], 4)
    for name, key in (("reconstructions", "kernel_distance"), ("the same photographs (real vs real)", "floor")):
        if report.get(key):
            value = dict(zip(("mean", "low", "high"), report[key], strict=True))
            yield _row(f"Kernel distance of {name} to training photographs, {report['features']}", value, 4)
    if agreement := report.get("agreement"):
        judge = agreement["judge"]
        yield _row(f"Share with the same predicted class as the photograph, by {judge}", agreement["same"], 3)
        yield _row("Its balanced accuracy on photographs", agreement["on_photographs"], 3)
        yield _row("Its balanced accuracy on reconstructions", agreement["on_reconstructions"], 3)


def _row(title: str, value: Mapping[str, float | None], digits: int) -> tuple[str, str, str]:
    mean, low, high = (_number(value[name], digits) for name in ("mean", "low", "high"))
    return title, mean, f"{low} to {high}"


def _number(value: float | None, digits: int) -> str:
    return "not known" if value is None else f"{value:.{digits}f}"
