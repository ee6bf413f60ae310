"""`python -m grokterm` is the same program as `grokterm`."""

from grokterm.cli import main

main()
