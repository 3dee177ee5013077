"""The explanation methods that there are: what they are called, what their maps mean, and how a map is made.

A new method is one decorated function here, or in any module that is imported. It gets a `Task` and returns an
`Attribution`; what it needs of torch it imports itself, so that names and facts can be read without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from core.errors import UsageError
from core.message import Message
from core.registry import Column, Registry

if TYPE_CHECKING:
    from xai.attribution import Attribution
    from xai.task import Task


def describe_shapley(found: Attribution) -> Message:
    """Return how the values came about, and how sure they are."""
    players, orders = found.parameters["players"], found.parameters.get("permutations")
    if not orders:
        return Message(
            "Exact Shapley values of {players} superpixels; each value is spread evenly over its superpixel.",
            players=players,
        )
    return Message(
        "Shapley values of {players} superpixels, estimated from {orders} permutations in antithetic pairs; the "
        "largest standard error is {share:.1%} of the largest value.",
        players=players, orders=orders, share=found.parameters["relative_standard_error"],
    )  # fmt: skip


def describe_combined(found: Attribution) -> Message:
    """Return how far the two methods agree."""
    agreement = found.parameters["rank_agreement"]
    if agreement is None:
        return Message("Agreement map (no completeness).")
    return Message(
        "Agreement map (no completeness); rank correlation of the two methods over the superpixels: {agreement:.2f}.",
        agreement=agreement,
    )


def describe_grad_cam(found: Attribution) -> Message:
    """Return how coarse the map is."""
    height, width = found.cell or (0.0, 0.0)
    return Message(

            "The map has cells of {width:.0f} x {height:.0f} pixels, smoothly enlarged, and nothing "
            "finer. Completeness is not defined for this method.",
        width=width, height=height,
    )  # fmt: skip


def describe_layer_cam(found: Attribution) -> Message:
    """Return how coarse the map is, and what it leaves out."""
    height, width = found.cell or (0.0, 0.0)
    return Message(

            "The map has cells of {width:.0f} x {height:.0f} pixels, smoothly enlarged, and shows "
            "positive contributions only; a regular grid of spots is the trace of the network's "
            "strides. Completeness is not defined for this method.",
        width=width, height=height,
    )  # fmt: skip


def describe_occlusion(found: Attribution) -> Message:
    """Return what was covered, and how."""
    (height, width), (down, right) = found.parameters["window"], found.parameters["stride"]
    return Message(

            "The decrease of the logit where a window of {width} x {height} pixels, moved by {right} x "
            "{down}, shows the baseline; shared evenly by its pixels. Completeness is not defined for "
            "this method.",
        width=width, height=height, right=right, down=down,
    )  # fmt: skip


def describe_smoothgrad(found: Attribution) -> Message:
    """Return what the map is the mean of."""
    return Message(

            "The mean gradient of {samples} noisy copies (standard deviation {noise:.2f}): where a "
            "small change would matter, not what has mattered. Completeness is not defined for this "
            "method.",
        samples=found.parameters["samples"], noise=found.parameters["noise"],
    )  # fmt: skip


Attribute = Callable[["Task"], "Attribution"]

QUICK_PLAYERS: Final = 6


@dataclass(frozen=True, slots=True)
class Method:
    """What one needs to know to read a map of a method, and the method.

    Attributes
    ----------
    key
        As on the command line and in files.
    short
        The title where several maps stand side by side.
    unit
        Of the shown map. Maps of one unit share a scale; each unit has a colour bar of its own. A logit that is spread
        over a superpixel or a window is no measure for one that a single pixel can hold, so these are units as well.
    short_unit
        The unit beside a number.
    complete
        Whether the values add up to the difference between the image's logit and the baseline's.
    uses_baseline
        Whether the map depends on the baseline at all.
    of_difference
        Whether the map divides up that difference, and means nothing where there is none.
    describe
        What a reader of one map needs to know about how it came about, in its own numbers; None for nothing.
    attribute
        Makes the map.
    """

    key: str
    title: str
    hint: str
    unit: str
    attribute: Attribute
    short: str = ""
    short_unit: str = ""
    complete: bool = False
    uses_baseline: bool = False
    of_difference: bool = False
    describe: Callable[[Attribution], Message] | None = None


METHODS: Final[Registry[Method]] = Registry(
    "explanation method",
    "explanation methods",
    columns=[
        Column("Unit of the map", lambda entry: entry.unit),
        Column("Adds up", lambda entry: "yes" if entry.complete else "no"),
        Column("Needs a baseline", lambda entry: "yes" if entry.uses_baseline else "no"),
    ],
)


def method(key: str, *, title: str, hint: str, unit: str, **facts: Any) -> Callable[[Attribute], Attribute]:
    """Declare, as a decorator of the function that makes its map, a method; `facts` are the attributes of `Method`."""

    def declare(attribute: Attribute) -> Attribute:
        METHODS.add(Method(key, title, hint, unit, attribute, **{"short": title, "short_unit": unit, **facts}))
        return attribute

    return declare


def read_names(text: str) -> tuple[str, ...]:
    """Return the names in a list such as ``ig,gradcam``; for ``all`` those of all methods."""
    if text.strip() == "all":
        return tuple(METHODS)
    return tuple(name.strip() for name in text.split(",") if name.strip())


def check_methods(keys: Sequence[str]) -> tuple[str, ...]:
    """Return the methods asked for, each once.

    Raises
    ------
    UsageError
        If there is no such method, or none was named.
    """
    if not keys:
        raise UsageError(
            Message("No explanation method is named."),
            remedy=Message("Choose one of {names}.", names=", ".join(METHODS)),
        )
    return tuple(dict.fromkeys(METHODS.check(key) for key in keys))


@method(
    "ig",
    title=Message("Integrated Gradients"),
    hint=Message(
        "What each pixel adds to the logit on the path from the baseline to the image; sums to the "
        "logit difference. Seconds."
    ),
    unit="logits per pixel",
    short=Message("IG"),
    short_unit=Message("logits/pixel"),
    complete=True,
    uses_baseline=True,
    of_difference=True,
)
def _integrated_gradients(task: Task) -> Attribution:
    from xai.attribution import FIRST_STEPS, integrated_gradients

    steps = FIRST_STEPS if task.quick else task.options.max_steps
    return integrated_gradients(task.score, task.image, task.baselines, last_steps=steps)


@method(
    "shapley",
    title=Message("Shapley values"),
    hint=Message(
        "The contribution of each region, averaged over all combinations of regions; sums to the logit "
        "difference. Up to half a minute."
    ),
    unit="logits per pixel of a superpixel",
    short=Message("Shapley"),
    short_unit=Message("logits/pixel of a region"),
    complete=True,
    uses_baseline=True,
    of_difference=True,
    describe=describe_shapley,
)
def _shapley(task: Task) -> Attribution:
    from xai.shapley import shapley_values, superpixels

    players = min(QUICK_PLAYERS, task.options.players) if task.quick else task.options.players
    return shapley_values(
        task.score_of_seen,
        task.image,
        task.baselines,
        segments=superpixels(task.picture, players),
        seed=task.options.seed,
        resize=task.classifier.preprocessing,
    )


@method(
    "combined",
    title=Message("Agreement of IG and Shapley"),
    hint=Message("Where Integrated Gradients and Shapley values point to the same regions. Values are not additive."),
    unit="share of the difference per pixel",
    short=Message("Agreement"),
    short_unit=Message("share/pixel"),
    uses_baseline=True,
    of_difference=True,
    describe=describe_combined,
)
def _combined(task: Task) -> Attribution:
    from xai.attribution import agreement_map

    return agreement_map(task.attribute("ig"), task.attribute("shapley"))


@method(
    "gradcam",
    title=Message("Grad-CAM"),
    hint=Message(
        "Coarse map from the last convolutional layer, one value per feature-map cell. Values are not additive."
    ),
    unit="mean gradient x activation per cell",
    short_unit=Message("gradient × activation"),
    describe=describe_grad_cam,
)
def _grad_cam(task: Task) -> Attribution:
    from xai.gradcam import grad_cam

    return _cam(task, grad_cam, task.classifier.architecture.features)


@method(
    "layercam",
    title=Message("LayerCAM"),
    hint=Message("As Grad-CAM, a little finer; positive contributions only. Values are not additive."),
    unit="positive gradient x activation per cell",
    short_unit=Message("gradient × activation"),
    describe=describe_layer_cam,
)
def _layer_cam(task: Task) -> Attribution:
    from xai.gradcam import layer_cam

    return _cam(task, layer_cam, task.classifier.architecture.finer)


def _cam(task: Task, make: Callable[..., Attribution], layer: str) -> Attribution:
    found = make(task.score, task.image, task.baselines, layer=task.classifier.net.get_submodule(layer))
    return replace(found, parameters={"layer": layer, **found.parameters})


@method(
    "occlusion",
    title=Message("Occlusion"),
    hint=Message("How the logit changes when a window of the image is covered. Values are not additive."),
    unit="logits per pixel of a window",
    short_unit=Message("logits/pixel of a window"),
    uses_baseline=True,
    describe=describe_occlusion,
)
def _occlusion(task: Task) -> Attribution:
    from xai.occlusion import occlusion

    return occlusion(task.score, task.image, task.baselines)


@method(
    "smoothgrad",
    title=Message("SmoothGrad"),
    hint=Message("Which pixels the class is most sensitive to, averaged over noise. Values are not additive."),
    unit="logits per unit of brightness",
    short_unit=Message("logits/brightness"),
    describe=describe_smoothgrad,
)
def _smoothgrad(task: Task) -> Attribution:
    from xai.smoothgrad import smoothgrad

    return smoothgrad(task.score, task.image, task.baselines, seed=task.options.seed)
