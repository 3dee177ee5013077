"""The model card of a generator: data, licence, training, evaluation and known faults.

Written from the files of the pack alone (`config.json`, `isicgui.json`, `training.json`, `judgement.json`), so that it
can be written again whenever one of them changes. What a person adds in `NOTES.md` of the pack is included
as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import reports
from core.doctor import SUMS_NAME
from core.files.atomic import output_errors
from core.generator.sampler import NO_GUIDANCE
from core.keeping import replace_kept_text
from core.models.networks import WEIGHTS_FILE
from core.models.pack import SCHEDULER_FOLDER, UNET_FOLDER, VAE_FOLDER, Pack, read_pack
from core.models.safe_weights import sha256_of
from core.schedulers import is_flow
from core.taxonomy import class_name
from diffusion.card_parts import hardware, licence_from, notes_of, photographs_in_words, plain, quoted
from diffusion.config import DiffusionConfig
from diffusion.judgement import read_judgement
from diffusion.measured import measured
from diffusion.pack import read_training, settings_of
from reports.markdown import render_markdown
from reports.model import Authored, Block, Bullets, Code, Paragraph, Report, Section, Text, marked, parse

CARD_FILE: Final = "README.md"

_LOADING: Final = """\
from diffusers import DDPMScheduler, UNet2DModel
net = UNet2DModel.from_pretrained("{folder}")
scheduler = DDPMScheduler.from_pretrained("{folder}")"""

_LOADING_LATENT: Final = """\
from diffusers import AutoencoderKL, {scheduler}, UNet2DModel
net = UNet2DModel.from_pretrained("{folder}/unet")
scheduler = {scheduler}.from_pretrained("{folder}/scheduler")
vae = AutoencoderKL.from_pretrained("{folder}/vae")"""


def write_card(pack: Path) -> Path:
    """Write `README.md` and `SHA256SUMS` of a pack and return the card.

    Raises
    ------
    PackRefused
        If the folder is no usable pack.
    InputRefusedError
        If one of its files cannot be read.
    OutputError
        If the folder cannot be written to.
    """
    description = read_pack(pack)
    files = [description.weights]
    if description.autoencoder is not None:
        files.append(description.autoencoder / WEIGHTS_FILE)
    sums = "".join(f"{sha256_of(file)}  {file.relative_to(pack).as_posix()}\n" for file in files)
    card = render_markdown(card_of(description))
    with output_errors(pack):
        replace_kept_text(pack / SUMS_NAME, sums)
        reports.write(pack / CARD_FILE, card)
    return pack / CARD_FILE


def card_of(pack: Pack) -> Report:
    """Return a pack's model card."""
    training, judgement = read_training(pack.folder), read_judgement(pack.folder)
    licence = licence_from(training)
    how = list(_training(pack, training, judgement)) or [
        Paragraph("The files of this model do not record how it was trained.")
    ]
    sections = [
        Section("Files", [Bullets(list(_files(pack, judgement))), _loading(pack)]),
        Section(
            "Data, licence, credit",
            [
                Paragraph(parse(licence.sentence)),
                Authored(licence.credit or "No author of the training photographs is recorded."),
            ],
        ),
        Section("Training", how),
        Section("Evaluation", list(measured(judgement))),
        Section("Known faults", [Authored(notes_of(pack.folder)), Bullets(_FAULTS)]),
    ]
    return Report(pack.name, _lead(pack), sections)


_NOT_RECORDED: Final = "The files of this model do not record how it was trained."

_FAULTS: Final = (
    "Its images resemble its training photographs: the patients, cameras and conventions of their source, and mostly "
    "light skin if the source shows mostly light skin. Do not use it to balance or augment a data set for other "
    "populations without checking.",
    "Rare classes were trained on few photographs; they vary less than the disease does.",
)


def _lead(pack: Pack) -> tuple[Block, ...]:
    kind = "small class-conditional" if pack.labels else "small unconditional"
    size = pack.config["sample_size"] * pack.factor
    classes = ", ".join(f"{class_name(code)} ({code})" for code in pack.classes)
    model = "diffusion model" if pack.autoencoder is None else "latent diffusion model"
    about = f"A {kind} {model} of dermoscopic images, {size}x{size} pixels: {classes}."
    limits = parse(
        "**For research and teaching only. Its images show no real patient's lesion, are no medical evidence, and must "
        "not be used to examine, reassure or treat anybody.**"
    )
    return Paragraph(about), Paragraph(limits)


def _files(pack: Pack, judgement: Mapping[str, Any] | None) -> Iterator[Text]:
    """Yield a line about each file of a pack."""
    unet, scheduler = ("", "") if pack.autoencoder is None else (f"{UNET_FOLDER}/", f"{SCHEDULER_FOLDER}/")
    yield marked(
        "`{folder}config.json`, `{weights}`: `diffusers.UNet2DModel`{cost}.",
        folder=unet, weights=pack.weights.name, cost=_cost(judgement),
    )  # fmt: skip
    if pack.autoencoder is not None:
        side = pack.config["sample_size"]
        yield marked(
            "`{folder}/`: `diffusers.AutoencoderKL`, which decodes the {channels} x {side} x {side} numbers that the "
            "network generates; they are normalised by its `latents_mean` and `latents_std`.",
            folder=VAE_FOLDER, channels=pack.config["out_channels"], side=side,
        )  # fmt: skip
    yield marked(
        "`{folder}scheduler_config.json`: `diffusers.{kind}`, {words}.",
        folder=scheduler, kind=_schedule_class(pack), words=_schedule_words(pack),
    )  # fmt: skip
    advice = pack.recommended
    yield marked(
        "`isicgui.json`: class order ({labels}){null}, recommended sampler `{sampler}`, {steps} steps, guidance "
        "{guidance:g}.",
        labels=", ".join(f"{label} {code}" for code, label in (pack.labels or {}).items()) or pack.classes[0],
        null="" if pack.null_label is None else f", null class {pack.null_label}",
        sampler=advice.get("sampler", "dpmpp-2m-sde"),
        steps=advice.get("steps", 20),
        guidance=advice.get("guidance", NO_GUIDANCE),
    )
    yield marked("`{sums}`: checksum of the weights; `python main.py doctor` compares it.", sums=SUMS_NAME)


