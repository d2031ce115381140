"""Checks annotations at run time, shapes and dtypes included (jaxtyping and beartype)."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as for mypy
