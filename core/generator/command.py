"""The command line that carries out a request: what a window does, a script or a cluster can do again."""

from __future__ import annotations

import os

from core.generator.request import GenerationRequest
from core.utils.path_manager import PathManager
from core.utils.shell import shell_line


def command_arguments(request: GenerationRequest, threads: int = 0) -> list[str]:
    """Return the arguments of `python main.py` that ask for exactly this request.

    What decides the pictures is always written out, so that the command still means the same when defaults change.

    Parameters
    ----------
    threads
        Processor threads to compute with, which the last bits of the pictures depend on; 0 for the usual number.
    """
    arguments = ["generate", "--classes", ",".join(f"{code}={count}" for code, count in request.counts)]
    arguments += ["--output", str(request.output.absolute()), "--models", str(request.models.absolute())]
    arguments += ["--seed", "random" if request.seed is None else str(request.seed)]
    arguments += ["--sampler", request.sampler, "--steps", str(request.steps)]
    for flag, value, usual in (
        ("--guidance", request.guidance, None),
        ("--device", request.device, "auto"),
        ("--precision", request.precision, "auto"),
        ("--batch-size", request.batch_size, None),
        ("--xai-every", request.xai_every, 0),
        ("--shard", "{}/{}".format(*request.shard), "1/1"),
        ("--threads", threads, 0),
    ):
        arguments += [] if value == usual else [flag, str(value)]
    arguments += ["--trajectory"] if request.trajectory else []
    return arguments if request.color else [*arguments, "--no-color"]


def command_line(
    request: GenerationRequest,
    paths: PathManager | None = None,
    *,
    threads: int = 0,
    windows: bool = os.name == "nt",
) -> str:
    """Return one line for a terminal, in any folder, that carries out a request.

    Parameters
    ----------
    threads
        As in `command_arguments`.
    windows
        Quote as Windows' own command prompt expects it.
    """
    return shell_line(command_arguments(request, threads), paths, windows=windows)
