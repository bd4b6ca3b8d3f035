"""The linear model and its engines. All engines give the same curves, at different speeds."""
