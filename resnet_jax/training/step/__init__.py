"""One training step and all that it is a function of: state, loss, optimizer, learning rate."""
