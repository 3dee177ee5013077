"""What several rooms of the window share: notices, keys, the shown picture."""
