"""Networks by name, their published figures, and what they are made of."""
