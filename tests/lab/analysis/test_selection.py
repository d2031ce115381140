"""What is left out of a fit, against the rules written out by hand."""

import numpy as np

from resnet_jax.lab.analysis.selection import Selection, kept, reasons

# Stem, three stages of three units with two sites each, head.
STAGES = [0, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 0]
UNITS = [0, 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3, 0]


def test_every_site_left_out_has_its_reason():
    assert reasons(STAGES, UNITS, Selection(first=1, last=2)) == [
        "stem",
        *["among the first"] * 2,
        *[""] * 4,
        *["shape change"] * 2,
        *[""] * 4,
        *["shape change"] * 2,
        *["among the last"] * 4,
        "head",
    ]


def test_by_default_four_units_go_at_the_end():
    # They are units 3 of stage 2 and 1, 2, 3 of stage 3, whatever else is said of them.
    assert np.flatnonzero(kept(STAGES, UNITS)).tolist() == [1, 2, 3, 4, 5, 6, 9, 10]


def test_rules_can_be_turned_off():
    everything = Selection(ends=False, shape_changes=False, last=0)
    assert kept(STAGES, UNITS, everything).all()
    assert not kept(STAGES, UNITS, Selection(last=99)).any()


def test_a_profile_without_ends_or_stages():
    assert kept([1] * 6, range(1, 7)).tolist() == [True, True, False, False, False, False]
    assert reasons([], []) == []
    assert reasons([0, 0], [0, 0]) == ["stem", "stem"]
