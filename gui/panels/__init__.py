"""The regions of the window, one a file."""
