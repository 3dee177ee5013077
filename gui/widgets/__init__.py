"""Small building blocks, one widget a file."""
