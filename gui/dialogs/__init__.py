"""Questions and bad news, one dialog a file."""