def _loading(pack: Pack) -> Code:
    text = _LOADING if pack.autoencoder is None else _LOADING_LATENT
    return Code(text.format(folder=pack.folder.name, scheduler=_schedule_class(pack)), "python")


def _schedule_class(pack: Pack) -> str:
    return "FlowMatchEulerDiscreteScheduler" if is_flow(pack.scheduler) else "DDPMScheduler"


def _schedule_words(pack: Pack) -> str:
    if is_flow(pack.scheduler):
        return f"rectified flow, time shift {pack.scheduler.get('shift') or 1:g}"
    schedule = str(pack.scheduler.get("beta_schedule", "linear"))
    prediction = str(pack.scheduler.get("prediction_type", "epsilon")).replace("_", "-")
    return f"{_SCHEDULES.get(schedule, schedule)} schedule, {prediction}"


_SCHEDULES: Final = {"squaredcos_cap_v2": "cosine", "scaled_linear": "scaled linear"}


def _cost(judgement: Mapping[str, Any] | None) -> str:
    model = (judgement or {}).get("model", {})
    if "gmac" not in model:
        return ""
    return (
        f", {model['parameters'] / 1e6:.1f} M parameters, {model['gmac']:.1f} GMAC per forward pass "
        f"({model['gmac'] - model['attention_gmac']:.1f} without the products inside attention), "
        f"{model['bytes'] / 1e6:.1f} MB"
    )


def _training(pack: Pack, training: Mapping[str, Any], judgement: Mapping[str, Any] | None) -> Iterator[Block]:
    """Yield how the weights were trained; nothing if that is not recorded."""
    if not training:
        return
    settings = settings_of(training)
    if training.get("photographs"):
        yield Paragraph(photographs_in_words(training, _ROLES))
    if "images_seen" in training:
        yield Paragraph(_effort(training, settings))
        yield Paragraph(parse(_selection(training, judgement)))
    changed = settings.model_dump(mode="json", exclude_defaults=True, exclude=_ELSEWHERE)
    flags = [f"--set {quoted(f'{key}={plain(value)}')}" for key, value in changed.items()]
    yield Paragraph(
        marked(
            "To train it again, on a GPU if there is one (for several: `accelerate launch main.py train "
            "...`), run this command; `--set max_minutes=` and `--set images=` may be raised:"
        )
    )
    latent = [] if pack.autoencoder is None else [f"--latent {pack.folder.name}/{VAE_FOLDER}"]
    yield Code(" ".join(["python main.py train diffusion --data DIR --output DIR", *latent, *flags]))


_ROLES: Final = "the first were used for model selection, the second for the evaluation below."

_ELSEWHERE: Final = {"device", "threads", "workers", "extractor", "tracker"}
"""Settings of the machine rather than of the model."""


def _selection(training: Mapping[str, Any], judgement: Mapping[str, Any] | None) -> str:
    """Return by what the weights that ship were selected, and whether they are evaluated by something else."""
    selected = training.get("selected_by")
    if not selected:
        return "The files do not record in which features the weights were selected."
    words = f"The weights were selected by the kernel distance of samples to validation photographs in {selected}."
    if judgement is None:
        return words
    if judgement["distance"]["features"] == selected:
        return f"{words} **The evaluation below uses the same features, so it is not independent of the selection.**"
    return f"{words} The evaluation below uses other features."


def _objective(settings: DiffusionConfig) -> str:
    if settings.prediction_type == "flow":
        return (
            f"rectified flow with logit-normal times (mean {settings.time_location:g}, deviation "
            f"{settings.time_spread:g})"
        )
    return f"{settings.prediction_type.replace('_', '-')}, min-SNR {settings.min_snr_gamma}"


def _decay(settings: DiffusionConfig) -> str:
    share = settings.decay_share
    return "cosine decay" if share is None else f"a linear decay over the last {share:.0%} of the budget"


def _effort(training: Mapping[str, Any], settings: DiffusionConfig) -> str:
    hours = training.get("seconds", 0) / 3600
    return (
        f"{training['images_seen']:,} images processed (repetitions included), batch {settings.batch_size}, "
        f"{hours:.1f} hours of wall-clock time on {hardware(training.get('hardware'))}. "
        f"{_objective(settings)}, AdamW {settings.learning_rate:g} with warm-up and {_decay(settings)}, "
        f"moving average {settings.ema_decay} (its weights ship), classes sampled by their size to the power "
        f"{settings.sampling_power:g}, labels dropped with probability {settings.label_dropout:g}, "
        f"{settings.half_size_share:.0%} of the budget at half the side, random rotations and reflections, "
        f"{settings.augmentation:.0%} of the images augmented further, seed {settings.seed}. "
        + ("Started from the weights of another run." if training.get("init_from") else "From random weights.")
    )
