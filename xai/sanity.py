"""Does a method's map depend on what the classifier has learned? Cascading randomisation, once for each checkpoint.

`python -m xai.sanity CLASSIFIER` measures all methods and keeps the result in `sanity.json` next to the weights.

The classifier's layers get fresh random weights, from the head down to the input, and the map is drawn again after each
(Adebayo et al., 2018, Sanity Checks for Saliency Maps, arXiv:1810.03292). A map that stays as it was shows edges of the
picture, not what the classifier knows. The pictures are drawn, so that the result belongs to the checkpoint alone.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from core.files.atomic import write_text_atomic
from core.files.reading import DamagedFileError, Schema, Text, check_object, read_json
from core.jobs.stream import JobContext
from core.utils.path_manager import PathManager
from xai.attribution import rank_agreement
from xai.classifier import Classifier, load_classifier, probe_pictures
from xai.explanation import ExplainOptions
from xai.methods import METHODS
from xai.task import Task

VERSION: Final = 1
"""Of the procedure; results of another one are not used."""

FILE_NAME: Final = "sanity.json"
PROBES: Final = 3
CELLS: Final = 16
"""Maps are compared in 16 x 16 cells: what the eye sees, not the noise of single pixels."""

_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """How far randomisation has come, and how like the maps are to those of the trained classifier.

    Attributes
    ----------
    randomised
        Path of the block that was randomised last; everything above it is random, too.
    signed, absolute
        Spearman correlation of the maps, with and without their sign; mean over the pictures.
    """

    randomised: str
    signed: float
    absolute: float


@dataclass(frozen=True, slots=True)
class Sanity:
    """The result for one checkpoint and one method; each stage has fewer trained weights than the one before."""

    method: str
    stages: tuple[Stage, ...]

    @property
    def similarity(self) -> float:
        """How much of the map stays although the weights are random: mean over the stages, with its sign, 0..1."""
        return max(0.0, float(np.mean([stage.signed for stage in self.stages])))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return {
            "method": self.method,
            "similarity": self.similarity,
            "stages": [asdict(stage) for stage in self.stages],
        }


class _Stage(Schema):
    randomised: Text
    signed: Annotated[float, Field(ge=-1, le=1)]
    absolute: Annotated[float, Field(ge=-1, le=1)]


class _Method(Schema):
    stages: list[_Stage]


class _Record(Schema):
    version: int
    sha256: str
    methods: dict[str, Any]


def sanity_of(classifier: Classifier, method: str, context: JobContext | None = None) -> Sanity:
    """Return the result for a checkpoint and a method: the one shipped next to it, the one in the cache, or a new one.

    Raises
    ------
    JobStopped
        As soon as that is asked for; it is looked at before every forward pass.
    """
    known = known_sanity(classifier, method)
    if known is not None:
        return known
    found = check_sanity(classifier, method, context)
    save_sanity(_cache_file(classifier), classifier.sha256, found)
    return found


def known_sanity(classifier: Classifier, method: str) -> Sanity | None:
    """Return the result that is shipped beside the checkpoint or in the cache, or None."""
    places = (classifier.path.parent / FILE_NAME, _cache_file(classifier))
    found = (read_sanity(place, classifier.sha256).get(method) for place in places)
    return next((sanity for sanity in found if sanity is not None), None)


def check_sanity(classifier: Classifier, method: str, context: JobContext | None = None) -> Sanity:
    """Randomise a copy of the classifier from the head down, and compare the maps."""
    pictures = [_picture(probe) for probe in probe_pictures()[:PROBES]]
    trained = _maps(classifier, method, pictures, context)
    stages = []
    for name, randomised in _cascade(classifier):
        maps = _maps(randomised, method, pictures, context)
        stages.append(Stage(name, _similarity(trained, maps), _similarity(np.abs(trained), np.abs(maps))))
    return Sanity(method, tuple(stages))


def read_sanity(path: Path, sha256: str) -> dict[str, Sanity]:
    """Read the results for a checkpoint, by method; empty where there are none for it, or none that can be read."""
    try:
        record: _Record = read_json(path, _Record, what="a record of sanity checks")
    except (FileNotFoundError, DamagedFileError):
        return {}
    if (record.version, record.sha256) != (VERSION, sha256):
        return {}
    found = {name: _method(entry) for name, entry in record.methods.items()}
    return {name: Sanity(name, stages) for name, stages in found.items() if stages}


def _method(entry: Any) -> tuple[Stage, ...]:
    """Return the stages of one method; none if its entry is damaged, which costs no other method anything."""
    try:
        known: _Method = check_object(entry, _Method, what="a method")
    except DamagedFileError:
        return ()
    return tuple(Stage(stage.randomised, stage.signed, stage.absolute) for stage in known.stages)


def save_sanity(path: Path, sha256: str, found: Sanity) -> None:
    """Add a result to a file; where that is not possible it is measured again next time."""
    methods = {**read_sanity(path, sha256), found.method: found}
    data = {"version": VERSION, "sha256": sha256, "methods": {name: each.to_json() for name, each in methods.items()}}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomic(path, json.dumps(data, indent=1) + "\n")
    except OSError:
        return


def _cache_file(classifier: Classifier) -> Path:
    return PathManager().cache_dir / "sanity" / f"{classifier.sha256[:16]}.json"


def _picture(probe: Tensor) -> NDArray[np.uint8]:
    return (probe.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)


def _cascade(classifier: Classifier) -> Iterator[tuple[str, Classifier]]:
    """Yield the classifier with more and more random layers; each is the same network, changed further."""
    net = copy.deepcopy(classifier.net)
    architecture = classifier.architecture
    for stage in ((architecture.head,), *reversed(architecture.stages)):
        for path in stage:
            _randomise(net.get_submodule(path))
        yield stage[0], replace(classifier, net=net)


def _randomise(module: nn.Module) -> None:
    """Draw new weights as before training; normalisation keeps its statistics, or the signal would die on the way."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(_SEED)
        for layer in module.modules():
            if isinstance(layer, nn.Linear | nn.Conv2d):
                layer.reset_parameters()


