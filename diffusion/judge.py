"""Judges a generator: how far its images are from real ones, whether they show the target class, whether it copies.

The reference is always photographs of lesions that the generator has not seen. Images are drawn by the product's own
generator and kept in a folder, because they are what takes time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from core.cache.cache_manager import CacheManager
from core.events import Event, Notice
from core.files.atomic import output_errors
from core.files.own import require_own
from core.generator.model_manager import LoadedModel, ModelManager
from core.models.classification.loading import load_network
from core.models.discovery import discover
from core.models.networks import WEIGHTS_FILE
from core.precision import resolve_device
from diffusion.data import limited, split_images
from diffusion.distances import Distances, LabelledFeatures, measure_distances
from diffusion.fidelity import Fidelity, measure_fidelity
from diffusion.generated import Draw, Generated, fill_folder, read_generated, recommended, sources_of
from diffusion.heldout_loss import LossGap, measure_loss_gap
from diffusion.judgement import Cost, JudgedData, Judgement, SweepPoint, measure_cost, with_autoencoder, write_judgement
from diffusion.model import noise_schedule
from diffusion.pack import read_training, settings_of
from diffusion.sheet import save_sheet
from measures.features import PIXELS, default_evaluator, extractor_of
from measures.memorisation import Memorisation, judge_memorisation
from measures.memorisation_files import Names, save_memorisation
from photographs.labelled import LabelledImage, labels_of
from photographs.pixels import Pixels, load_pixels
from photographs.sources import read_dataset

GENERATED_DIR: Final = "generated"
SHEET_FILE: Final = "samples.png"

Reference: TypeAlias = tuple[LabelledFeatures, LabelledFeatures]
"""Features of training and of held-out photographs."""


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """What is judged, and with what.

    Attributes
    ----------
    models
        A model pack, or a folder of checkpoints.
    data
        The data set that the generator was trained on.
    output
        Where images and findings go.
    evaluator
        Classifier that had no part in training; the starter's independent one if None.
    per_class
        Images of each class.
    samples
        Folder of images to judge in place of new ones.
    guidances
        Guidance scales to try besides.
    drawing
        Fields of `Draw` in place of what the models' maker recommends.
    device
        As `GenerationRequest` takes it.
    """

    models: Path
    data: Path
    output: Path
    evaluator: Path | None = None
    per_class: int = 50
    samples: Path | None = None
    guidances: Sequence[float] = ()
    drawing: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"


def judge_pack(request: JudgeRequest, tell: Callable[[Event], None] | None = None) -> Judgement:
    """Judge a generator; write `judgement.json`, `samples.png` and what `save_memorisation` writes.

    Parameters
    ----------
    tell
        Gets the events of drawing, and a notice before each measurement.

    Raises
    ------
    ISICGUIError
        If the models, the data, the classifier or the folder of images cannot be used.
    """
    judge = _Judge(request, tell or (lambda _: None))
    judgement = judge.judge()
    save_sheet(judgement.generated, request.output / SHEET_FILE)
    write_judgement(judgement, request.output)
    return judgement


class _Judge:
    """A generator being judged; the classifier and the photographs are read once for all measurements."""

    def __init__(self, request: JudgeRequest, tell: Callable[[Event], None]) -> None:
        self._request, self._tell = request, tell
        self._draw = recommended(request.models, device=request.device, **request.drawing)
        self._sources = sources_of(request.models)
        self._device = resolve_device(request.device)
        self._manager = ModelManager(CacheManager())
        path = request.evaluator or default_evaluator()
        self._evaluator = None if path is None else load_network(path, self._device)
        self._extractor = PIXELS if self._evaluator is None else extractor_of(self._evaluator)
        self._config = settings_of(read_training(request.models))
        self._photographs = read_dataset(request.data)

    def judge(self) -> Judgement:
        """Draw, measure, and return everything."""
        generated = self._images(self._draw)
        splits = split_images([i for i in self._photographs.images if i.code in generated.codes], self._config)
        self._say("Reading photographs.")
        train = load_pixels(limited(splits.train, self._config), generated.size)
        held_out = load_pixels(splits.test, generated.size)
        reference = self._reference(generated, train, held_out)
        return Judgement(
            name=self._request.models.name,
            created=datetime.now().astimezone().isoformat(timespec="seconds"),
            weights_sha256=self._weights(),
            cost=self._cost(),
            draw=None if self._request.samples else self._draw,
            generated=generated,
            data=JudgedData(self._photographs.kind, splits.fingerprint, train.images, held_out.images),
            distances=self._distances(generated, reference),
            fidelity=self._fidelity(generated),
            loss=self._loss(train, held_out),
            memorisation=self._memorisation(generated, train, held_out),
            sweep=tuple(self._sweep(reference)),
        )

    def _say(self, text: str) -> None:
        self._tell(Notice("judge", text))

    def _images(self, draw: Draw) -> Generated:
        folder = self._request.samples
        return read_generated(folder, self._request.per_class) if folder is not None else self._drawn(draw)

    def _drawn(self, draw: Draw) -> Generated:
        """Return the images that the settings give, drawn now or before."""
        output = self._request.output
        folder = require_own(output, output / GENERATED_DIR / f"guidance-{draw.guidance:g}")
        for event in fill_folder(self._request.models, folder, self._request.per_class, draw):
            self._tell(event)
        return read_generated(folder, self._request.per_class)

    def _weights(self) -> tuple[str, ...]:
        return tuple(sorted({self._manager.identity(source) for source in self._sources.values()}))

    def _model(self, code: str) -> LoadedModel:
        return self._manager.load(discover(self._request.models).classes[code], self._device, "fp32")

    def _cost(self) -> Cost:
        model = self._model(next(iter(self._sources)))
        own = measure_cost(model.net, model.path)
        vae = next(iter(self._sources.values())).autoencoder
        return own if vae is None or model.space is None else with_autoencoder(own, model.space.net, vae / WEIGHTS_FILE)

    def _reference(self, generated: Generated, train: Pixels, held_out: Pixels) -> Reference:
        """Return the features of as many training images of each class as were generated, and of all held-out ones."""
        self._say(f"Features of photographs: {self._extractor.name}.")
        most = {code: len(generated.of(code)) for code in generated.codes}
        rows = sample_by_class(train.images, most)
        some = LabelledFeatures(self._extractor(train.array[rows]), labels_of([train.images[row] for row in rows]))
        return some, LabelledFeatures(self._extractor(held_out.array), labels_of(held_out.images))

    def _distances(self, generated: Generated, reference: Reference) -> Distances:
        self._say("Distances to photographs of held-out lesions.")
        drawn = LabelledFeatures(self._extractor(generated.pixels), generated.labels)
        return measure_distances(drawn, *reference, self._extractor.name)

    def _fidelity(self, generated: Generated) -> Fidelity | None:
        if self._evaluator is None:
            return None
        self._say("Class fidelity.")
        return measure_fidelity(self._evaluator, generated.pixels, generated.labels, self._photographs.images)

    def _loss(self, train: Pixels, held_out: Pixels) -> LossGap | None:
        """Compare losses where one network has learned all classes."""
        first = next(iter(self._sources.values()))
        if any(source.weights != first.weights for source in self._sources.values()):
            return None
        self._say("Loss on held-out and on training photographs.")
        labels = {code: source.class_label for code, source in self._sources.items()}
        model = self._model(next(iter(self._sources)))
        schedule = noise_schedule(model.scheduler_config)
        gamma, vae = self._config.min_snr_gamma, None if model.space is None else model.space.net
        return measure_loss_gap(model.net, schedule, labels, train, held_out, gamma, vae)

    def _memorisation(self, generated: Generated, train: Pixels, held_out: Pixels) -> Memorisation:
        self._say("Nearest training images.")
        result = judge_memorisation(generated.pixels, train.array, held_out.array, self._extractor)
        ids = (tuple(image.image_id for image in part.images) for part in (train, held_out))
        names = Names(generated.names, *ids)
        with output_errors(self._request.output):
            save_memorisation(result, self._request.output, generated.pixels, train.array, names)
        return result

    def _sweep(self, reference: Reference) -> Iterator[SweepPoint]:
        for guidance in self._request.guidances:
            self._say(f"Guidance {guidance:g}.")
            generated = self._drawn(replace(self._draw, guidance=guidance))
            yield SweepPoint(guidance, self._distances(generated, reference), self._fidelity(generated))


def sample_by_class(images: Sequence[LabelledImage], most: Mapping[str, int], *, seed: int = 0) -> list[int]:
    """Return the indices of random images of each class, at most so many."""
    order = np.random.default_rng(seed).permutation(len(images)).tolist()
    rows = {code: [index for index in order if images[index].code == code][:count] for code, count in most.items()}
    return [index for part in rows.values() for index in part]
