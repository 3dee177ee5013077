"""Everything that runs beside the GUI thread: the engine's process, threads that relay its events, small tasks."""
