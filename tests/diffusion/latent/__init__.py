"""Training on latent images."""
