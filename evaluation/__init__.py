"""Is a synthetic set any good? Quality, memorisation, and whether it helps a classifier; no Qt."""
