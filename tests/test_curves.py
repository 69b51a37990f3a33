"""Curves against their closed forms, what they refuse, and their picture."""

import keras
import numpy as np
import pytest

from callbacks.curve_picture import draw_curves
from callbacks.curves import (
    chain,
    constant,
    cosine,
    exponential,
    inverse_time,
    linear,
    natural_exponential,
    piecewise,
    polynomial,
    value,
    warmup,
)
from callbacks.cycles import cosine_restarts, exp_range, one_cycle, triangular, triangular2
from callbacks.presets import PRESETS, curve
from zoo.curves import curve as of_recipe
from zoo.errors import ZooError

STEPS = 240
HALF = 30  # a half cycle of the triangles, in steps
TIMES = np.arange(STEPS)


def triangles(t, height):
    m = np.floor(1 + t / (2 * HALF))
    b = np.abs(t / HALF - 2 * m + 1)
    return 0.1 + 0.3 * np.maximum(0, 1 - b) * height(m, t)


def restarts(t, first, growth, shrink):
    """The loop of the paper: one step after the other, the cycle begun anew when its length is over."""
    values, length, begun, peak = [], first, 0, 0.4
    for step in t:
        if step - begun == length:
            begun, length, peak = step, length * growth, peak * shrink
        values.append(0.01 + (peak - 0.01) / 2 * (1 + np.cos(np.pi * (step - begun) / length)))
    return np.array(values)


def up_and_down(t, outside, inside, after):
    edges = [0, 0.4 * STEPS, 0.8 * STEPS, STEPS]
    return np.interp(t, edges, [outside, inside, outside, after])


CLOSED = {
    "constant": (constant(0.3), lambda t: np.full(len(t), 0.3)),
    "piecewise": (
        piecewise([1 / 8, 0.5], [0.4, 0.2, 0.1]),
        lambda t: np.where(t < STEPS // 8, 0.4, np.where(t < STEPS // 2, 0.2, 0.1)),
    ),
    "linear": (linear(2.0, -1.0), lambda t: 2 - 3 * t / STEPS),
    "polynomial": (polynomial(0.4, 0.1, 3), lambda t: 0.1 + 0.3 * (1 - t / STEPS) ** 3),
    "inverse time": (inverse_time(0.4, 0.02), lambda t: 0.4 / (1 + 0.02 * t)),
    "exponential": (exponential(0.4, 0.98), lambda t: 0.4 * 0.98**t),
    "natural exponential": (natural_exponential(0.4, 0.03), lambda t: 0.4 * np.exp(-0.03 * t)),
    "cosine": (cosine(0.4), lambda t: 0.2 * (1 + np.cos(t * np.pi / STEPS))),
    "cosine, to an end": (cosine(0.4, 0.1), lambda t: 0.1 + 0.15 * (1 + np.cos(t * np.pi / STEPS))),
    "restarts": (cosine_restarts(0.4, 0.01, cycles=5), lambda t: restarts(t, 48, 1, 1)),
    "restarts, longer": (cosine_restarts(0.4, 0.01, 4, growth=2, shrink=0.5), lambda t: restarts(t, 16, 2, 0.5)),
    "triangular": (triangular(0.1, 0.4, HALF / STEPS), lambda t: triangles(t, lambda m, t: 1)),
    "triangular2": (triangular2(0.1, 0.4, HALF / STEPS), lambda t: triangles(t, lambda m, t: 2.0 ** -(m - 1))),
    "exp_range": (exp_range(0.1, 0.4, HALF / STEPS, 0.99), lambda t: triangles(t, lambda m, t: 0.99**t)),
    "one_cycle": (one_cycle(0.4, 0.04, cycle=0.8)[0], lambda t: up_and_down(t, 0.04, 0.4, 0.0)),
    "one_cycle, momentum": (one_cycle(0.4, cycle=0.8)[1], lambda t: up_and_down(t, 0.95, 0.85, 0.95)),
    "warmup": (warmup(0.25, constant(2.0)), lambda t: np.minimum(t / 60, 1) * 2),
    "warmup, linear": (warmup(0.5, linear(1.0, 0.0)), lambda t: np.where(t < 120, t / 120, 1 - (t - 120) / 120)),
    "warmup, in steps": (
        warmup(0.25, inverse_time(0.4, 0.02)),
        lambda t: np.where(t < 60, 0.4 * t / 60, 0.4 / (1 + 0.02 * np.maximum(t - 60, 0))),
    ),
    "warmup, from a height of its own": (
        warmup(0.25, lambda progress, steps: progress + steps),
        lambda t: np.where(t < 60, 180 * t / 60, 180 + (t - 60) / 180),
    ),
    "chain": (
        chain((0.25, linear(0.0, 0.4)), (0.5, exponential(0.4, 0.98)), (0.25, constant(0.1))),
        lambda t: np.where(t < 60, 0.4 * t / 60, np.where(t < 180, 0.4 * 0.98 ** (t - 60), 0.1)),
    ),
    "chain in a chain": (
        chain((0.5, warmup(0.5, exponential(0.4, 0.98))), (0.5, piecewise([0.5], [0.2, 0.1]))),
        lambda t: np.select(
            [t < 60, t < 120, t < 180], [0.4 * t / 60, 0.4 * 0.98 ** np.maximum(t - 60, 0), np.full(len(t), 0.2)], 0.1
        ),
    ),
}


@pytest.mark.parametrize("name", CLOSED)
@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-12), ("float32", 2e-6)])
def test_the_closed_form(name, dtype, tolerance):
    shape, expected = CLOSED[name]
    progress = keras.ops.convert_to_tensor(TIMES.astype(dtype) / np.asarray(STEPS, dtype))
    found = keras.ops.convert_to_numpy(value(shape, progress, STEPS))
    np.testing.assert_allclose(found, expected(TIMES), rtol=tolerance, atol=tolerance / 10)


