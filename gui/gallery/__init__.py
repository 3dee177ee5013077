"""The images of an output folder: gallery, picture, denoising, comparison, trash, export."""
