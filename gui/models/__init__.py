"""Model packs: what there is, and getting more."""
