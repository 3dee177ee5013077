"""From a request to finished images."""
