"""The request refuses nonsense, survives JSON, and plans disjoint, complete shards."""

import dataclasses
import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.beginning import Beginning
from core.errors import UnknownClassError, UsageError
from core.generation import GenerationRequest, parse_counts, plan_class
from core.taxonomy import CLASS_CODES, image_seed


def request(**changes):
    return GenerationRequest(**{"counts": (("MEL", 4),), "models": Path("m"), "output": Path("o"), **changes})


def seeds(made_from, count, taken=frozenset()):
    return [image.seed for image in plan_class(made_from, "MEL", count, taken)]


def test_counts_come_in_canonical_order():
    assert parse_counts("nv=2, MEL=4") == (("MEL", 4), ("NV", 2))


def test_all_means_every_class():
    assert parse_counts("all=3") == tuple((code, 3) for code in CLASS_CODES)


@pytest.mark.parametrize(
    "text", ["MEL", "MEL=", "MEL=0", "MEL=-1", "MEL=x", "MEL=1,mel=2", "all=1,NV=2", "MEL=1.5", "MEL=²"]
)
def test_malformed_counts_are_usage_errors(text):
    with pytest.raises(UsageError):
        parse_counts(text)


def test_unknown_class_in_counts():
    with pytest.raises(UnknownClassError):
        parse_counts("XYZ=2")


@pytest.mark.parametrize(
    "wrong",
    [
        {"counts": ()},
        {"counts": (("MEL", 0),)},
        {"steps": 0},
        {"steps": 1001},
        {"sampler": "lms"},
        {"precision": "fp64"},
        {"seed": -1},
        {"seed": 2**31},
        {"guidance": -0.1},
        {"batch_size": 0},
        {"shard": (0, 2)},
        {"shard": (3, 2)},
        {"xai_every": -1},
    ],
)
def test_an_impossible_request_is_never_built(wrong):
    with pytest.raises(UsageError) as caught:
        request(**wrong)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("given", "steps"),
    [({}, 20), ({"preset": "default"}, 20), ({"preset": "fast"}, 6), ({"preset": "fast", "sampler": "ddpm"}, 6),
     ({"preset": "fast", "steps": 9}, 9)],
)  # fmt: skip
def test_a_preset_fills_in_what_is_not_said_and_is_gone(given, steps):
    made = request(**given)
    assert (made.steps, made.preset) == (steps, None)
    assert "preset" not in made.to_json()
    assert "--preset" not in made.arguments()


def test_an_unknown_preset_is_refused():
    with pytest.raises(UsageError, match="preset"):
        request(preset="slow")


def test_json_round_trip_keeps_everything():
    first = request(
        counts=(("MEL", 4), ("VASC", 1)), seed=None, guidance=1.5, shard=(2, 3), models=Path("m").absolute(),
        output=Path("o").absolute(), batch_size=8, color=False, trajectory=True, xai_every=5, precision="fp32",
        threads=3, start=(Beginning("image2image", ("a" * 64,), strength=0.5),),
    )  # fmt: skip
    again = GenerationRequest.from_json(json.loads(json.dumps(first.to_json())))
    assert again == first
    changed = {f.name for f in dataclasses.fields(first) if getattr(first, f.name) != getattr(request(), f.name)}
    assert changed == {f.name for f in dataclasses.fields(first)} - {
        "device",
        "sampler",
        "steps",
        "preset",
        "conditioning",
    }


def test_keys_of_a_newer_version_are_ignored():
    assert GenerationRequest.from_json({**request().to_json(), "hologram": True}).counts == (("MEL", 4),)


def test_seeds_follow_the_formula():
    assert seeds(request(), 3) == [image_seed("MEL", i, 42) for i in range(3)]


def test_images_that_exist_are_not_planned_again():
    taken = frozenset(seeds(request(), 3))
    assert seeds(request(), 2, taken) == [image_seed("MEL", i, 42) for i in (3, 4)]


@given(count=st.integers(0, 40), shards=st.integers(1, 7))
def test_shards_partition_the_unsharded_run(count, shards):
    parts = [seeds(request(shard=(i + 1, shards)), count) for i in range(shards)]
    assert sorted(itertools.chain(*parts)) == sorted(seeds(request(), count))


@given(count=st.integers(1, 20), shards=st.integers(1, 5))
def test_shards_run_one_after_the_other_into_one_folder_are_the_unsharded_run(count, shards):
    taken: set[int] = set()
    for i in range(shards):
        taken.update(seeds(request(shard=(i + 1, shards)), count, frozenset(taken)))
    assert taken == set(seeds(request(), count))


def test_a_random_seed_drawn_twice_is_drawn_again(monkeypatch):
    draws = iter([5, 5, 6, 5, 7])
    monkeypatch.setattr("core.generation.secrets.randbelow", lambda _: next(draws))
    assert seeds(request(seed=None), 2, frozenset({6})) == [5, 7]


def test_random_seeds_differ_and_stay_in_range():
    drawn = seeds(request(seed=None), 50)
    assert len(set(drawn)) == 50
    assert all(0 <= seed < 2**31 for seed in drawn)