@pytest.mark.parametrize("name", CLOSED)
def test_one_step_at_a_time_in_a_graph(name):
    import tensorflow as tf

    shape, expected = CLOSED[name]

    @tf.function
    def at(step):
        return value(shape, keras.ops.cast(step, "float32") / STEPS, STEPS)

    found = [float(at(tf.constant(step))) for step in TIMES[::10]]
    np.testing.assert_allclose(found, expected(TIMES)[::10], rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", CLOSED)
def test_both_ends_may_be_given_as_whole_numbers(name):
    shape, _ = CLOSED[name]
    for end in (0, 1):
        np.testing.assert_allclose(value(shape, end, STEPS), value(shape, float(end), STEPS), rtol=1e-6)


def test_the_end_is_reached():
    for shape, end in [
        (cosine(0.4, 0.1), 0.1),
        (polynomial(0.4, 0.1), 0.1),
        (piecewise([0.5], [1.0, 2.0]), 2.0),
        (cosine_restarts(0.4, 0.1), 0.1),
        (triangular(0.1, 0.4, 1 / 8), 0.1),
        (one_cycle(0.4)[0], 0.0),
        (one_cycle(0.4)[1], 0.95),
        (warmup(0.3, linear(1.0, 0.5)), 0.5),
    ]:
        np.testing.assert_allclose(value(shape, np.float32(1), STEPS), end, atol=1e-6)


@pytest.mark.parametrize("steps", [8, 30, 98, 1000, 12_346, 300_000])
def test_no_step_falls_on_the_wrong_side_of_a_jump(steps):
    """Whatever rounding does to progress, and to progress inside of a chain inside of a chain."""
    for first in {1, steps // 3, steps // 2, steps - 3}:
        rest = steps - first
        jumps = chain((1 / rest, constant(3.0)), (1 - 1 / rest, piecewise([1 / (rest - 1)], [1.0, 2.0])))
        times = np.arange(max(0, first - 2), first + 3)
        progress = times.astype("float32") / np.float32(steps)
        found = value(warmup(first / steps, jumps), progress, steps)
        expected = np.where(times < first, 3 * times / first, np.array([3.0, 1.0, 2.0])[np.maximum(times - first, 0)])
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_curve_of_either_kind_is_called():
    assert float(value(lambda progress: 2 * progress, 0.25)) == 0.5
    assert float(value(lambda progress, steps: steps * progress, 0.25, 8)) == 2
    assert float(value(lambda progress, steps=4: steps * progress, 0.5, 8)) == 4


@pytest.mark.parametrize("inner", [lambda c: c, lambda c: warmup(0.5, c), lambda c: chain((1, c))])
def test_a_curve_in_steps_needs_steps(inner):
    with pytest.raises(ValueError, match="in steps.*Pass steps"):
        value(inner(exponential(1.0, 0.9)), np.float32(0.5))


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: warmup(1, constant(1.0)), "longer than the training.*above 0 and below 1.*share=1"),
        (lambda: warmup(1.5, constant(1.0)), "longer than the training.*share=1.5"),
        (lambda: warmup(0, constant(1.0)), "no length.*above 0 and below 1.*share=0"),
        (lambda: warmup(float("nan"), constant(1.0)), "share=nan"),
        (lambda: piecewise([0.5, 0.5], [1, 2, 3]), r"boundaries rise.*\[0.5, 0.5\]"),
        (lambda: piecewise([1.0], [1, 2]), "below 1"),
        (lambda: piecewise([0.0], [1, 2]), "above 0"),
        (lambda: piecewise([0.5], [1, 2, 3]), "1 boundaries have 2 values"),
        (lambda: polynomial(1.0, power=0), "power above 0.*power=0"),
        (lambda: inverse_time(1.0, -0.1), "at least 0.*decay=-0.1"),
        (lambda: exponential(1.0, 0), "base above 0.*base=0"),
        (lambda: chain(), "add up to 1"),
        (lambda: chain((0.5, cosine(1.0)), (0.4, cosine(1.0))), r"add up to 1.*\[0.5, 0.4\]"),
        (lambda: chain((1.5, cosine(1.0)), (-0.5, cosine(1.0))), "above 0"),
        (lambda: cosine_restarts(1.0, cycles=0), "cycles=0"),
        (lambda: cosine_restarts(1.0, cycles=1.5), "cycles=1.5"),
        (lambda: cosine_restarts(1.0, growth=0), "growth=0"),
        (lambda: cosine_restarts(1.0, shrink=-1), "shrink=-1"),
        (lambda: triangular(0.4, 0.1, 0.1), "0.4 above 0.1"),
        (lambda: triangular2(0.1, 0.4, 0), "half=0"),
        (lambda: exp_range(0.1, 0.4, 1.1, 0.9), "half=1.1"),
        (lambda: exp_range(0.1, 0.4, 0.1, 1.1), "at most 1.*base=1.1"),
        (lambda: one_cycle(0), "high=0"),
        (lambda: one_cycle(0.1, 0.2), "0.2 above 0.1"),
        (lambda: one_cycle(0.1, momentum=(0.8, 0.9)), "highest, lowest.*0.9 above 0.8"),
        (lambda: one_cycle(0.1, cycle=1), "cycle=1"),
        (lambda: curve("cosin", 0.1), "no curve 'cosin'.*cosine_restarts"),
        (lambda: curve("cosine", 0.0), "value=0.0"),
    ],
)
def test_arguments_that_make_no_curve_are_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize("name", PRESETS)
def test_a_named_curve_has_its_value_as_the_highest_and_needs_no_steps(name):
    progress = keras.ops.convert_to_tensor(np.linspace(0, 1, 10_001))
    values = np.broadcast_to(keras.ops.convert_to_numpy(curve(name, 0.4)(progress)), 10_001)
    assert values.max() == pytest.approx(0.4, rel=1e-3) and values.max() <= 0.4 * (1 + 1e-6)
    assert values.min() >= -1e-12
    assert f"`{name}`" in curve.__doc__


