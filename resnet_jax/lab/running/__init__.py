"""Carrying out the runs of a grid, here or on workers."""
