"""View models: what the window knows, as objects with signals and without widgets."""
