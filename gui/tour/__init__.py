"""A short walk through the window for whoever sees it for the first time."""
