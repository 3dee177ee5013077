"""Many pictures in one file: contact sheets, film strips, animations."""
