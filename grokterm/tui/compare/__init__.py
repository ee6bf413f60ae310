"""Several runs on the same panels."""
