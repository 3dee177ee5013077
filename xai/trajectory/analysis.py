"""Everything about one image: its trajectory, its maps, Time-SHAP, interventions and controls. Numbers only.

`StageReporter` tells which stage it is at, and which share of the time each takes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from core.jobs.stream import JobContext
from core.message import Message
from xai.classifier import Classifier
from xai.explain import explain_image, get_classifier
from xai.explanation import Classification, ExplainOptions, Explanation, GateVerdict
from xai.trajectory.controls import Controls, measure_controls
from xai.trajectory.request import TrajectoryRequest
from xai.trajectory.shift import Mask, Shift, importance, measure_shifts, top_and_bottom
from xai.trajectory.source import Frame, ImageSource, draw_frames
from xai.trajectory.target import Floats, Target, all_logits, make_target, to_pixels
from xai.trajectory.time_shap import TimeShap, time_shap


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage; `share` is its part of one image's time, measured on the starter models (docs/trajectory.md)."""

    share: float
    words: str


STAGES: Final = {
    "draw": Stage(0.04, Message("reproducing the image")),
    "maps": Stage(0.10, Message("maps of the steps")),
    "time_shap": Stage(0.62, Message("Time-SHAP")),
    "interventions": Stage(0.08, Message("interventions")),
    "controls": Stage(0.10, Message("negative controls")),
    "pictures": Stage(0.06, Message("figures")),
}

SUMMARY: Final = Stage(0.01, Message("summary"))


class StageReporter:
    """Gives each stage of each image its share of the whole.

    Parameters
    ----------
    context
        Of the whole analysis.
    images
        How many the analysis has.

    Attributes
    ----------
    image
        The number of the present one, from 0.
    """

    def __init__(self, context: JobContext, images: int) -> None:
        self._context = context
        self._images = images
        self.image = 0

    def stage(self, name: str) -> JobContext:
        """Return the context of a stage of the present image."""
        stage, names = STAGES[name], list(STAGES)
        before = sum(STAGES[other].share for other in names[: names.index(name)])
        each = (1 - SUMMARY.share) / self._images if self._images > 1 else 1.0
        words = stage.words
        if self._images > 1:
            words = Message(
                "Image {number} of {images}: {stage}", number=self.image + 1, images=self._images, stage=stage.words
            )
        return self._context.part((self.image + before) * each, stage.share * each, words)

    def summary(self) -> JobContext:
        """Return the context of the summary."""
        return self._context.part(1 - SUMMARY.share, SUMMARY.share, SUMMARY.words)


MAP_STEPS: Final = 128
"""Most steps of Integrated Gradients for the maps of a trajectory."""


@dataclass(frozen=True, slots=True, eq=False)
class ExplainedFrame:
    """A kept step with its maps, its regions and what interventions on it did.

    Attributes
    ----------
    maps
        One explanation of the frame's picture for each method.
    top, bottom
        Regions of equal area by the first method.
    """

    frame: Frame
    maps: tuple[Explanation, ...]
    top: Mask = field(repr=False)
    bottom: Mask = field(repr=False)
    shifts: Mapping[str, Shift]


@dataclass(frozen=True, slots=True, eq=False)
class ImageAnalysis:
    """The whole analysis of one image.

    Attributes
    ----------
    timesteps
        Of every denoising step.
    frames
        The kept steps, in order; the last one shows the image as it is saved.
    probabilities
        Of every kept step and class of the classifier, shape (F, K).
    logits
        The same in logits.
    explained
        The kept steps that maps were made of, the last one always.
    controls
        What the shifts of the last step are held against.
    difference
        By how much the image that was drawn differs from its file at most, in 1/255; 0 where no file is analysed.
    seconds
        What each stage took.
    """

    source: ImageSource
    classifier: Classifier
    target: Target
    timesteps: tuple[float, ...]
    frames: tuple[Frame, ...]
    logits: Floats
    probabilities: Floats
    explained: tuple[ExplainedFrame, ...]
    time_shap: TimeShap
    controls: Controls
    difference: int
    seconds: Mapping[str, float]

    @property
    def class_code(self) -> str:
        """The class that the image was made for."""
        return self.source.planned.class_code

    @property
    def last(self) -> ExplainedFrame:
        """The image itself."""
        return self.explained[-1]

    @property
    def answer(self) -> Classification:
        """The classifier's answer for the image itself."""
        return self.last.maps[0].classification

    @property
    def gate(self) -> GateVerdict:
        """Whether the map of the image itself may be read as evidence."""
        return self.last.maps[0].gate


