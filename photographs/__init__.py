"""Labelled photographs: where they lie, how they are labelled, and how lesions are divided."""
