"""Analysis of the records: claims, tables, growth along depth, rankings."""
