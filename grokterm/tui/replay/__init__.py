"""A recorded run on the live screen, driven by a playhead."""
