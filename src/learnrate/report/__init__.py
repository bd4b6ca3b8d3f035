"""Statistics of loss curves, and their plots: with matplotlib, with Plotly, on a terminal and for TensorBoard."""
