"""Networks with units dropped, against networks whose parameters or units say the same."""

import jax
import numpy as np
import pytest
from flax.traverse_util import flatten_dict, unflatten_dict
from made_variables import made_variables

from resnet_jax.errors import UserError
from resnet_jax.models import ResNet, create, from_settings
from resnet_jax.probes.lesion import droppable, each_lesion, lesioned_logits

IMAGES = np.random.default_rng(1).standard_normal((3, 8, 8, 3), np.float32)
UNITS = ("stage1/unit01", "stage1/unit02", "stage2/unit01", "stage2/unit02")


def tiny(**settings) -> ResNet:
    return from_settings(**{"stage_sizes": (2, 2), "widths": (4, 6), "num_classes": 5} | settings)


def trained(model: ResNet) -> dict:
    """Variables in which nothing is at its initial value."""
    return made_variables(model, IMAGES.shape[1:], spread=0.4)


def silenced(variables: dict, *places: str) -> dict:
    """The same with zeros for the parameters under these paths."""
    flat = flatten_dict(variables, sep="/")
    below = tuple(f"params/{place}" for place in places)
    silent = {path: leaf * (not path.startswith(below)) for path, leaf in flat.items()}
    return unflatten_dict(silent, sep="/")


def test_with_none_dropped_it_is_the_network():
    model = tiny(shortcut="none")
    variables = trained(model)
    logits = lesioned_logits(model, variables, IMAGES, ())
    expected = jax.jit(model.apply)(variables, IMAGES)
    np.testing.assert_allclose(logits, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "end"),
    [
        ({"shortcut": "A"}, "norm2"),
        ({"shortcut": "B", "branch": "bottleneck"}, "norm3"),
        ({"shortcut": "B", "order": "preactivation"}, "conv2"),
        ({"shortcut": "C", "normalization": "none"}, "conv2"),
        ({"shortcut": "A", "normalization": "none", "branch_scale": "fixup"}, "scale"),
        (
            {"shortcut": "scaled", "shortcut_scale": 0.5, "branch_scale": "rezero"},
            "scale",
        ),
    ],
)
def test_a_dropped_residual_unit_is_one_whose_branch_ends_in_zeros(settings, end):
    model = tiny(**settings)
    variables = trained(model)
    apply = jax.jit(model.apply)
    intact = apply(variables, IMAGES)
    logits = lesioned_logits(model, variables, IMAGES, ())
    np.testing.assert_allclose(logits, intact, rtol=1e-5, atol=1e-5)
    for unit, logits in each_lesion(model, variables, IMAGES).items():
        expected = apply(silenced(variables, f"{unit}/{end}"), IMAGES)
        np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5, err_msg=unit)
        assert not np.allclose(logits, intact, rtol=1e-2), unit


@pytest.mark.parametrize("shortcut", ["none", "A"])
def test_a_dropped_unit_that_keeps_the_shape_leaves_a_shallower_network(shortcut):
    """In original order too: what a residual one passes on, a ReLU has made positive before."""
    deep, shallow = (tiny(stage_sizes=sizes, shortcut=shortcut) for sizes in ((3, 2), (2, 2)))
    variables = trained(deep)
    renamed = {
        path.replace("stage1/unit03", "stage1/unit02"): leaf
        for path, leaf in flatten_dict(variables, sep="/").items()
        if "stage1/unit02" not in path
    }
    expected = jax.jit(shallow.apply)(unflatten_dict(renamed, sep="/"), IMAGES)
    logits = lesioned_logits(deep, variables, IMAGES, ("stage1/unit02",))
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)


def test_several_units_drop_together_in_any_order():
    model = tiny(shortcut="B")
    variables = trained(model)
    pair = ("stage2/unit02", "stage1/unit01")
    silent = silenced(variables, *(f"{unit}/norm2" for unit in pair))
    logits = lesioned_logits(model, variables, IMAGES, pair)
    expected = jax.jit(model.apply)(silent, IMAGES)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(logits, lesioned_logits(model, variables, IMAGES, pair[::-1]))


def test_each_lesion_is_that_unit_alone():
    model = tiny(shortcut="none")
    variables = trained(model)
    lesions = each_lesion(model, variables, IMAGES)
    assert tuple(lesions) == droppable(model)
    for unit, logits in lesions.items():
        np.testing.assert_array_equal(logits, lesioned_logits(model, variables, IMAGES, [unit]))


def test_statistics_stay_and_images_do_not_meet():
    model = tiny()
    variables = trained(model)
    before = jax.tree.map(np.array, variables)
    together = lesioned_logits(model, variables, IMAGES, UNITS[1:2])
    alone = lesioned_logits(model, variables, IMAGES[:1], UNITS[1:2])
    np.testing.assert_allclose(together[:1], alone, rtol=1e-5, atol=1e-5)
    jax.tree.map(np.testing.assert_array_equal, variables, before)


def test_every_residual_unit_can_be_dropped_and_plain_ones_that_keep_the_shape():
    assert droppable(tiny()) == UNITS
    assert droppable(tiny(shortcut="B", branch="bottleneck")) == UNITS
    assert droppable(tiny(shortcut="none")) == tuple(unit for unit in UNITS if unit != UNITS[2])
    assert droppable(tiny(shortcut="none", branch="bottleneck")) == UNITS[1::2]
    assert len(droppable(create("preact110"))) == 54


def test_a_deeper_network_compiles_nothing_further():
    shallow, deep = tiny(), tiny(stage_sizes=(4, 3))
    variables = trained(deep)
    each_lesion(shallow, trained(shallow), IMAGES)
    compiled = []
    listen = lambda event, duration, **_: compiled.append(event)
    jax.monitoring.register_event_duration_secs_listener(listen)
    each_lesion(deep, variables, IMAGES)
    assert not [event for event in compiled if event.endswith("backend_compile_duration")]
    jax.jit(lambda x: x + 43)(0)
    assert [event for event in compiled if event.endswith("backend_compile_duration")]


@pytest.mark.parametrize(
    ("settings", "unit", "message"),
    [
        ({}, "stage2/unit09", r"no unit 'stage2/unit09'; did you mean 'stage2/unit0"),
        ({}, "stem", r"no unit 'stem'"),
        ({"shortcut": "none"}, "stage2/unit01", r"plain unit 'stage2/unit01' changes the shape"),
    ],
)
def test_what_cannot_be_dropped_is_refused(settings, unit, message):
    model = tiny(**settings)
    with pytest.raises(UserError, match=message):
        lesioned_logits(model, trained(model), IMAGES, (unit,))
