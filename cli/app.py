"""The `python main.py <command>` door: the command group and the one boundary where errors become exit codes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli.classify import classify
from cli.console import EXIT_INTERRUPTED, Console
from cli.curate import curate
from cli.data import data
from cli.derive import CommandGroup
from cli.doctor import doctor
from cli.evaluate import evaluate
from cli.experiments import experiments
from cli.explain import explain
from cli.export import export
from cli.generate import generate, resume
from cli.guided import image2image, inpaint, interpolate
from cli.models import models
from cli.reproduce import reproduce
from cli.streams import flush_standard_streams, silence_broken_streams
from cli.train import train
from cli.trajectory import trajectory
from cli.utility import utility
from cli.web import web
from core import keeping
from core.crash import write_report
from core.errors import ISICGUIError, OutputError
from core.utils.logger import setup_logging
from core.version import COMMAND, __version__

EPILOG = """
\b
Examples
  python main.py                                             the window
  python main.py --safe-mode                                 the window, with default settings and without the GPU
  python main.py generate --classes MEL=4,NV=2 --output demo
  python main.py explain demo/MEL --output demo/xai
  python main.py trajectory --class MEL --output demo-trajectory
  python main.py reproduce demo/MEL/ISIC_0000001.png
  python main.py evaluate --synthetic demo --real PHOTOS --output demo-evaluation
  python main.py export demo --to demo-set --format imagefolder
  python main.py train classifier --data PHOTOS --preset quick

Exit codes: 0 done, 2 wrong usage, 3 model or input refused, 4 output folder locked, unwritable or full,
130 interrupted with everything finished kept, 1 anything else.

Research only; never a diagnosis.
"""


@click.group(
    cls=CommandGroup,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="ISICGUI")
def cli() -> None:
    """Generate synthetic dermoscopic images, explain and reproduce them, and train the models on your photographs.

    Without a command the window opens.
    """


for command in (
    generate,
    image2image,
    inpaint,
    interpolate,
    resume,
    reproduce,
    explain,
    classify,
    trajectory,
    evaluate,
    curate,
    utility,
    export,
    data,
    train,
    experiments,
    models,
    web,
    doctor,
):
    cli.add_command(command)
cli.add_alias("runs", "experiments")


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code; every error ends here, in words."""
    setup_logging(console=False)
    try:
        code = _run(argv)
        flush_standard_streams()
    except BrokenPipeError:  # nobody reads what is said: there is nothing to say, and nobody to say it to
        code = 1
    return code if silence_broken_streams() else 1


def _run(argv: Sequence[str]) -> int:
    console = Console(json_mode="--json" in argv)
    with console.telling_of(keeping.__name__):
        return _carry_out(argv, console)


def _carry_out(argv: Sequence[str], console: Console) -> int:
    try:
        result = cli.main(list(argv), prog_name=_program(), standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        console.error("usage", error.format_message(), _usage_hint(error))
        return 2
    except ISICGUIError as error:
        _tell(console, error)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        console.error("interrupted", "Interrupted.", "Everything finished is kept.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  the boundary: an unexpected error becomes a report file
        console.error("unexpected", f"Unexpected error: {error!r}.", _report(error, argv))
        return 1
    return result if isinstance(result, int) else 0


def _tell(console: Console, error: ISICGUIError) -> None:
    try:
        console.error(error.kind, error.message, error.remedy)
    except OutputError:  # standard output cannot be written: that is what is told, where people read
        Console(json_mode=False).error(error.kind, error.message, error.remedy)


def _report(error: Exception, argv: Sequence[str]) -> str:
    try:
        return f"A crash report was saved to {write_report(error, argv)}."
    except OSError as problem:
        return f"No crash report could be saved ({problem.strerror or problem})."


def _program() -> str:
    """Return how this was called: by the command that pip installs, or as a script."""
    return COMMAND if Path(sys.argv[0]).stem == COMMAND else "python main.py"


def _usage_hint(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"See '{context.command_path if context else _program()} --help'."
