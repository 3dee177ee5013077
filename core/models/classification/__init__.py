"""Classifiers on disk: their networks, their record, how pixels are fed to them, and reading them safely."""
