"""Training of generators whose images are those of an autoencoder's latent space."""
