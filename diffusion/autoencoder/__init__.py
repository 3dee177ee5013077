"""Autoencoders in training: photographs to small latent images and back. Used by `core.models.networks`."""
