"""What was found out about a generator, and `judgement.json`, which says it to programs and to the model card.

The file has the keys `format`, `name`, `created`, and

- `model`: `weights_sha256`, and of a model pack `parameters`, `gmac`, `attention_gmac`, `bytes`;
- `samples`: `n`, `by_class`, and how they were drawn (`sampler`, `steps`, `guidance`, `seed`, `color`), or null where a
  folder of unknown making was judged;
- `data`: `kind`, `split_fingerprint`, `train` and `held_out` with `images`, `lesions`, `by_class`;
- `distance`: `features`, `mean` over the classes, `overall` and `by_class`, each with `kid` and `floor` as
  `{value, low, high, n_a, n_b}`;
- `fidelity`: `evaluator`, `generated` and `real` as `{value, low, high, n}`, `real_source`, `classes`, `matrix`,
  `recall`; or null;
- `loss`: `held_out`, `train`, `low`, `high`, `n`; or null for checkpoints of single classes;
- `memorisation`: see `measures.memorisation.Memorisation`;
- `sweep`: for each guidance that was tried, `guidance`, `mean_distance`, `overall` as in `distance`, and `fidelity` as
  `generated` in `fidelity`.

What a generator costs is measured here too: its size on disk and in memory, and the arithmetic of one look at an image.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from core.diffusers_parts import AutoencoderKL, UNet2DModel
from core.files.atomic import output_errors
from core.files.reading import read_json
from core.keeping import replace_kept_text
from core.taxonomy import CLASS_CODES
from diffusion.distances import Distance, Distances
from diffusion.fidelity import Fidelity
from diffusion.generated import Draw, Generated
from diffusion.heldout_loss import LossGap
from diffusion.record_schemas import JudgementJson
from measures.memorisation import Memorisation
from photographs.labelled import LabelledImage


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a network.

    Attributes
    ----------
    parameters
        Number of weights.
    gmac
        Thousand millions of multiply-adds of one forward pass of one image, without guidance (which doubles it).
    attention_gmac
        What of it the products of queries, keys and values take; many counts leave them out.
    bytes
        Size of the weights file.
    """

    parameters: int
    gmac: float
    attention_gmac: float
    bytes: int


def measure_cost(net: UNet2DModel, weights: Path) -> Cost:
    """Count the weights, and the multiply-adds of convolutions, matrix products and attention in one forward pass."""
    size = int(net.config.sample_size)
    reference = next(net.parameters())
    image = torch.zeros(1, int(net.config.in_channels), size, size, dtype=reference.dtype, device=reference.device)
    label = None if net.config.num_class_embeds is None else torch.zeros(1, dtype=torch.long, device=reference.device)
    timestep = torch.ones(1, device=reference.device)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(image, timestep, class_labels=label)
    parameters = sum(weight.numel() for weight in net.parameters())
    attention = sum(flops for name, flops in _by_operation(counter).items() if "attention" in name)
    return Cost(parameters, counter.get_total_flops() / 2e9, attention / 2e9, weights.stat().st_size)


def with_autoencoder(cost: Cost, net: AutoencoderKL, weights: Path) -> Cost:
    """Return the cost of a network together with that of the autoencoder that decodes what it makes.

    A forward pass stays the network's alone; a picture is decoded once.
    """
    parameters = sum(weight.numel() for weight in net.parameters())
    return replace(cost, parameters=cost.parameters + parameters, bytes=cost.bytes + weights.stat().st_size)


def _by_operation(counter: FlopCounterMode) -> dict[str, int]:
    return {str(operation): flops for operation, flops in counter.get_flop_counts()["Global"].items()}


FORMAT: Final = 1
JUDGEMENT_FILE: Final = "judgement.json"


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """What one guidance scale does to distance and class fidelity."""

    guidance: float
    distances: Distances
    fidelity: Fidelity | None