def test_named_curves_are_the_ones_described():
    at = [0.0, 0.125, 0.5, 1.0]
    for name, expected in {
        "step": [1, 1, 0.1, 0.01],
        "inverse_time": [1, 1 / 2.125, 1 / 5.5, 0.1],
        "exponential": [1, 0.01**0.125, 0.1, 0.01],
        "natural_exponential": np.exp(-3 * np.array(at)),
        "exp_range": [0.1, 1.0, 0.1, 0.1],
        "one_cycle": [0.1, 0.1 + 0.9 * 0.125 / 0.45, 0.9, 0.0],
    }.items():
        np.testing.assert_allclose(curve(name, 1.0)(np.array(at)), expected, rtol=1e-6, atol=1e-9, err_msg=name)


def test_all_curves_on_one_picture():
    figure = draw_curves()
    assert [axis.get_title().partition("\n")[0] for axis in figure.axes] == [*PRESETS, "one_cycle: momentum"]
    (line,) = figure.axes[list(PRESETS).index("cosine")].lines
    np.testing.assert_allclose(line.get_ydata(), 0.5 * (1 + np.cos(np.pi * np.arange(1000) / 1000)), atol=1e-6)
    figure.canvas.draw()


@pytest.mark.parametrize(("schedule", "share"), [("cosine", 0.05), ("inverse_time", 0.2), ("linear", 0.0)])
def test_a_curve_of_a_recipe_is_the_named_one_behind_its_warmup(schedule, share):
    progress = keras.ops.convert_to_tensor(np.linspace(0, 1, 1001, dtype="float32"))
    expected = warmup(share, curve(schedule, 0.3)) if share else curve(schedule, 0.3)
    found = of_recipe(schedule, 0.3, share)
    np.testing.assert_array_equal(value(found, progress), value(expected, progress))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cosin", 0.1), "schedule must be one of.*Did you mean 'cosine'"),
        (("cosine", 0.0), "learning_rate must be a number above 0. Received: learning_rate=0.0"),
        (("cosine", 0.1, 1.0), "warmup must be a share.*Received: warmup=1.0"),
        (("cosine", 0.1, -0.1), "warmup must be a share.*Received: warmup=-0.1"),
    ],
)
def test_a_wrong_curve_of_a_recipe_is_told(arguments, words):
    with pytest.raises(ZooError, match=words):
        of_recipe(*arguments)
