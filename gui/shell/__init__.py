"""The main window: its frame, its session, and the dialogs it opens."""
