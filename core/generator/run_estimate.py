"""Looks ahead: what a request comes to on this machine, without loading a model or writing a file."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from core.files.folder_lock import who_holds
from core.generation import GenerationRequest
from core.generator.batches import bytes_per_image, choose_batch_size
from core.generator.cost import RunEstimate, bytes_on_disk
from core.generator.model_manager import ModelSource, model_source
from core.models.autoencoder import WEIGHTS_FILE
from core.models.discovery import discover
from core.precision import resolve_device, resolve_precision
from dataset.layout import Layout


def estimate_run(request: GenerationRequest) -> RunEstimate:
    """Decide what a run would decide at its start, and add up what it will take.

    Raises
    ------
    ModelRefusedError
        If no class that was asked for has a usable model.
    UsageError
        If the device or the precision is impossible here.
    """
    device = resolve_device(request.device)
    precision = resolve_precision(request.precision, device)
    sources = _sources(request)
    steps = request.steps if request.trajectory else 0
    most = max(count for _, count in request.counts)
    batch_size = choose_batch_size(request.batch_size, device, sources, most, steps)
    size = max(source.image_size for source in sources)
    return RunEstimate(
        device=str(device),
        precision=precision,
        batch_size=batch_size,
        image_size=size,
        memory=_weights(sources) + batch_size * max(bytes_per_image(source) for source in sources),
        disk=bytes_on_disk(request, size),
        free_disk=_free_disk(request.output),
        writer=who_holds(Layout(request.output).state),
    )


def _sources(request: GenerationRequest) -> list[ModelSource]:
    """Return the models of the classes that can be made; if none can, raise what the first of them says."""
    classes = discover(request.models).classes
    asked = [classes[code] for code, _ in request.counts]
    return [model_source(model) for model in asked if model.available] or [model_source(asked[0])]


def _weights(sources: Iterable[ModelSource]) -> int:
    """Return the memory of the networks: twice their files, which may hold half precision."""
    files = {source.weights for source in sources}
    files |= {source.autoencoder / WEIGHTS_FILE for source in sources if source.autoencoder is not None}
    return 2 * sum(path.stat().st_size for path in files if path.is_file())


def _free_disk(output: Path) -> int | None:
    place = output.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free
    except OSError:
        return None
