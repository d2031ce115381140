"""The design of an experiment: axes, seeds, claims and figures, and the grid of its runs."""
