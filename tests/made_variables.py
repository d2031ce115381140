"""Variables drawn by NumPy: a network's own initialization compiles a program for each kernel."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from flax.traverse_util import flatten_dict, unflatten_dict


def made_variables(model, shape, seed=0, spread=0.1):
    """Variables of a network that takes inputs of a shape (without the batch).

    Kernels are normal with He's variance. Biases and running means are near 0, other leaves near 1;
    `spread` says how near, so that nothing is at a special value unless it is 0.
    """
    rng = np.random.default_rng(seed)
    shapes = jax.eval_shape(model.init, jax.random.key(0), jnp.zeros((1, *shape)))

    def draw(path, leaf):
        if path[-1] == "kernel":
            values = rng.standard_normal(leaf.shape) * math.sqrt(2 / math.prod(leaf.shape[:-1]))
        else:
            around = 0.0 if path[-1] in ("bias", "mean") else 1.0
            values = around + spread * rng.uniform(-1, 1, leaf.shape)
        return jnp.asarray(values.astype(np.float32))

    return unflatten_dict({path: draw(path, leaf) for path, leaf in flatten_dict(shapes).items()})
