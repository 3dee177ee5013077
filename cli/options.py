"""Parameter types and options that several commands share."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, Final

import click

from core.errors import InputRefusedError, ISICGUIError, OutputError
from core.files.opening import special_kind
from core.generation import PRECISIONS
from core.registry import Registry
from core.samplers import DEFAULT_SAMPLER, SAMPLERS

_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR})


class GivenPath(click.Path):
    """A path that leads to a file, to a folder or to nothing yet.

    Pipes, sockets and devices are refused here, so that no command ever waits for one; so are paths that the system
    cannot follow. Whether it is the file or folder that is needed, the engine says, with the exit code that fits.

    Parameters
    ----------
    name
        For the help.
    dir_okay
        Whether it may be a folder.
    error
        What is raised: that of an input, or that of a place for an output.
    """

    def __init__(
        self, name: str = "path", error: type[ISICGUIError] = InputRefusedError, *, dir_okay: bool = True
    ) -> None:
        super().__init__(path_type=Path, dir_okay=dir_okay)
        self.name = name
        self._error = error

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        if kind := special_kind(path):
            raise self._error(
                f"'{path}' is {kind}, neither a file nor a folder.", remedy="Name a file or a folder.", path=path
            )
        self._require_reachable(path)
        return path

    def _require_reachable(self, path: Path) -> None:
        try:
            os.stat(path)
        except OSError as error:
            if error.errno not in _ABSENT:
                raise self._error(
                    f"'{path}' cannot be reached: {error.strerror}.", remedy="Check the path.", path=path
                ) from error


ANY_PATH = GivenPath()
FOLDER = GivenPath("directory")
OUTPUT_FOLDER = GivenPath("directory", OutputError)
FILE = GivenPath("file", dir_okay=False)
OUTPUT_FILE = GivenPath("file", OutputError, dir_okay=False)

json_option = click.option("--json", "json_mode", is_flag=True, help="Print events as JSON lines on standard output.")
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
models_option = click.option(
    "--models", type=FOLDER, help="Folder of models: checkpoints or diffusers folders [default: the starter models]."
)
guidance_option = click.option(
    "--guidance", type=float, help="Classifier-free guidance, 1 = none [default: the model's own]."
)
precision_option = click.option(
    "--precision", type=click.Choice(PRECISIONS), default="auto", show_default=True, help="Numeric precision."
)
no_color_option = click.option("--no-color", is_flag=True, help="Disable colour correction.")
classifier_option = click.option("--classifier", type=ANY_PATH, help="Classifier file or folder [default: starter].")
inputs_argument = click.argument("inputs", nargs=-1, required=True, type=ANY_PATH, metavar="IMAGE|FOLDER...")


class RegistryChoice(click.Choice):
    """One of the keys of a registry, those added later included."""

    def __init__(self, registry: Registry[Any]) -> None:
        self._registry = registry
        self.case_sensitive = True

    @property
    def choices(self) -> tuple[str, ...]:  # type: ignore[override]  # an attribute there
        """The keys."""
        return tuple(self._registry)


sampler_option = click.option(
    "--sampler",
    type=RegistryChoice(SAMPLERS),
    default=DEFAULT_SAMPLER,
    show_default=True,
    help="Denoising method.",
)
