"""Set up what is missing, then start ISICGUI: `python bootstrap.py [command ...]`, or `test` for the checks.

This file is written so that every Python 3 can read it: an old one then says what is wrong with it.
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

if __name__ == "__main__":
    from core.environment.launcher import main

    sys.exit(main(sys.argv[1:]))
