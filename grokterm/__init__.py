"""Watch and steer small neural networks while they grok, in the terminal."""

__version__ = "0.1.0"
