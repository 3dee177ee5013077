"""Set-up and inspection of the machine. Standard library only: it runs before anything is installed."""
