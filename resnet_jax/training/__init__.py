"""Training: config, the pure step, devices, and the run with its session, loop and folder."""
