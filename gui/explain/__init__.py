"""Explanations of images and whole analyses."""
