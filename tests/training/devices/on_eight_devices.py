"""Trains one network under each mapping, on eight virtual devices; run by test_mapping.py.

    python on_eight_devices.py default OUT.pkl
    python on_eight_devices.py slow OUT.pkl

JAX fixes the number of devices when it starts, so this needs a process of its own.
"""

import os

os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"

import pickle
import sys

import jax
import numpy as np
from jax.flatten_util import ravel_pytree

from resnet_jax.errors import UserError
from resnet_jax.training import config as configs
from resnet_jax.training.devices import mapping as mappings
from resnet_jax.training.run.compilation import use_cache
from resnet_jax.training.run.session import Session
from resnet_jax.training.step import state as states
from resnet_jax.training.step.objective import objective
from resnet_jax.training.step.replicas import Replicas
from resnet_jax.training.step.step import inputs

STEPS = 20
BASE = {
    "model.name": "resnet8",
    "model.stage_sizes": (1,),  # one unit: mappings do not depend on the network
    "model.widths": (8,),
    "data.name": "synthetic",
    "data.synthetic.num_train": 96,
    "data.synthetic.num_test": 20,
    "data.crop_padding": 1,
    "data.flip": True,
    "train.steps": STEPS,
    "train.batch_size": 32,
    "train.eval_batch_size": 12,
    "optimizer.learning_rate": 0.03,
}
ONE = {"devices.count": 1}
PMAP = {"devices.mapping": "pmap"}
OWN = {"devices.batch_stats": "per_replica"}
PARTS = {"train.accumulate": 2, "train.ema_decay": 0.9}
RUNS = {
    "one": ONE,
    "jit": {},
    "pmap": PMAP,
    "jit, own statistics": OWN,
    "pmap, own statistics": PMAP | OWN,
}
SLOW_RUNS = {
    "one, two parts": ONE | PARTS,
    "jit, two parts": PARTS,
    "pmap, two parts": PMAP | PARTS,
}

compilations = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, *_, **__: (
        event.endswith("backend_compile_duration") and compilations.append(event)
    )
)


def session_of(settings):
    return Session(configs.override(configs.base(), BASE | settings))


def train(settings, batch_of=lambda batch: batch):
    """The results of 20 steps and an evaluation."""
    session = session_of(settings)
    mapping, dataset, state = session.mapping, session.dataset, session.fresh()
    losses, counts = [], []
    for step in range(STEPS):
        batch = mapping.batch(batch_of(dataset.train_batch(step)))
        before = len(compilations)
        state, metrics = session.train_step(state, batch)
        losses.append(float(metrics["loss"]))
        counts.append(len(compilations) - before)
    tested = [session.evaluate(state, "test")]
    before = len(compilations)
    tested.append(session.evaluate(state, "test"))
    again = len(compilations) - before
    whole = mapping.collect(state)
    return {
        "losses": np.array(losses),
        "params": np.asarray(ravel_pytree(whole.params)[0]),
        "batch_stats": np.asarray(ravel_pytree(whole.batch_stats)[0]),
        "ema": None if whole.ema is None else np.asarray(ravel_pytree(whole.ema)[0]),
        "key": np.asarray(jax.random.key_data(whole.key)),
        "step": int(whole.step),
        "tested": tested,
        "compiled_steps": counts,
        "compiled_again": again,
        "devices": len(mapping.devices),
    }


def by_shards():
    """The first step with statistics per replica, computed replica by replica."""
    session = session_of(ONE)
    state = states.create(session.config, session.dataset)
    batch = session.dataset.train_batch(0)
    images = inputs(state, batch).reshape(8, 4, 8, 8, 1)
    labels = batch["label"].reshape(8, 4)
    momentum, gradients, means, variances = state.model.momentum, [], [], []
    differentiate = jax.jit(jax.value_and_grad(objective, has_aux=True))
    old = ravel_pytree(_named(state.batch_stats, "mean"))[0]
    old_var = ravel_pytree(_named(state.batch_stats, "var"))[0]
    for shard in range(8):
        (_, (after, _)), found = differentiate(state.params, state, images[shard], labels[shard])
        gradients.append(ravel_pytree(found)[0])
        mean = ravel_pytree(_named(after, "mean"))[0]
        var = ravel_pytree(_named(after, "var"))[0]
        means.append((mean - momentum * old) / (1 - momentum))
        variances.append((var - momentum * old_var) / (1 - momentum))
    total = np.mean(variances, axis=0) + np.var(means, axis=0)
    return {
        "gradient_norm": float(np.linalg.norm(np.mean(gradients, axis=0))),
        "mean": np.asarray(momentum * old + (1 - momentum) * np.mean(means, axis=0)),
        "var": np.asarray(momentum * old_var + (1 - momentum) * total),
        "mean of variances": np.asarray(
            momentum * old_var + (1 - momentum) * np.mean(variances, axis=0)
        ),
    }


