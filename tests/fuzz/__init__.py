"""Every kind of file that the program reads, mutated; `python -m tests.tools.fuzz` runs many, `test_fuzz.py` a few."""