def _maps(
    classifier: Classifier, method: str, pictures: list[NDArray[np.uint8]], context: JobContext | None
) -> NDArray[np.float64]:
    """Return the maps in cells, (N, cells, cells), for the class that each picture's place among them names."""
    options = ExplainOptions((method,))
    targets = [classifier.classes[number % len(classifier.classes)] for number in range(len(pictures))]
    tasks = [
        Task(classifier, p, t, options, True, context or JobContext()) for p, t in zip(pictures, targets, strict=True)
    ]
    return np.stack([in_cells(task.attribute(method).values) for task in tasks])


def in_cells(values: NDArray[np.floating[Any]], cells: int = CELLS) -> NDArray[np.float64]:
    """Return the sums of a map (H, W, C) over its channels as means of cells, (cells, cells)."""
    flat = torch.from_numpy(np.asarray(values, np.float64).sum(axis=2))
    pooled: NDArray[np.float64] = functional.adaptive_avg_pool2d(flat[None], cells)[0].numpy()
    return pooled


def _similarity(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.mean([rank_agreement(a.ravel(), b.ravel()) or 0.0 for a, b in zip(first, second, strict=True)]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all methods on a classifier and keep the result beside its weights."""
    parser = argparse.ArgumentParser(prog="python -m xai.sanity", description=__doc__)
    parser.add_argument("classifier", type=Path)
    classifier = load_classifier(parser.parse_args(arguments).classifier)
    for method in METHODS:
        found = check_sanity(classifier, method)
        save_sanity(classifier.path.parent / FILE_NAME, classifier.sha256, found)
        sys.stdout.write(f"{method}: {found.similarity:.2f}\n")


if __name__ == "__main__":
    main()
