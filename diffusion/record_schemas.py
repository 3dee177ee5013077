"""What `judgement.json` and `training.json` look like, as far as the model card tells of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from core.files.reading import Schema, Share, Text, Whole

Real = Annotated[float, Field(ge=-1e300, le=1e300)]
Counts = dict[Text, Whole]


class _Record(Schema):
    """What the card does not tell of stays as it is."""

    model_config = ConfigDict(extra="allow")


class _Interval(_Record):
    value: Real
    low: Real
    high: Real
    n_a: Whole
    n_b: Whole


class _Distance(_Record):
    kid: _Interval
    floor: _Interval


class _Accuracy(_Record):
    value: Real
    low: Real | None
    high: Real | None
    n: Whole

    @model_validator(mode="after")
    def _has_both_ends(self) -> _Accuracy:
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has one end")
        return self


class _Model(_Record):
    weights_sha256: list[Text] = Field(default_factory=list)
    parameters: Whole = 0
    gmac: Real = 0.0
    attention_gmac: Real = 0.0
    bytes: Whole = 0

    @model_validator(mode="after")
    def _is_whole(self) -> _Model:
        cost = {"parameters", "gmac", "attention_gmac", "bytes"}
        if self.model_fields_set & cost and not cost <= self.model_fields_set:
            raise ValueError("what the network costs is said in part only")
        return self


class _Drawn(_Record):
    sampler: Text
    steps: Whole
    guidance: Real
    seed: Whole
    color: bool


class _Samples(_Record):
    n: Whole
    by_class: Counts
    drawn: _Drawn | None


class _Part(_Record):
    images: Whole
    lesions: Whole


class _Data(_Record):
    train: _Part
    held_out: _Part


class _Distances(_Record):
    features: Text
    overall: _Distance | None
    by_class: dict[Text, _Distance | None]


class _Fidelity(_Record):
    evaluator: Text
    generated: _Accuracy
    real: _Accuracy | None
    real_source: Text
    classes: list[Text]
    matrix: list[list[Whole]]
    recall: dict[Text, Share]

    @model_validator(mode="after")
    def _is_square(self) -> _Fidelity:
        if {len(row) for row in self.matrix} | {len(self.matrix)} != {len(self.classes)}:
            raise ValueError("the matrix does not fit the classes")
        return self


class _Loss(_Record):
    held_out: Real
    train: Real
    low: Real
    high: Real
    n: Whole


class _Memorisation(_Record):
    excess: Real
    low: Real
    high: Real
    flagged: Whole
    n: Whole
    expected: Real
    train: Whole
    held_out: Whole
    spaces: list[Text]


class _SweepPoint(_Record):
    guidance: Real
    mean_distance: Real | None
    overall: _Distance | None
    fidelity: _Accuracy | None


class JudgementJson(_Record):
    """`judgement.json`; see `diffusion.judgement`."""

    model: _Model = _Model()
    samples: _Samples
    data: _Data
    distance: _Distances
    fidelity: _Fidelity | None
    loss: _Loss | None
    memorisation: _Memorisation
    sweep: list[_SweepPoint]


class _Leakage(_Record):
    known: bool = True
    leaked: Whole = 0


class _Hardware(_Record):
    cpu: Text = ""
    cores: Whole = 0
    threads: Whole = 0
    gpus: list[Text] = Field(default_factory=list)
    memory_gb: Whole | Real = 0


class TrainingJson(_Record):
    """`training.json` next to the weights, or `config.json` of a run; nothing in it must be there."""

    images_seen: Whole = 0
    seconds: Annotated[float, Field(ge=0, le=1e12)] = 0.0
    photographs: dict[Text, Counts] | None = None
    generated_images: Whole = 0
    selected_by: Text = ""
    leakage: _Leakage = _Leakage()
    hardware: _Hardware | Text | None = None
    init_from: Text | None = None
    precision: Text = ""
    split_fingerprint: Text = ""
    data_kind: Text = ""
    data: Text = ""
    licence: Text = ""
    credit: Text = ""
    settings: dict[str, object] | None = None
