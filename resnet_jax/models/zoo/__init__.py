"""Networks by name, with published results, parameter counts and multiply-adds."""
