"""Executes the runs of a grid, in this process or on workers."""
