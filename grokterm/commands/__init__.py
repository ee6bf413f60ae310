"""The sub-commands: one file a command, one small function in it. `cli.py` puts them together."""
