"""The recipes of the papers, as their experiments make them at paper scale.

All numbers on the right stand in the papers and are written out here, none is read from ours:

  He et al. 2015, section 4.2: "weight decay of 0.0001 and momentum of 0.9 [...] a mini-batch size
    of 128 [...] a learning rate of 0.1, divide it by 10 at 32k and 48k iterations, and terminate
    training at 64k iterations"; "4 pixels are padded on each side, and a 32x32 crop is randomly
    sampled from the padded image or its horizontal flip"; "the per-pixel mean subtracted"; of 110
    layers: "0.01 to warm up the training until the training error is below 80% (about 400
    iterations), and then go back to 0.1".
  He et al. 2015, section 3.4, for ImageNet: "mini-batch size of 256. The learning rate starts from
    0.1 and is divided by 10 when the error plateaus, and the models are trained for up to 60x10^4
    iterations", with the same decay and momentum.
  He et al. 2016, appendix: the same, and "for all CIFAR experiments we warm up the training by
    using a smaller learning rate of 0.01 at the beginning 400 iterations".
  Zagoruyko and Komodakis 2016, section 3; Xie et al. 2017, section 5.3; Huang et al. 2016,
    section 4: see the tests.
"""

import functools
import itertools
from collections import Counter
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.stats
from made_sets import Cifar10, small_image

from resnet_jax import lab, models
from resnet_jax.lab.design import grid
from resnet_jax.training import config as configs
from resnet_jax.training.config.durations import Plan
from resnet_jax.training.run.session import load_dataset
from resnet_jax.training.step import optimizer as optimizers
from resnet_jax.training.step import schedule as schedules
from resnet_jax.training.step import state as states
from resnet_jax.training.step import step as steps

EXPERIMENTS = Path(__file__).parents[1] / "experiments"

ITERATIONS = (0, 399, 400, 31_999, 32_000, 47_999, 48_000, 63_999)
AT_ONCE = (0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001)
WARMED_UP = (0.01, 0.01, 0.1, 0.1, 0.01, 0.01, 0.001, 0.001)

OF_2015 = [("he2015_depth", "paper"), ("he2015_responses", "paper")]
OF_2016 = [
    ("he2016_activation", "paper"),
    ("he2016_depth", "paper"),
    ("he2016_depth", "cifar100"),
    ("he2016_shortcuts", "paper"),
]
ON_CIFAR = [*OF_2015, *OF_2016]
LATER = [
    ("wide", "paper"),
    ("cardinality", "paper"),
    ("stochastic_depth", "paper"),
    ("without_normalization", "paper"),
]
ON_IMAGENET = [("he2015_imagenet", "paper"), ("he2015_shortcuts", "paper")]

CIFAR_IMAGES, IMAGENET_IMAGES = 50_000, 1_281_167  # to train on


@functools.cache
def runs(name, scale):
    return grid.expand(lab.load(EXPERIMENTS / f"{name}.py").at_scale(scale))


def schedule_of(config, images=CIFAR_IMAGES):
    return schedules.from_config(config, images / config.train.batch_size)


def rates(config, iterations, images=CIFAR_IMAGES):
    schedule = schedule_of(config, images)
    return [float(schedule(jnp.int32(each))) for each in iterations]


@pytest.mark.parametrize(("name", "scale"), ON_CIFAR)
def test_learning_rates_and_lengths_on_cifar(name, scale):
    depths = set()
    for run in runs(name, scale):
        deep = run.config.model.name in ("plain110", "resnet110", "resnet1202")
        warmed_up = (name, scale) in OF_2016 or deep
        depths.add(run.config.model.name)
        expected = WARMED_UP if warmed_up else AT_ONCE
        assert rates(run.config, ITERATIONS) == pytest.approx(expected, rel=1e-6), run.name
        assert Plan.of(run.config, CIFAR_IMAGES).total == 64_000
        assert int(schedule_of(run.config).total) == 64_000
        assert run.config.train.batch_size == 128
    if name == "he2015_depth":
        assert depths >= {f"resnet{depth}" for depth in (20, 32, 44, 56, 110, 1202)}
        assert depths >= {f"plain{depth}" for depth in (20, 32, 44, 56, 110)}


