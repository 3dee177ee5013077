"""Weights and networks on disk: packs, checkpoints, classifiers, and reading them safely."""