def first_step(settings):
    session = session_of(settings)
    state, metrics = session.train_step(session.fresh(), session.batch(1))
    stats = session.mapping.collect(state).batch_stats
    return {
        "gradient_norm": float(metrics["gradient_norm"]),
        "mean": np.asarray(ravel_pytree(_named(stats, "mean"))[0]),
        "var": np.asarray(ravel_pytree(_named(stats, "var"))[0]),
    }


def overflow(settings):
    """What a step in float16 changes if its loss scale is too large."""
    session = session_of({"model.dtype": "float16"} | settings)
    mapping = session.mapping
    state = states.create(session.config, session.dataset)
    scale = state.loss_scale.replace(scale=np.float32(2.0**127))
    before = np.asarray(ravel_pytree((state.params, state.batch_stats, state.opt_state))[0])
    state = mapping.place(state.replace(loss_scale=jax.tree.map(jax.numpy.asarray, scale)))
    state, metrics = session.train_step(state, session.batch(1))
    scales = [float(x.data.ravel()[0]) for x in state.loss_scale.scale.addressable_shards]
    after = mapping.collect(state)
    learned = ravel_pytree((after.params, after.batch_stats, after.opt_state))[0]
    return {
        "skipped": float(metrics["skipped"]),
        "scales": scales,
        "moved": float(np.abs(before - np.asarray(learned)).max()),
    }


def _named(stats, name):
    if name in stats:
        return stats[name]
    return {key: _named(below, name) for key, below in stats.items()}


def with_mistake(mean, settings):
    """The same 20 steps with another function in place of the mean over replicas."""
    right = Replicas.mean
    Replicas.mean = mean
    _forget()
    try:
        return train(settings)
    finally:
        Replicas.mean = right
        _forget()


def _forget():
    """Programs compiled with another mean must not be used."""
    mappings._mapping.cache_clear()
    jax.clear_caches()


def refused(settings):
    try:
        session_of(settings)
    except UserError as error:
        return str(error)
    return ""


def default():
    return {name: train(settings) for name, settings in RUNS.items()} | {
        "first, by shards": by_shards(),
        "first, jit": first_step(OWN),
        "first, pmap": first_step(PMAP | OWN),
        "refused": {
            "batch": refused({"train.batch_size": 30}),
            "parts": refused({"train.batch_size": 24, "train.accumulate": 2}),
            "count": refused({"devices.count": 9}),
            "probes": refused(PMAP | {"probe.steps": (0,)}),
        },
    }


def slow():
    # Another order of a batch's examples changes only how sums round. Pairs stay together, since
    # the two of a pair belong to different parts.
    backwards = lambda batch: {
        name: array.reshape(-1, 2, *array.shape[1:])[::-1].reshape(array.shape)
        for name, array in batch.items()
    }
    still = ONE | {"data.crop_padding": 0, "data.flip": False}
    orders = (lambda batch: batch), backwards
    found = {name: train(settings) for name, settings in SLOW_RUNS.items()}
    found["rounding"] = [train(still, order) for order in orders]
    found["rounding, two parts"] = [train(still | PARTS, order) for order in orders]
    found["overflow"] = overflow(PMAP | OWN)
    # Last, since these clear the caches of compiled programs.
    found["no mean"] = with_mistake(lambda self, tree: tree, PMAP)
    found["sum"] = with_mistake(
        lambda self, tree: jax.tree.map(lambda x: 2 * jax.lax.pmean(x, self.axis), tree), PMAP
    )
    return found


if __name__ == "__main__":
    use_cache()
    which, out = sys.argv[1:]
    with open(out, "wb") as file:
        pickle.dump({"default": default, "slow": slow}[which](), file)