@pytest.mark.parametrize(
    ("name", "images", "epochs", "drops", "factor"),
    [
        # "dropped by 0.2 at 60, 120 and 160 epochs and we train for total 200 epochs"
        ("wide", 50_000, 200, (60, 120, 160), 0.2),
        # "300 epochs, reducing the learning rate at the 150-th and 225-th epoch"
        ("cardinality", 50_000, 300, (150, 225), 0.1),
        # "500 epochs", divided by 10 after 250 and 375; 5,000 images are held out
        ("stochastic_depth", 45_000, 500, (250, 375), 0.1),
        ("without_normalization", 50_000, 200, (100, 150), 0.1),
    ],
)
def test_learning_rates_and_lengths_of_later_papers(name, images, epochs, drops, factor):
    for run in runs(name, "paper"):
        config = run.config
        assert config.train.batch_size == 128
        if run.axes.get("depth") == 1202:
            continue  # has a test of its own
        assert Plan.of(config, images).total == round(epochs * images / 128)
        assert rates(config, [0], images) == pytest.approx([0.1])
        for number, epoch in enumerate(drops):
            at = round(epoch * images / 128)
            expected = [0.1 * factor**number, 0.1 * factor ** (number + 1)]
            assert rates(config, [at - 1, at], images) == pytest.approx(expected, rel=1e-5)


def test_stochastic_depth_of_1202_layers_warms_up_and_is_shorter():
    """Huang et al. 2016, section 4: 300 epochs, the first 10 at a tenth of the rate."""
    epoch = 45_000 / 128
    for run in runs("stochastic_depth", "paper"):
        if run.axes["depth"] == 1202:
            assert Plan.of(run.config, 45_000).total == round(300 * epoch)
            at = [0, 9 * epoch, 11 * epoch, 149 * epoch, 151 * epoch, 226 * epoch]
            found = rates(run.config, [round(step) for step in at], 45_000)
            assert found == pytest.approx([0.01, 0.01, 0.1, 0.1, 0.01, 0.001], rel=1e-5)


@pytest.mark.parametrize(("name", "scale"), ON_IMAGENET)
def test_learning_rates_and_lengths_on_imagenet(name, scale):
    """When the rate drops is ours, after 30, 60 and 90 epochs: the paper watched the error."""
    for run in runs(name, scale):
        config = run.config
        assert config.train.batch_size == 256
        assert Plan.of(config, IMAGENET_IMAGES).total == 600_000
        epochs = [round(epoch * IMAGENET_IMAGES / 256) for epoch in (30, 60, 90)]
        iterations = [0, *itertools.chain(*((at - 1, at) for at in epochs)), 599_999]
        expected = [0.1, 0.1, 0.01, 0.01, 0.001, 0.001, 0.0001, 0.0001]
        assert rates(config, iterations, IMAGENET_IMAGES) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(("name", "scale"), [*ON_CIFAR, *LATER, *ON_IMAGENET])
def test_the_loss_is_the_plain_one_and_nothing_of_today_is_added(name, scale):
    for run in runs(name, scale):
        optimizer, data, train = run.config.optimizer, run.config.data, run.config.train
        assert (optimizer.name, optimizer.loss) == ("sgd", "cross_entropy")
        assert optimizer.label_smoothing == optimizer.clip_norm == optimizer.clip_value == 0
        assert data.mixup == data.cutmix == data.cutout == data.rotate == data.rand_augment == 0
        assert train.ema_decay == 0
        assert run.config.model.dtype == "float32"


@pytest.mark.parametrize(
    ("name", "each"),
    [
        ("he2015_depth", 5),  # of ResNet-110, "we run 5 times"; of the others we add four
        ("he2016_activation", 5),  # "median of 5 runs", as in all tables of the 2016 paper
        ("he2016_depth", 5),
        ("he2016_shortcuts", 5),
        ("wide", 5),  # "median of 5 runs"
        ("cardinality", 10),  # "averaged over 10 runs"
        ("he2015_imagenet", 1),
        ("he2015_shortcuts", 1),
    ],
)
def test_each_cell_is_run_so_often_with_seeds_of_its_own(name, each):
    cells = Counter(tuple(run.axes.items()) for run in runs(name, "paper"))
    assert set(cells.values()) == {each}
    for run in runs(name, "paper"):
        assert run.config.seed == run.seed
    assert len({(tuple(run.axes.items()), run.seed) for run in runs(name, "paper")}) == sum(
        cells.values()
    )


