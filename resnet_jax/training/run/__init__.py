"""A training run: its session, loop, records, checkpoints and folder."""
