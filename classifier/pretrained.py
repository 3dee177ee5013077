"""Pretrained weights for the trunk of a classifier; its head is always new."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from torch import Tensor, nn

from classifier.checksum import check_sum
from classifier.published import LITE0, Origin, Published, published_weights
from core.errors import ModelArchitectureError, UsageError
from core.message import Message
from core.models.classification.architectures import ARCHITECTURES
from core.models.classification.efficientnet_lite import rename_published
from core.models.safe_weights import read_weights

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
