"""Running the step on devices and in several processes."""
