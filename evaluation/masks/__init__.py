"""Does an image show the lesion that a mask asked for? A real segmenter, three old heuristics, and their overlap."""
