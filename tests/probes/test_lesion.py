"""Networks with dropped units, compared with equivalent networks."""

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
    """Variables none of which are at their initial value."""
    return made_variables(model, IMAGES.shape[1:], spread=0.4)


def silenced(variables: dict, *places: str) -> dict:
    """The variables with zeros for the parameters under some paths."""
    flat = flatten_dict(variables, sep="/")
    below = tuple(f"params/{place}" for place in places)
    silent = {path: leaf * (not path.startswith(below)) for path, leaf in flat.items()}
    return unflatten_dict(silent, sep="/")


def test_logits_without_lesion_are_those_of_the_network():
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
def test_dropping_a_residual_unit_equals_zeroing_the_end_of_its_branch(settings, end):
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
def test_dropping_a_unit_of_constant_shape_gives_the_shallower_network(shortcut):
    """Also in the original order: the input of a residual unit is not negative, so f leaves it."""
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


def test_several_units_can_be_dropped_in_any_order():
    model = tiny(shortcut="B")
    variables = trained(model)
    pair = ("stage2/unit02", "stage1/unit01")
    silent = silenced(variables, *(f"{unit}/norm2" for unit in pair))
    logits = lesioned_logits(model, variables, IMAGES, pair)
    expected = jax.jit(model.apply)(silent, IMAGES)
    np.testing.assert_allclose(logits, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(logits, lesioned_logits(model, variables, IMAGES, pair[::-1]))


def test_each_lesion_drops_one_unit():
    model = tiny(shortcut="none")
    variables = trained(model)
    lesions = each_lesion(model, variables, IMAGES)
    assert tuple(lesions) == droppable(model)
    for unit, logits in lesions.items():
        np.testing.assert_array_equal(logits, lesioned_logits(model, variables, IMAGES, [unit]))


def test_running_statistics_are_used_and_not_updated():
    model = tiny()
    variables = trained(model)
    before = jax.tree.map(np.array, variables)
    together = lesioned_logits(model, variables, IMAGES, UNITS[1:2])
    alone = lesioned_logits(model, variables, IMAGES[:1], UNITS[1:2])
    np.testing.assert_allclose(together[:1], alone, rtol=1e-5, atol=1e-5)
    jax.tree.map(np.testing.assert_array_equal, variables, before)


def test_droppable_units_of_residual_and_plain_networks():
    assert droppable(tiny()) == UNITS
    assert droppable(tiny(shortcut="B", branch="bottleneck")) == UNITS
    assert droppable(tiny(shortcut="none")) == tuple(unit for unit in UNITS if unit != UNITS[2])
    assert droppable(tiny(shortcut="none", branch="bottleneck")) == UNITS[1::2]
    assert len(droppable(create("preact110"))) == 54


def test_a_deeper_network_compiles_nothing_more():
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
def test_units_that_cannot_be_dropped_are_refused(settings, unit, message):
    model = tiny(**settings)
    with pytest.raises(UserError, match=message):
        lesioned_logits(model, trained(model), IMAGES, (unit,))
