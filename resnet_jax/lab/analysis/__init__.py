"""What records say: claims and verdicts, tables, growth along depth."""