@pytest.fixture(scope="module")
def begun(papers_sets):
    """The state of the paper's ResNet-20 before its first step, and its data, by the real code."""
    (config, *_) = (
        run.config
        for run in runs("he2015_depth", "paper")
        if run.config.model.name == "resnet20" and run.seed == 0
    )
    config = configs.override(config, {"data.data_dir": str(papers_sets)})
    dataset = load_dataset(config)
    return states.create(config, dataset), dataset


def updated(optimizer, params, gradients, rate):
    """Parameters after an update for each of the gradients."""
    state = optimizer.transformation(rate).init(params)
    for gradient in gradients:
        updates, state = optimizer.transformation(rate).update(gradient, state, params)
        params = optax.apply_updates(params, updates)
    return params


def by_hand(weights, gradients, decay, nesterov, rate=0.1, momentum=0.9):
    """SGD as Sutskever et al. 2013 have it, where decay is part of the gradient."""
    weights, velocity = weights.astype(np.float64), np.zeros(weights.shape)
    for gradient in gradients:
        slope = gradient.astype(np.float64) + decay * weights
        velocity = momentum * velocity + slope
        weights = weights - rate * (slope + momentum * velocity if nesterov else velocity)
    return weights


@pytest.mark.parametrize(
    ("name", "scale", "decay", "nesterov"),
    [
        *((*each, 1e-4, False) for each in [*ON_CIFAR, *ON_IMAGENET]),
        ("wide", "paper", 5e-4, True),
        ("cardinality", "paper", 5e-4, True),
        ("stochastic_depth", "paper", 1e-4, True),
        ("without_normalization", "paper", 5e-4, False),
    ],
)
def test_momentum_and_weight_decay(name, scale, decay, nesterov):
    """Large weights and small gradients, so that a decay which is missing would show."""
    draw = np.random.default_rng(0)
    weights = {key: draw.normal(0, 50, 7).astype(np.float32) for key in ("kernel", "scale", "bias")}
    gradients = [
        {key: draw.normal(0, 0.01, 7).astype(np.float32) for key in weights} for _ in range(3)
    ]
    different = {run.config.optimizer.to_json(): run.config.optimizer for run in runs(name, scale)}
    for settings in different.values():
        optimizer = optimizers.from_config(settings)
        found = updated(optimizer, jax.tree.map(jnp.asarray, weights), gradients, 0.1)
        for key, value in weights.items():
            own = [each[key] for each in gradients]
            change = by_hand(value, own, decay, nesterov) - value
            np.testing.assert_allclose(found[key] - value, change, rtol=0.02, atol=4e-5)
            np.testing.assert_allclose(found[key], value + change, rtol=3e-7)


def test_without_a_gradient_every_parameter_of_a_network_shrinks_by_the_decay(begun):
    """Kernels, scales, biases: the papers except none."""
    state, _ = begun
    params = jax.tree.map(lambda leaf: leaf + 1, state.params)  # biases start at 0, which hides it
    still = jax.tree.map(jnp.zeros_like, params)
    transformation = state.optimizer.transformation(jnp.float32(0.1))
    updates, _ = transformation.update(still, transformation.init(params), params)
    shrunk = jax.tree_util.tree_leaves_with_path(jax.tree.map(lambda u, w: u / w, updates, params))
    assert {path[-1].key for path, _ in shrunk} == {"kernel", "scale", "bias"}
    for path, share in shrunk:
        np.testing.assert_allclose(
            share, -0.1 * 1e-4, rtol=1e-5, err_msg=jax.tree_util.keystr(path)
        )


