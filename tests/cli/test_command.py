"""A request as a command line, parsed again by the command line itself."""

from __future__ import annotations

import random
import shlex
import sys
from pathlib import Path

import click
import pytest

from cli.app import cli
from cli.derive import request_of
from cli.generate import conditioning_of, generate
from core.generation import PRECISIONS, GenerationRequest, order_counts
from core.samplers import SAMPLERS
from core.taxonomy import CLASS_CODES, SEED_MASK
from core.utils.shell import shell_line


def parsed(arguments: list[str]) -> GenerationRequest:
    """What `python main.py <arguments>` would carry out."""
    with click.Context(cli, info_name="main.py") as outer:
        name, command, rest = cli.resolve_command(outer, arguments)
        assert command is generate
        values = dict(command.make_context(name, rest, parent=outer).params)
    assert values.pop("json_mode") is False
    conditioning = conditioning_of(values)
    return request_of(GenerationRequest, {**values, "conditioning": conditioning})


def any_request(seed: int, folder: Path) -> GenerationRequest:
    pick = random.Random(seed)
    codes = pick.sample(CLASS_CODES, pick.randint(1, len(CLASS_CODES)))
    shards = pick.randint(1, 5)
    return GenerationRequest(
        counts=order_counts({code: pick.randint(1, 5000) for code in codes}),
        models=folder / "models of 'mine'",
        output=folder / pick.choice(["out", "мои снимки", 'a b"c', "-x", "50%"]),
        seed=pick.choice([None, 0, SEED_MASK, pick.randint(0, SEED_MASK)]),
        sampler=pick.choice(list(SAMPLERS)),
        steps=pick.randint(1, 1000),
        guidance=pick.choice([None, 0.0, 1.0, 2.5, pick.uniform(0, 50)]),
        device=pick.choice(["auto", "cpu", "cuda", "cuda:3"]),
        precision=pick.choice(PRECISIONS),
        batch_size=pick.choice([None, 1, 64]),
        color=pick.choice([True, False]),
        xai_every=pick.choice([0, 10]),
        trajectory=pick.choice([True, False]),
        shard=(pick.randint(1, shards), shards),
    )


@pytest.mark.parametrize("seed", range(60))
def test_parsing_the_command_gives_the_request_back(seed, tmp_path):
    request = any_request(seed, tmp_path)
    assert parsed(request.arguments()) == request
    words = shlex.split(shell_line(request.arguments(), windows=False))
    assert Path(words[0]) == Path(sys.executable)
    assert Path(words[1]).name == "main.py"
    assert Path(words[1]).is_file()
    assert parsed(words[2:]) == request


def test_the_number_of_threads_goes_with_it(tmp_path):
    request = GenerationRequest((("MEL", 4),), tmp_path, tmp_path, threads=3)
    assert parsed(request.arguments()) == request


def test_what_is_left_out_is_the_default_of_the_command_line(tmp_path):
    request = GenerationRequest((("MEL", 4),), tmp_path / "models", tmp_path / "out")
    arguments = request.arguments()
    assert arguments == [
        "generate", "--classes", "MEL=4", "--models", str(tmp_path / "models"), "--output", str(tmp_path / "out"),
        "--seed", "42", "--sampler", "dpmpp-2m-sde", "--steps", "20",
    ]  # fmt: skip
    assert parsed(arguments) == request


def test_a_folder_with_spaces_is_quoted_for_windows_too(tmp_path):
    line = shell_line(GenerationRequest((("MEL", 4),), tmp_path, Path("/my images")).arguments(), windows=True)
    assert f'--output "{Path("/my images").absolute()}"' in line
