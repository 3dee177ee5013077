"""Requests and runs: what is asked for, the queue, progress."""