def test_the_mean_image_of_the_training_split_is_subtracted(begun):
    """And one deviation divided by, for all pixels alike, where the paper does not divide."""
    state, dataset = begun
    stored = dict(Cifar10.SPLITS)["train"]
    images = np.stack([small_image("train", index) for index in range(stored)])
    mean = images.astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(state.inputs.mean, mean, rtol=1e-6)
    assert state.inputs.std.shape == (1,)
    np.testing.assert_allclose(state.inputs.std, (images - mean).std(), rtol=1e-6)
    tested = np.stack([small_image("test", index) for index in range(3)])
    seen = steps.normalize(state, jnp.asarray(tested))
    np.testing.assert_allclose(seen * state.inputs.std, tested - mean, rtol=1e-4, atol=1e-4)
    assert dataset.image_shape == (32, 32, 3)


@pytest.mark.parametrize("name", ["resnet8", "preact8"])
def test_a_network_whose_stem_has_a_norm_does_not_see_that_all_is_divided_by_one_number(name):
    """The first convolution has no bias, so the norm after it takes the number out again.

    All but for its epsilon, which is zero here; by a power of two, not even rounding differs. What
    the papers train on and what we do then differ in the running statistics of that one norm.
    """
    images = jax.random.normal(jax.random.key(1), (4, 8, 8, 3))

    def made(**settings):
        model = models.create(name, stage_sizes=(1,), widths=(8,), **settings)
        return model, models.initialize(model, jax.random.key(0), (8, 8, 3))

    def loss(params, model, others, divisor):
        logits, _ = model.apply(
            {"params": params, **others}, images / divisor, train=True, mutable=["batch_stats"]
        )
        return optax.softmax_cross_entropy_with_integer_labels(logits, jnp.arange(4)).mean()

    model, variables = made(epsilon=0.0)
    params = variables.pop("params")
    learnt = jax.jit(jax.value_and_grad(lambda *of: loss(of[0], model, *of[1:])))
    ours, papers = (learnt(params, variables, divisor) for divisor in (64.0, 1.0))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), ours, papers)
    model, variables = made(normalization="none")  # which does see it
    ours, papers = (loss(variables["params"], model, {}, divisor) for divisor in (64.0, 1.0))
    assert abs(ours - papers) > 0.01


CODED = np.stack(
    [*np.meshgrid(np.arange(32), np.arange(32), indexing="ij"), np.full((32, 32), 200)], -1
).astype(np.uint8)
"""A picture whose pixels say where they stand: (row, column, 200)."""


def test_crops_of_the_padded_image_or_its_mirror_image_with_equal_chances(begun):
    """Of the pixels that the step hands to the network, and with the mean image for padding."""
    state, _ = begun
    count = 4096
    batch = {"image": jnp.asarray(np.tile(CODED, (count, 1, 1, 1))), "label": jnp.zeros(count, int)}
    inputs = np.asarray(jax.jit(steps.inputs)(state, batch))
    mean, std = np.asarray(state.inputs.mean), np.asarray(state.inputs.std)
    padded = np.pad((CODED - mean) / std, ((4, 4), (4, 4), (0, 0)))
    crops = np.array(
        [
            [crop, crop[:, ::-1]]
            for top, left in itertools.product(range(9), range(9))
            for crop in [padded[top : top + 32, left : left + 32]]
        ]
    ).reshape(162, -1)
    flat = inputs.reshape(count, -1)
    distance = (flat**2).sum(1)[:, None] - 2 * flat @ crops.T + (crops**2).sum(1)
    found = distance.argmin(axis=1)
    np.testing.assert_allclose(flat, crops[found], atol=1e-5)
    counts = np.bincount(found, minlength=162).reshape(81, 2)
    assert (counts.sum(1) > 0).all()  # all the 81 corners
    assert scipy.stats.binomtest(int(counts[:, 1].sum()), count).pvalue > 1e-3
    assert scipy.stats.chisquare(counts.ravel()).pvalue > 1e-3


@pytest.mark.parametrize(("name", "scale"), [*ON_CIFAR, *LATER])
def test_all_of_cifar_is_augmented_so(name, scale):
    for run in runs(name, scale):
        data = run.config.data
        assert (data.crop_padding, data.flip) == (4, True)
        assert data.name == ("cifar100" if scale == "cifar100" else "cifar10")
        assert data.normalize == ("channel" if name in ("wide", "cardinality") else "pixel")
        assert data.train_split == ("train[:45000]" if name == "stochastic_depth" else "")
