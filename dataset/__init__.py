"""The output folder and what is made of it."""
