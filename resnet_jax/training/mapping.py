"""How devices map the step: compiled functions made of the pure ones.

The state is donated: a step writes the new one where the old one was, and the old one is gone.
"""

import jax

from resnet_jax.training.step import eval_step, measure, probed_step, train_step

compiled_train_step = jax.jit(train_step, donate_argnums=0)
compiled_probed_step = jax.jit(probed_step, donate_argnums=0, static_argnames="sites")
compiled_measure = jax.jit(measure, static_argnames="sites")
compiled_eval_step = jax.jit(eval_step)
