"""resnet_jax: a laboratory for residual learning."""

import sys

from resnet_jax import renamed

__version__ = "0.1.0"

sys.meta_path.append(renamed.Finder())
