"""How devices and processes run the step."""
