"""Exact numbers: what dynamic programming says of small worlds, and that the recipes' tables come to it."""

import keras
import numpy as np
import pytest

import zoo
from zoo import recipe, true_values
from zoo.data.experience import of
from zoo.online import Online


def learned(name, jit_compile=False, **hyper):
    """The table that a recipe learns, without its evaluations, and its environment. XLA pays for long ones."""
    zoo.seeding.seed_everything(0)
    built = recipe.find(name).module.recipe(**hyper)
    built.model.jit_compile = jit_compile
    train = built.data.train
    options = dict(epochs=built.epochs, steps_per_epoch=train.steps, shuffle=False, verbose=0)
    built.model.fit(train.open(), callbacks=list(built.callbacks), **options)
    return built.model.network.get_weights()[0], train.env


def test_corridor_after_thirteen_episodes_always_to_the_right():
    env = "zoo/Corridor-v0"
    model = zoo.build_for("q_table", env)
    # Left is worth less than anything, so that it is never taken.
    model.network.layers[-1].kernel.assign(np.tile([-1.0, 0.0], (6, 1)))
    model.compile(keras.optimizers.SGD(0.1), gamma=0.8, trace=0.0, epsilon=0.0, jit_compile=False)
    world = Online(env, episodes=13, seed=0)
    data = of(env, 1, 1, world).train
    model.fit(data.open(), steps_per_epoch=1, callbacks=[world], shuffle=False, verbose=0)
    table = model.network.get_weights()[0]
    np.testing.assert_allclose(table[:3, 1], [0.002646, 0.017490, 0.085685], atol=5e-7)
    assert table[4, 1] == pytest.approx(1 - 0.9**13, rel=1e-5)


def test_corridor_converges_to_powers_of_the_discount():
    table, env = learned("q_learning_corridor", epochs=20, rounds=20, learning_rate=0.5)
    np.testing.assert_allclose(table[:5, 1], 0.8 ** np.arange(4, -1, -1.0), atol=1e-3)
    np.testing.assert_allclose(true_values.optimal(env, 0.8)[:5, 1], 0.8 ** np.arange(4, -1, -1.0), rtol=1e-9)


def test_frozen_lake():
    best = true_values.optimal("FrozenLake-v1", 0.99).argmax(1)
    assert true_values.expected_return("FrozenLake-v1", best, limit=100) == pytest.approx(0.7402, abs=5e-5)
    table, env = learned("q_learning_frozen_lake", jit_compile=True, epochs=5)
    assert true_values.expected_return(env, table.argmax(1)) == pytest.approx(0.7402, abs=5e-5)


def test_taxi():
    best = true_values.optimal("Taxi-v4", 0.99).argmax(1)
    assert true_values.expected_return("Taxi-v4", best) == pytest.approx(7.93, abs=5e-3)
    table, env = learned("q_learning_taxi", jit_compile=True, epochs=2)
    assert true_values.expected_return(env, table.argmax(1)) == pytest.approx(7.93, abs=5e-3)


def test_cliff_walking():
    table, env = learned("q_learning_cliff_walking")
    assert true_values.expected_return(env, table.argmax(1)) == -13
    table, env = learned("sarsa_cliff_walking")
    assert -17 <= true_values.expected_return(env, table.argmax(1)) <= -15


def test_recycling_robot_solves_bellmans_equations():
    alpha, beta, search, wait, gamma = 0.9, 0.4, 2.0, 1.0, 0.9
    found = true_values.optimal("zoo/RecyclingRobot-v0", gamma)
    high, low = found.max(1)
    # Sutton, Barto 2018, example 3.9.
    worth = max(search + gamma * (alpha * high + (1 - alpha) * low), wait + gamma * high)
    assert high == pytest.approx(worth)
    again = beta * search - 3 * (1 - beta) + gamma * ((1 - beta) * high + beta * low)
    assert low == pytest.approx(max(again, wait + gamma * low, gamma * high))
    # Search while high, recharge when low: two equations in two unknowns.
    matrix = np.array([[1 - gamma * alpha, -gamma * (1 - alpha)], [-gamma, 1.0]])
    np.testing.assert_allclose([high, low], np.linalg.solve(matrix, [search, 0.0]), rtol=1e-9)


def test_random_walk_is_a_straight_line():
    values = true_values.of_policy("zoo/RandomWalk-v0?states=19", [0.5, 0.5], 1.0)
    np.testing.assert_allclose(values[1:20], np.arange(-9, 10) / 10, atol=1e-9)
