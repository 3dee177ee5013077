"""What everything stands on, and the generator. No Qt, no plots."""

import os
from typing import Final

ROOMS: Final = (
    "core", "dataset", "photographs", "measures", "training", "download", "legacy", "reports", "xai", "diffusion",
    "classifier", "evaluation", "cli", "gui", "web",
)  # fmt: skip
"""The top-level packages of the program."""

# Read when torch loads its thread library, so it must be set before. By default threads that wait for each other spin:
# measured on two cores shared with two other programs, a denoising step then took ten times as long as with sleeping.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
