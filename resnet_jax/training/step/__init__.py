"""The training step and what it is made of: state, objective, optimizer, learning rate."""
