"""Small helpers without opinions: paths, atomic files, logging."""
