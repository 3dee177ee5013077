"""Evaluation of a set of images, and its report."""
