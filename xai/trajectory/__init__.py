"""Why an image became what it is: its denoising trajectory, explained step by step and put to the test."""
