"""Measurements behind the experiments that are not plain training runs.

Each is a pure function from numbers to what a run leaves: its final measures and its records. The
networks are the simplest that a theory speaks of, of units that all have one shape.
"""
