"""The command line that makes an export."""

from __future__ import annotations

from pathlib import Path

from dataset.export.options import DEFAULT_SALT, NO_SPLIT, ExportOptions


def export_arguments(output: Path, options: ExportOptions) -> list[str]:
    """Return the arguments of `python main.py` that export a folder so; what decides the files is written out."""
    split = NO_SPLIT if options.split is None else "/".join(map(str, options.split))
    arguments = ["export", str(output.absolute()), "--to", str(options.target), "--format", options.format]
    arguments += ["--split", split]
    arguments += ["--rating", str(options.rating)] if options.rating else []
    arguments += ["--classes", ",".join(options.classes)] if options.classes else []
    arguments += ["--curation", str(options.curation)] if options.curation is not None else []
    arguments += ["--salt", options.salt] if options.salt != DEFAULT_SALT else []
    return [*arguments, "--zip"] if options.zip else arguments
