"""Experiment: one cell of the grid, from its choices to its recorded result."""
