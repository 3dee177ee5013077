"""What other programs wrote: Keras files and their weights."""
