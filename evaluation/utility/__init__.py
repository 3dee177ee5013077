"""Does the synthetic data help a classifier? The downstream experiment, with the arms that make it fair."""
