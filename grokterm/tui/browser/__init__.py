"""The screen with every run."""
