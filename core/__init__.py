"""The engine room: requests in, events out, images on disk. No Qt, no plots."""