def analyse_image(
    source: ImageSource, request: TrajectoryRequest, reporter: StageReporter | None = None
) -> ImageAnalysis:
    """Analyse one image.

    Raises
    ------
    JobStopped
        As soon as that is asked for.
    InputRefusedError
        If the classifier does not know the image's class.
    ModelRefusedError
        If the classifier cannot be loaded.
    """
    seconds: dict[str, float] = {}
    stage = (reporter or StageReporter(JobContext(), 1)).stage
    classifier = get_classifier(request.classifier, request.device)
    target = make_target(classifier, source.planned.class_code)
    with _timed("draw", seconds):
        frames, timesteps = draw_frames(source, request.every, stage("draw"))
        difference = source.difference(frames[-1].picture)
        logits = all_logits(classifier.logits, to_pixels(np.stack([frame.picture for frame in frames])))
    with _timed("maps", seconds):
        chosen = frames[-1:] if request.quick else frames
        maps = _maps(chosen, source, request, stage("maps"))
    with _timed("time_shap", seconds):
        played = time_shap(source, target, request.players, request.neutral, context=stage("time_shap"))
    with _timed("interventions", seconds):
        explained = _intervene(chosen, maps, target, source.planned.seed, stage("interventions"))
    with _timed("controls", seconds):
        controls = _controls(explained[-1], classifier, target, source, request, stage("controls"))
    return ImageAnalysis(
        source=source,
        classifier=classifier,
        target=target,
        timesteps=timesteps,
        frames=tuple(frames),
        logits=logits,
        probabilities=_softmax(logits / classifier.temperature),
        explained=tuple(explained),
        time_shap=played,
        controls=controls,
        difference=difference,
        seconds=seconds,
    )


def _maps(
    frames: list[Frame], source: ImageSource, request: TrajectoryRequest, context: JobContext
) -> list[tuple[Explanation, ...]]:
    code = source.planned.class_code
    options = ExplainOptions(
        request.methods,
        code,
        request.classifier,
        device=request.device,
        max_steps=MAP_STEPS,
        baseline=request.baseline,
    )
    maps = []
    for done, frame in enumerate(frames):
        context.progress(done, len(frames), unit="steps")
        maps.append(tuple(explain_image(frame.picture, options, label=code, context=context)))
    return maps


def _intervene(
    frames: list[Frame],
    maps: list[tuple[Explanation, ...]],
    target: Target,
    seed: int,
    context: JobContext,
) -> list[ExplainedFrame]:
    explained = []
    for done, (frame, found) in enumerate(zip(frames, maps, strict=True)):
        context.progress(done, len(frames), unit="steps")
        top, bottom = top_and_bottom(importance(found[0].attribution))
        shifts = measure_shifts(target, frame.picture, top, bottom, seed=seed, context=context)
        explained.append(ExplainedFrame(frame, found, top, bottom, shifts))
    return explained


def _controls(
    image: ExplainedFrame,
    classifier: Classifier,
    target: Target,
    source: ImageSource,
    request: TrajectoryRequest,
    context: JobContext,
) -> Controls:
    context.progress(0, 1)
    return measure_controls(
        image.frame.picture,
        image.maps[0].attribution,
        classifier,
        target,
        image.shifts,
        seed=source.planned.seed,
        baseline=request.baseline,
        context=context,
    )


def _softmax(logits: Floats) -> Floats:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float64)


@contextmanager
def _timed(stage: str, seconds: dict[str, float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - began
