"""Leaving out images of a synthetic set, by rules and with every decision written down."""
