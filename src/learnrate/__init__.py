"""learnrate shows what the learning rate does."""

__version__ = "0.1.0.dev0"
