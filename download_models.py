"""Fetch the original checkpoints: `python download_models.py [--to DIR] [--from-file ZIP|FOLDER] [--url URL] [...]`.

The same as `python main.py models download`, set up first if need be. Written so that every Python 3 can read it.
"""

# ruff: noqa: UP030, UP032, UP036 - those would turn the message for old Pythons into something they cannot read

import sys

if sys.version_info < (3, 10):
    sys.exit(
        "ISICGUI needs Python 3.10 or newer; this is Python {0}.{1} ({2}).\n"
        "Install a newer one (python.org, or your system's package manager) and run the same command again.".format(
            sys.version_info[0], sys.version_info[1], sys.executable
        )
    )

COMMAND = ["models", "download"]

if __name__ == "__main__":
    import main

    if main.complaint(COMMAND) is None:  # this Python has everything: an environment of one's own is left alone
        sys.exit(main.main(COMMAND + sys.argv[1:]))

    from core.environment.launcher import main as set_up_and_run

    sys.exit(set_up_and_run(COMMAND + sys.argv[1:]))