@dataclass(frozen=True, slots=True)
class JudgedData:
    """The photographs that a generator is judged with."""

    kind: str
    fingerprint: str
    train: Sequence[LabelledImage]
    held_out: Sequence[LabelledImage]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that was found out about a generator; None where it could not be measured.

    Attributes
    ----------
    draw
        How the images were drawn; None if a folder of unknown making was judged.
    """

    name: str
    created: str
    weights_sha256: tuple[str, ...]
    cost: Cost | None
    draw: Draw | None
    generated: Generated
    data: JudgedData
    distances: Distances
    fidelity: Fidelity | None
    loss: LossGap | None
    memorisation: Memorisation
    sweep: tuple[SweepPoint, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the judgement as plain JSON types without NaN or infinity."""
        return {
            "format": FORMAT,
            "name": self.name,
            "created": self.created,
            "model": {"weights_sha256": list(self.weights_sha256), **(asdict(self.cost) if self.cost else {})},
            "samples": _samples(self.generated, self.draw),
            "data": _data(self.data),
            "distance": _distances(self.distances),
            "fidelity": None if self.fidelity is None else _fidelity(self.fidelity),
            "loss": None if self.loss is None else asdict(self.loss),
            "memorisation": self.memorisation.to_json(),
            "sweep": [_sweep_point(point) for point in self.sweep],
        }


def write_judgement(judgement: Judgement, folder: Path) -> Path:
    """Write `judgement.json` into a folder.

    Raises
    ------
    OutputError
        If that is not possible.
    """
    path = folder / JUDGEMENT_FILE
    with output_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        replace_kept_text(path, json.dumps(judgement.to_json(), indent=2, allow_nan=False) + "\n")
    return path


def read_judgement(folder: Path) -> dict[str, Any] | None:
    """Return what the card tells of a folder's `judgement.json`; None if there is none.

    Raises
    ------
    InputRefusedError
        If it cannot be read, or does not hold what the card tells.
    """
    path = folder / JUDGEMENT_FILE
    try:
        found: JudgementJson = read_json(path, JudgementJson, what="a judgement")
    except FileNotFoundError:
        return None
    return found.model_dump(exclude_unset=True)


def _samples(generated: Generated, draw: Draw | None) -> dict[str, Any]:
    counts = {code: int((generated.labels == CLASS_CODES.index(code)).sum()) for code in generated.codes}
    known = ("sampler", "steps", "guidance", "seed", "color")
    how = None if draw is None else {name: getattr(draw, name) for name in known}
    return {"n": len(generated.labels), "size": generated.size, "by_class": counts, "drawn": how}


def _data(data: JudgedData) -> dict[str, Any]:
    parts = {"train": data.train, "held_out": data.held_out}
    return {"kind": data.kind, "split_fingerprint": data.fingerprint, **{k: _part(v) for k, v in parts.items()}}


def _part(images: Sequence[LabelledImage]) -> dict[str, Any]:
    counts = Counter(image.code for image in images)
    return {
        "images": len(images),
        "lesions": len({image.lesion_id for image in images}),
        "by_class": {code: counts[code] for code in CLASS_CODES if counts[code]},
    }


def _distance(distance: Distance | None) -> Mapping[str, Any] | None:
    return None if distance is None else asdict(distance)


def _distances(found: Distances) -> dict[str, Any]:
    return {
        "features": found.features,
        "mean": found.mean,
        "overall": _distance(found.overall),
        "by_class": {code: _distance(distance) for code, distance in found.by_class.items()},
    }


def _fidelity(found: Fidelity) -> dict[str, Any]:
    return {
        "evaluator": found.evaluator,
        "generated": asdict(found.generated),
        "real": None if found.real is None else asdict(found.real),
        "real_source": found.real_source,
        "classes": list(CLASS_CODES),
        "matrix": np.asarray(found.matrix).tolist(),
        "recall": dict(found.recall),
    }


def _sweep_point(point: SweepPoint) -> dict[str, Any]:
    return {
        "guidance": point.guidance,
        "mean_distance": point.distances.mean,
        "overall": _distance(point.distances.overall),
        "fidelity": None if point.fidelity is None else asdict(point.fidelity.generated),
    }
