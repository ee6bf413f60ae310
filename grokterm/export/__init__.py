"""Data out of a run: one file a format; `formats.py` lists them."""
