"""What an image is asked to be: its class today, and whatever kinds of condition are registered.

A `Conditioning` goes through the request, the journal, the recipe, the predictor and the network; samplers never see
it. Each kind has its own null, which is what an unconditional prediction is made with. A network says which kinds it
takes; one that is asked for another is refused by name.

A new kind is one entry here (or in any module that is imported), a network that takes it, its training data, and its
control in the window. A UNet of diffusers takes it as further channels of its input.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from core.errors import ModelArchitectureError, UsageError
from core.message import Message
from core.registry import Column, Registry

if TYPE_CHECKING:  # annotations only: the window reads requests before torch is there
    from torch import Tensor

    from core.generator.model_manager import LoadedModel

CLASS: Final = "class"


@dataclass(frozen=True)
class Inputs:
    """What a network is given beside the noisy images.

    Attributes
    ----------
    arguments
        Named arguments of the network's call.
    channels
        (B, C, H, W) each, appended to the channels of the noisy images in this order.
    """

    arguments: Mapping[str, Tensor | None] = field(default_factory=dict)
    channels: tuple[Tensor, ...] = ()

    def __add__(self, other: Inputs) -> Inputs:
        return Inputs({**self.arguments, **other.arguments}, self.channels + other.channels)


Encode = Callable[["LoadedModel", Any, int], Inputs]
"""(network, value or None for the null, number of images) -> what the network is given."""


@dataclass(frozen=True, slots=True)
class ConditionKind:
    """One kind of condition.

    Attributes
    ----------
    flag
        Of `generate`; "" for a kind that is asked for otherwise, as the class is.
    read, write
        From the text behind the flag to a value of plain JSON types, and back. `read` raises ValueError for other text.
    check
        Whether a value that came from a file is one of this kind.
    encode
        What the network is given for it.
    channels
        How many channels it adds to the network's input.
    """

    key: str
    title: str
    hint: str
    encode: Encode
    check: Callable[[Any], bool]
    flag: str = ""
    read: Callable[[str], Any] = str
    write: Callable[[Any], str] = str
    channels: int = 0


CONDITIONS: Final[Registry[ConditionKind]] = Registry(
    "condition", "conditions", columns=[Column("Flag", lambda kind: f"`{kind.flag}`" if kind.flag else "`--classes`")]
)


@dataclass(frozen=True, slots=True)
class Conditioning:
    """Values by kind of condition, in the order of the registry; a kind that is not in it is not asked for.

    Attributes
    ----------
    values
        Pairs of a key in `CONDITIONS` and a value of plain JSON types.
    """

    values: tuple[tuple[str, Any], ...] = ()

    def arguments(self) -> list[str]:
        """Return the words that ask for it on the command line."""
        flagged = [(CONDITIONS[key], value) for key, value in self.values if CONDITIONS[key].flag]
        return [word for kind, value in flagged for word in (kind.flag, kind.write(value))]

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Conditioning:
        """Return the conditioning with these values; None is left out.

        Raises
        ------
        UsageError
            If there is no such kind, or a value is none of its kind.
        """
        asked = {key: value for key, value in values.items() if value is not None}
        for key, value in asked.items():
            kind = CONDITIONS[CONDITIONS.check(key)]
            if not kind.check(value):
                raise UsageError(
                    Message("The condition {key} cannot be {value!r}.", key=key, value=str(value)[:80]),
                    remedy=Message("It takes this: {hint}", hint=kind.hint),
                )
        return cls(tuple((key, asked[key]) for key in CONDITIONS if key in asked))

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.values)

    def get(self, key: str) -> Any:
        """Return the value of a kind, None if it is not asked for."""
        return dict(self.values).get(key)

    def with_class(self, code: str) -> Conditioning:
        """Return the same for images of a class."""
        return Conditioning(((CLASS, code), *(pair for pair in self.values if pair[0] != CLASS)))

    def to_json(self) -> dict[str, Any]:
        """Return the values by kind."""
        return dict(self.values)


NOTHING: Final = Conditioning()


def require_taken(conditioning: Conditioning, takes: Collection[str], name: str) -> None:
    """Refuse conditions that a network does not take.

    Parameters
    ----------
    takes
        The kinds that it takes.
    name
        Of the model, for the message.

    Raises
    ------
    ModelArchitectureError
        If there is one; the class is asked for by choosing the model and needs not be among them.
    """
    strange = [key for key in conditioning if key not in takes and key != CLASS]
    if strange:
        raise ModelArchitectureError(
            Message(
                "The model {name} does not take these conditions: {strange}. It takes: {takes}.",
                name=name, strange=", ".join(strange), takes=", ".join(takes) or "-",
            ),
            remedy=Message("Choose a model that was trained with them, or leave them out."),
        )  # fmt: skip


def network_inputs(model: LoadedModel, conditioning: Conditioning, count: int) -> Inputs:
    """Return what a network is given for `count` images; kinds that it takes and nobody asks for get their null."""
    inputs = Inputs()
    for key in CONDITIONS:
        if key in model.takes:
            inputs += CONDITIONS[key].encode(model, conditioning.get(key), count)
    return inputs


def _encode_class(model: LoadedModel, value: Any, count: int) -> Inputs:
    """Return the labels; of the null class for None, or nothing for a network without labels."""
    import torch

    label = model.null_label if value is None else model.class_label
    labels = None if label is None else torch.full((count,), label, dtype=torch.long, device=model.device)
    return Inputs({"class_labels": labels})


CONDITIONS.add(
    ConditionKind(
        key=CLASS,
        title="Class",
        hint="Which of the seven classes the image shows.",
        encode=_encode_class,
        check=lambda value: isinstance(value, str),
    )
)
