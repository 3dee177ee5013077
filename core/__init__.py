"""The engine room: requests in, events out, images on disk. No Qt, no plots."""

import os

# Read when torch loads its thread library, so it must be set before. By default threads that wait for each other spin:
# measured on two cores shared with two other programs, a denoising step then took ten times as long as with sleeping.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
