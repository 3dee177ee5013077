"""Training settings: where values come from, and what a refused one says."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field, model_validator

from training.settings import Settings, SettingsRefusedError, load_settings, parse_assignments


class Oven(Settings):
    learning_rate: float = Field(1e-3, gt=0, le=1)
    widths: tuple[int, ...] = (8, 16)
    kind: Literal["gas", "wood"] = "gas"
    steps: int = Field(10, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Oven:
        if self.kind == "wood" and self.steps > 100:
            raise ValueError("steps must be at most 100 where kind is wood")
        return self


def test_flags_win_over_the_file_and_the_file_over_the_preset(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("steps = 30\nwidths = [4, 4]\n", encoding="utf-8")
    oven = load_settings(
        Oven, file=file, preset={"steps": 20, "learning_rate": 0.1, "widths": (1,)}, overrides={"steps": "40"}
    )
    assert (oven.steps, oven.learning_rate, oven.widths, oven.kind) == (40, 0.1, (4, 4), "gas")


def test_saved_settings_are_read_back_equal(tmp_path):
    oven = load_settings(Oven, overrides={"kind": "wood", "learning_rate": 0.25})
    (tmp_path / "config.json").write_text(oven.model_dump_json(), encoding="utf-8")
    assert load_settings(Oven, file=tmp_path / "config.json") == oven


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"lerning_rate": 1}, "no setting 'lerning_rate'; did you mean learning_rate?"),
        ({"zzz": 1}, "no setting 'zzz'."),
        ({"learning_rate": 0}, "learning_rate = 0: Input should be greater than 0."),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"steps": 1.5}, "steps = 1.5"),
        ({"kind": "coal"}, "'gas' or 'wood'"),
        ({"kind": "wood", "steps": 200}, "steps must be at most 100 where kind is wood."),
    ],
)
def test_unknown_and_impossible_settings_are_refused_by_name(values, words):
    with pytest.raises(SettingsRefusedError) as caught:
        load_settings(Oven, overrides=values)
    assert words in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["{", "[1]", '{"steps": }'])
def test_a_broken_file_is_named(tmp_path, text):
    file = tmp_path / "broken.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsRefusedError, match=r"broken\.json"):
        load_settings(Oven, file=file)


def test_assignments_are_json_where_they_can_be():
    assert parse_assignments(("widths=[1, 2]", "kind=wood", "steps = 5")) == {
        "widths": [1, 2], "kind": "wood", "steps": 5,
    }  # fmt: skip
    with pytest.raises(SettingsRefusedError, match="is not KEY=VALUE"):
        parse_assignments(("steps",))


@pytest.mark.parametrize("ending", [".toml", ".json"])
def test_a_file_nested_without_end_is_refused(tmp_path, ending):
    path = tmp_path / f"s{ending}"
    path.write_text("a = " * (ending == ".toml") + "[" * 100_000, encoding="utf-8")
    with pytest.raises(SettingsRefusedError):
        load_settings(Settings, file=path)
