"""The command line: ``learnrate sweep``."""

from learnrate.cli.main import main

__all__ = ["main"]
