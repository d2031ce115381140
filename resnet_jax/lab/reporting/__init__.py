"""Pages and tables for readers: reports, comparisons, the index of all experiments."""
