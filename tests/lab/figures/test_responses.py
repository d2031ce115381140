"""Standard deviations of layer responses, in order and sorted."""

import numpy as np

from resnet_jax.lab.figures import Responses


def test_responses_are_drawn_in_network_order_and_sorted(made, responses, keys):
    found = made(responses, family=("plain", "resnet"), depth=(8, 20))
    figure = Responses(lines="depth", families="family").draw(found)
    ordered, ranked = figure.axes
    means = [
        [line for line in panel.lines if not line.get_label().startswith("_")]
        for panel in (ordered, ranked)
    ]
    assert list(map(len, means)) == [4, 4]
    expected = [0.4 + 0.1 * (layer * 7 % 5) for layer in range(19)]
    np.testing.assert_allclose(means[0][3].get_ydata(), expected)
    np.testing.assert_allclose(means[1][3].get_ydata(), sorted(expected, reverse=True))
    assert ordered.get_ylim() == ranked.get_ylim()
    assert ordered.get_ylim()[0] == 0
    # Depths are told apart by color, families by dashes.
    drawn = means[0]
    assert [line.get_color() for line in drawn[:2]] == [line.get_color() for line in drawn[2:]]
    assert drawn[0].get_color() != drawn[1].get_color()
    assert [line.is_dashed() for line in drawn] == [True, True, False, False]
    assert keys(figure) == ["8", "20", "Plain", "Residual"]


def test_the_caption_of_responses_says_when_and_of_how_many(made, responses):
    found = made(responses, family=("plain", "resnet"), depth=(8, 20))
    caption = Responses(lines="depth", families="family").caption(found)
    assert "after 300 steps" in caption
    assert "Lines: mean of 3 seeds. Thin lines" in caption
