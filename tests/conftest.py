"""Loaded before any test imports torch."""

import core  # noqa: F401  # sets how torch's threads wait
