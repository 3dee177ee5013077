"""Fetching the original checkpoints, or taking them from a file: resumed, checked, and nothing claimed too early."""
