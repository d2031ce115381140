"""What an experiment is: its axes, seeds, claims and figures, and the grid of runs they make."""
