"""Loaded models, kept by content."""
