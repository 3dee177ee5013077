"""An output folder made into a data set that others can train on: planned, previewed, written whole or not at all."""
