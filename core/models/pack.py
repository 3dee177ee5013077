"""What a model pack says about itself: a folder that diffusers itself can load, read here without torch.

`why_unusable` takes a first look at a weights file: is it there, is its size sane, does it begin like one?
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.conditioning import CLASS, CONDITIONS
from core.files import loose_json
from core.files.opening import FileTooLargeError, NotRegularFileError, open_regular, read_regular
from core.message import Message
from core.taxonomy import CLASS_CODES, CLASS_INDEX

MAX_BYTES: Final = 2 * 1024**3
"""No network this program draws with is nearly as large."""

_MIN_BYTES: Final = 16
_ZIP: Final = b"PK\x03\x04"
_LEGACY_TORCH: Final = b"\x80\x02"
_MAX_SAFETENSORS_HEADER: Final = 100 * 1024**2


def why_unusable(path: Path) -> str:
    """Return why a file cannot hold weights, in plain words, or an empty string if it may.

    Only the first bytes are read: a file that passes can still be refused when it is loaded.
    """
    try:
        with open_regular(path) as stream:
            size = os.fstat(stream.fileno()).st_size
            head = stream.read(_MIN_BYTES)
    except (FileNotFoundError, NotRegularFileError):
        return Message("{name} is not a file", name=path.name)
    except OSError as error:
        return Message("{name} cannot be read: {strerror}", name=path.name, strerror=error.strerror)
    if size == 0:
        return Message("{name} is empty (0 bytes)", name=path.name)
    if size > MAX_BYTES:
        return Message(
            "{name} is {size:.1f} GB, far more than any model read here ({max_bytes:.1f} GB)",
            name=path.name,
            size=size / 1e9,
            max_bytes=MAX_BYTES / 1e9,
        )
    return _why_no_weights(path, head, size)


def _why_no_weights(path: Path, head: bytes, size: int) -> str:
    if path.suffix == ".safetensors":
        return (
            ""
            if _is_safetensors(head, size)
            else Message("{name} is no safetensors file, or ends too early", name=path.name)
        )
    if head.startswith((_ZIP, _LEGACY_TORCH)):
        return ""
    if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
        return Message("{name} is a web page, not weights: the download did not work", name=path.name)
    return Message("{name} is no weights file: unknown file signature", name=path.name)


def _is_safetensors(head: bytes, size: int) -> bool:
    if len(head) < 9 or head[8:9] != b"{":
        return False
    (length,) = struct.unpack("<Q", head[:8])
    return 8 + length <= size and length <= _MAX_SAFETENSORS_HEADER


def read_json(path: Path, limit: int = 1024**2) -> dict[str, object]:
    """Return the JSON object in a small file.

    Raises
    ------
    ValueError
        If the file cannot be read, is larger than `limit` bytes, or holds no JSON object; its argument says which.
    """
    try:
        data = read_regular(path, limit)
    except FileTooLargeError as error:
        raise ValueError(Message("{name} is too large to be a description", name=path.name)) from error
    except OSError as error:
        raise ValueError(
            Message("{name} cannot be read: {strerror}", name=path.name, strerror=error.strerror)
        ) from error
    try:
        content = loose_json.parse(data)
    except ValueError as error:
        raise ValueError(Message("{name} is no valid JSON: {error}", name=path.name, error=error)) from error
    if not isinstance(content, dict):
        raise ValueError(Message("{name} holds no JSON object", name=path.name))
    return content


FORMAT: Final = 1
DESCRIPTION_NAME: Final = "isicgui.json"
UNET_FOLDER: Final = "unet"
"""Of a pack in the layout of a whole pipeline: where its network is."""
SCHEDULER_FOLDER: Final = "scheduler"
"""There: its noise schedule."""
VAE_FOLDER: Final = "vae"
"""There: the autoencoder whose latent images it draws."""

AVERAGED_FOLDER: Final = "unet_ema"
"""Of a training checkpoint of diffusers: where the averaged weights lie."""

_WEIGHTS_NAMES: Final = (
    "diffusion_pytorch_model.safetensors",
    "diffusion_pytorch_model.fp16.safetensors",
    "diffusion_pytorch_model.bin",
)


class PackRefused(ValueError):  # noqa: N818  # a reason to be listed, not an error that reaches people
    """A folder that is no usable pack; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Pack:
    """A usable model pack.

    Attributes
    ----------
    folder
        The folder that was offered; `config.json` is there or in its `unet` subfolder.
    weights
        The file with the weights.
    config, scheduler
        `config.json` of the UNet2DModel and `scheduler_config.json` (empty if there is none).
    labels
        Label index by class code; None in an unconditional pack.
    only_class
        The class of an unconditional pack.
    null_label
        Label that means "no class", for classifier-free guidance, or None.
    recommended
        Sampler, steps and guidance that the pack's maker recommends.
    takes
        The kinds of condition that the network takes, as the pack declares them; the class alone if it does not.
    assumed
        What the pack does not say and is taken for granted, in one sentence each, by `scheduler`, `classes`, `weights`.
    autoencoder
        Folder of the autoencoder whose latent images the network draws, or None for pixels.
    factor
        Pixels of a picture along one pixel that the network draws.
    sketch
        Colours of latent pixels, as the pack has them, unchecked; see `core.generator.model_manager`.
    """

    folder: Path
    name: str
    weights: Path
    config: Mapping[str, Any]
    scheduler: Mapping[str, Any]
    labels: Mapping[str, int] | None
    only_class: str | None = None
    null_label: int | None = None
    recommended: Mapping[str, Any] = field(default_factory=dict)
    takes: tuple[str, ...] = (CLASS,)
    assumed: Mapping[str, Message] = field(default_factory=dict)
    autoencoder: Path | None = None
    factor: int = 1
    sketch: Mapping[str, Any] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The class codes that this pack can draw, in canonical order."""
        known = self.labels if self.labels is not None else (self.only_class,)
        return tuple(code for code in CLASS_CODES if code in known)


def pack_in(folder: Path) -> Pack | None:
    """Read the pack in a folder; None if the folder does not present itself as a diffusion network of diffusers.

    Raises
    ------
    PackRefused
        As `read_pack`.
    """
    home = _config_folder(folder)
    if home is None:
        return None
    described = (folder / DESCRIPTION_NAME).is_file()
    try:
        config = read_json(home / "config.json")
    except ValueError as error:
        if described or any(home.glob("diffusion_pytorch_model*")):
            raise PackRefused(error.args[0]) from error
        return None
    return _pack(folder, home, config) if described or "_class_name" in config else None


def read_pack(folder: Path) -> Pack:
    """Read what a pack says about itself.

    Raises
    ------
    PackRefused
        If it is no UNet2DModel pack, lacks a part, or does not say which class it draws.
    """
    home = _config_folder(folder)
    if home is None:
        raise PackRefused(Message("{name} has no config.json", name=folder.name))
    try:
        config = read_json(home / "config.json")
    except ValueError as error:
        raise PackRefused(error.args[0]) from error
    return _pack(folder, home, config)


def pack_name(folder: Path) -> str:
    """Return the name of the pack in a folder: of the folder, or of the whole pipeline whose network is in it."""
    folder = folder.absolute()
    return folder.parent.name if folder.name == UNET_FOLDER else folder.name


def _pack(folder: Path, home: Path, config: dict[str, Any]) -> Pack:
    try:
        scheduler = _read_scheduler(folder, home)
        about = read_json(folder / DESCRIPTION_NAME) if (folder / DESCRIPTION_NAME).is_file() else {}
        vae = _read_autoencoder(folder)
    except ValueError as error:
        raise PackRefused(error.args[0]) from error
    takes = _declared_conditions(about)
    _check_network(config, sum(CONDITIONS[key].channels for key in takes), vae)
    _check_scheduler(scheduler, config)
    labels, only_class, null_label = _label_meanings(folder, config, about)
    sketch = about.get("sketch")
    return Pack(
        folder=folder,
        name=str(about.get("name") or folder.name),
        weights=_find_weights(home),
        config=config,
        scheduler=scheduler,
        labels=labels,
        only_class=only_class,
        null_label=null_label,
        recommended=_advice(about.get("recommended")),
        takes=takes,
        assumed=_assumed(folder, home, scheduler, labels, about),
        autoencoder=folder / VAE_FOLDER if vae else None,
        factor=2 ** (len(vae["block_out_channels"]) - 1) if vae else 1,
        sketch=sketch if vae and isinstance(sketch, dict) else None,
    )


def _read_autoencoder(folder: Path) -> dict[str, Any]:
    """Return the checked configuration of a pack's autoencoder, {} if it has none.

    Raises
    ------
    PackRefused
        If it is of a kind that is not used here, or its weights are missing or none.
    """
    from core.models.config_schema import why_no_autoencoder

    home = folder / VAE_FOLDER
    if not home.is_dir():
        return {}
    config = read_json(home / "config.json")
    kind = str(config.get("_class_name", "AutoencoderKL"))[:60]
    why = (
        why_no_autoencoder(config)
        if kind == "AutoencoderKL"
        else Message("unsupported model class {kind}; expected AutoencoderKL", kind=kind)
    )
    if why := why or why_unusable(home / _WEIGHTS_NAMES[0]):
        raise PackRefused(Message("its autoencoder in {folder} cannot be used: {why}", folder=VAE_FOLDER, why=why))
    return config


def _assumed(
    folder: Path, home: Path, scheduler: Mapping[str, Any], labels: Mapping[str, int] | None, about: Mapping[str, Any]
) -> dict[str, Message]:
    assumed = {}
    if not scheduler:
        assumed["scheduler"] = Message(
            "There is no scheduler_config.json: the noise schedule (cosine, 1000 steps, epsilon) is assumed."
        )
    if labels is not None and "classes" not in about:
        assumed["classes"] = Message(
            "Nothing names the class labels: the order {codes} is assumed.", codes=", ".join(CLASS_CODES)
        )
    if home.name == UNET_FOLDER and (folder / AVERAGED_FOLDER / "config.json").is_file():
        assumed["weights"] = Message(
            "The weights in {used} are used; the averaged ones in {averaged} usually give better images: name that "
            "folder.",
            used=UNET_FOLDER,
            averaged=f"{folder.name}/{AVERAGED_FOLDER}",  # it is written into recipes, which are passed on
        )
    return assumed


def _advice(recommended: object) -> Mapping[str, Any]:
    """Return what a pack recommends if that can be followed; a pack is not refused for bad advice."""
    from core.models.config_schema import why_no_advice

    return recommended if isinstance(recommended, dict) and not why_no_advice(recommended) else {}


def _config_folder(folder: Path) -> Path | None:
    return next((home for home in (folder, folder / UNET_FOLDER) if (home / "config.json").is_file()), None)


def _read_scheduler(folder: Path, home: Path) -> dict[str, Any]:
    places: tuple[Path, ...] = (home / "scheduler_config.json", folder / "scheduler_config.json")
    if folder.name in (UNET_FOLDER, AVERAGED_FOLDER):
        places = (
            *places,
            folder.parent / "scheduler_config.json",
            folder.parent / "scheduler" / "scheduler_config.json",
        )
    for path in (*places, folder / "scheduler" / "scheduler_config.json"):
        if path.is_file():
            return read_json(path)
    return {}


def _declared_conditions(about: Mapping[str, Any]) -> tuple[str, ...]:
    declared = about.get("conditions", [CLASS])
    strange = [str(key) for key in declared if key not in CONDITIONS] if isinstance(declared, list) else ["?"]
    if strange:
        raise PackRefused(
            Message("its network takes conditions that are not known here: {strange}", strange=", ".join(strange)[:200])
        )
    return tuple(key for key in CONDITIONS if key in declared)


def _check_network(config: Mapping[str, Any], condition_channels: int, vae: Mapping[str, Any]) -> None:
    from core.models.config_schema import why_no_network  # pydantic takes a quarter of a second to import

    kind = config.get("_class_name", "UNet2DModel")
    if kind != "UNet2DModel":
        raise PackRefused(Message("unsupported model class {kind}; expected UNet2DModel", kind=kind))
    own = vae.get("latent_channels", 3)
    if (config.get("in_channels", 3), config.get("out_channels", 3)) != (own + condition_channels, own):
        raise PackRefused(
            Message("its network does not generate what its autoencoder decodes ({own} channels in and out)", own=own)
            if vae
            else Message("its network does not generate RGB images (in and out channels must be 3)")
        )
    if why := why_no_network(config):
        raise PackRefused(Message("its config.json cannot be used: {why}", why=why))


def _check_scheduler(scheduler: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    from core.models.config_schema import why_no_scheduler

    if why := why_no_scheduler(scheduler):
        raise PackRefused(Message("its scheduler_config.json cannot be used: {why}", why=why))
    learned = config.get("num_train_timesteps") if config.get("time_embedding_type") == "learned" else None
    asked = scheduler.get("num_train_timesteps", 1000)
    if learned is not None and learned < asked:
        raise PackRefused(
            Message(
                "its network was trained with {learned} timesteps, its scheduler has {asked}",
                learned=learned,
                asked=asked,
            )
        )


def _find_weights(home: Path) -> Path:
    named = [home / name for name in _WEIGHTS_NAMES if (home / name).is_file()]
    others = [] if named else sorted(home.glob("*.safetensors"))
    if not named and len(others) != 1:
        raise PackRefused("it has several *.safetensors files" if others else "it has a config.json but no weights")
    path = (named or others)[0]
    if problem := why_unusable(path):
        raise PackRefused(problem)
    return path


_Roles = tuple[Mapping[str, int] | None, str | None, int | None]


def _label_meanings(folder: Path, config: Mapping[str, Any], about: Mapping[str, Any]) -> _Roles:
    """Return label by class, the only class, and the null label."""
    heads = config.get("num_class_embeds")
    if about.get("format", FORMAT) != FORMAT:
        raise PackRefused(
            Message(
                "{description_name} has format {found}; this version reads format {known}",
                description_name=DESCRIPTION_NAME,
                found=about["format"],
                known=FORMAT,
            )
        )
    if heads is None:
        return None, _single_class(folder, about), None
    if not isinstance(heads, int) or heads < 1:
        raise PackRefused(Message("config.json has no valid num_class_embeds"))
    if "classes" in about:
        return _described_labels(about, heads), None, _described_null(about, heads)
    if heads != len(CLASS_CODES):
        raise PackRefused(
            Message(
                "it has {heads} class labels and no {description_name} that names them; add one with the classes in "
                "the order of its labels, such as {example}",
                heads=heads,
                description_name=DESCRIPTION_NAME,
                example='{"format": 1, "classes": ["MEL", "NV", ...], "null_class": 7}',
            )
        )
    return dict(CLASS_INDEX), None, None


def _single_class(folder: Path, about: Mapping[str, Any]) -> str:
    described = about.get("classes")
    home = folder.parent if folder.name in (UNET_FOLDER, AVERAGED_FOLDER) else folder
    names = described if isinstance(described, list) else re.split(r"[^A-Za-z]+", home.name)
    found = {str(name).upper() for name in names} & set(CLASS_INDEX)
    if len(found) != 1:
        raise PackRefused(
            Message("it is unconditional and its folder is not named after one class, as unet_MEL would be")
        )
    return found.pop()


def _described_labels(about: Mapping[str, Any], heads: int) -> dict[str, int]:
    names = about["classes"]
    if not isinstance(names, list) or len(names) > heads or len(set(map(str, names))) != len(names):
        raise PackRefused(
            Message(
                "the classes of {description_name} do not fit the network's {heads} labels",
                description_name=DESCRIPTION_NAME,
                heads=heads,
            )
        )
    labels = {str(name): index for index, name in enumerate(names) if str(name) in CLASS_INDEX}
    if not labels:
        raise PackRefused(
            Message(
                "{description_name} names none of the classes {names}",
                description_name=DESCRIPTION_NAME,
                names=", ".join(CLASS_CODES),
            )
        )
    return labels


def _described_null(about: Mapping[str, Any], heads: int) -> int | None:
    null = about.get("null_class")
    if null is None:
        return None
    if not isinstance(null, int) or not len(about["classes"]) <= null < heads:
        raise PackRefused(
            Message(
                "the null_class {null} of {description_name} is no free label of the network",
                null=null,
                description_name=DESCRIPTION_NAME,
            )
        )
    return null
