"""The run that is being trained beside the screen."""
