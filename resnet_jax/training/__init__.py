"""Training: the state, the objective, the pure step, checkpoints and the loop."""
