"""Statistics of loss curves, and their drawings: static (matplotlib) and on a terminal (Rich)."""
