"""resnet_jax: a laboratory for residual learning."""

__version__ = "0.1.0"
