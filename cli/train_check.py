"""`train check`: are these settings possible, and what would the training take? Nothing is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from cli.console import Console
from cli.derive import FILE, json_option
from core.errors import UsageError
from core.message import Message

if TYPE_CHECKING:
    from training.memory import Memory
    from training.settings import Settings

KINDS: Final = ("diffusion", "autoencoder", "classifier")


@click.command(name="check", short_help="Check settings and estimate memory; nothing is trained.")
@click.argument("config", type=FILE)
@click.option("--kind", type=click.Choice(KINDS), default=None, help="What is trained [default: what the file fits].")
@json_option
def check_command(json_mode: bool, config: Path, kind: str | None) -> int:
    """Check a file of settings (TOML or JSON) for `train ... --config` and estimate the memory of its training."""
    found, settings = checked(config, kind)
    memory = _ESTIMATES[found](settings)
    console = Console(json_mode=json_mode)
    changed = settings.model_dump(mode="json", exclude_defaults=True)
    console.event(
        {"event": "checked", "kind": found, "settings": changed, "parameters": memory.parameters,
         "memory_bytes": memory.total_bytes}
    )  # fmt: skip
    if not json_mode:
        for line in _lines(found, settings, changed, memory):
            console.say(line)
    return 0


def checked(config: Path, kind: str | None = None) -> tuple[str, Settings]:
    """Return what a file of settings is for, and the settings.

    Raises
    ------
    UsageError
        If it fits nothing, or several kinds of training and `kind` does not say which.
    """
    from training.settings import SettingsRefusedError, load_settings

    fits: dict[str, Settings] = {}
    refused: dict[str, SettingsRefusedError] = {}
    for name in KINDS if kind is None else (kind,):
        try:
            fits[name] = load_settings(_settings_of(name), file=config)
        except SettingsRefusedError as error:
            refused[name] = error
    if len(fits) > 1:
        raise UsageError(
            Message("These settings fit several kinds of training: {names}.", names=", ".join(fits)),
            remedy=Message("Say with --kind which one is meant."),
        )
    if not fits:
        raise _nearest(refused, config)
    return next(iter(fits.items()))


def _nearest(refused: Mapping[str, UsageError], config: Path) -> UsageError:
    """Return the one reason, or all of them where nothing says which training is meant."""
    if len(refused) == 1:
        return next(iter(refused.values()))
    reasons = " ".join(f"{name}: {error.message}" for name, error in refused.items())
    return UsageError(
        Message("The settings in {config} fit no kind of training. {reasons}", config=config, reasons=reasons),
        remedy=Message("Say with --kind which one is meant."),
    )


def _settings_of(kind: str) -> type[Settings]:
    from classifier.config import ClassifierConfig
    from diffusion.autoencoder.config import AutoencoderConfig
    from diffusion.config import DiffusionConfig

    found: dict[str, type[Settings]] = {
        "diffusion": DiffusionConfig, "autoencoder": AutoencoderConfig, "classifier": ClassifierConfig,
    }  # fmt: skip
    return found[kind]


def _lines(kind: str, settings: Settings, changed: Mapping[str, Any], memory: Memory) -> list[str]:
    named = ", ".join(f"{key} = {value}" for key, value in changed.items()) or "none: all defaults"
    return [
        f"These are settings for 'train {kind}'. Nothing was trained.",
        f"Settings that differ from the defaults: {named}.",
        f"Network: {memory.parameters:,} parameters.",
        f"Memory for a batch of {getattr(settings, 'batch_size', 1)}: about {memory.total_bytes / 1e9:.1f} GB "
        f"({memory.state_bytes / 1e9:.2f} for weights and optimiser, {memory.activation_bytes / 1e9:.2f} for a step), "
        "without photographs and libraries.",
    ]


def _diffusion(settings: Any) -> Memory:
    import torch

    from diffusion.model import build_unet
    from training.memory import estimate

    count = -(-settings.batch_size // settings.gradient_accumulation)
    shape, labels = None, None if settings.kind == "per_class" else settings.labels
    if settings.autoencoder is not None:
        from core.models.networks import read_autoencoder

        net = read_autoencoder(settings.autoencoder)
        factor = 2 ** (len(net.config.block_out_channels) - 1)
        shape = (int(net.config.latent_channels), settings.image_size // factor)
    channels, side = shape or (3, settings.image_size)

    def step(net: Any) -> None:
        classes = None if labels is None else torch.zeros(count, dtype=torch.long)
        net(torch.empty(count, channels, side, side), torch.zeros(count, dtype=torch.long), class_labels=classes)

    return estimate(lambda: build_unet(settings, shape), step)


def _autoencoder(settings: Any) -> Memory:
    import torch

    from core.models.networks import decode_natural, moments_of
    from diffusion.autoencoder.model import build_autoencoder
    from training.memory import estimate

    def step(net: Any) -> None:
        pictures = torch.empty(settings.batch_size, 3, settings.image_size, settings.image_size)
        decode_natural(net, moments_of(net, pictures)[:, : settings.latent_channels])

    return estimate(lambda: build_autoencoder(settings), step)


def _classifier(settings: Any) -> Memory:
    import torch

    from core.models.classification.architectures import ARCHITECTURES
    from core.taxonomy import CLASSES
    from training.memory import estimate

    architecture = ARCHITECTURES[settings.architecture]
    shape = (settings.batch_size, 3, settings.image_size, settings.image_size)
    return estimate(lambda: architecture.build(len(CLASSES)), lambda net: net(torch.empty(shape)))


_ESTIMATES: Final[Mapping[str, Callable[[Any], Memory]]] = {
    "diffusion": _diffusion, "autoencoder": _autoencoder, "classifier": _classifier,
}  # fmt: skip
