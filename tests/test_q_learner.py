"""The step of Q-learning against steps computed by hand."""

import keras
import numpy as np
import pytest

import zoo
from callbacks import Schedule, linear
from zoo.errors import ZooError

RATE = 0.5
NETWORK = np.array([[1.0, 2.0], [4.0, 3.0], [0.0, 5.0]])
TARGET = np.array([[1.0, 1.0], [10.0, 20.0], [7.0, 6.0]])


def table(**options):
    model = zoo.build("q_table", states=3, actions=2)
    options = dict(loss="squared", gamma=0.9, run_eagerly=True, target_every=1000) | options
    model.compile(keras.optimizers.SGD(RATE), **options)
    model.network.set_weights([NETWORK])
    model.target.set_weights([TARGET])
    return model


def transition(state=0, action=1, reward=1.0, after=1, discount=0.9, **more):
    happened = dict(action=[action], reward=[reward], next=[after], discount=[discount], **more)
    types = dict(action="int32", next="int32")
    return np.array([state], "int32"), {k: np.array(v, types.get(k, "float32")) for k, v in happened.items()}


def learned(model, *batches):
    for observation, happened in batches:
        model.train_on_batch(observation, happened)
    return model.network.get_weights()[0]


def test_a_step_towards_the_best_next_value_of_the_target():
    wanted = NETWORK.copy()
    wanted[0, 1] += RATE * (1 + 0.9 * 20 - 2)
    np.testing.assert_allclose(learned(table(), transition()), wanted, rtol=1e-6)


def test_double_takes_the_networks_choice_and_the_targets_value():
    wanted = NETWORK.copy()
    wanted[0, 1] += RATE * (1 + 0.9 * 10 - 2)
    np.testing.assert_allclose(learned(table(double=True), transition()), wanted, rtol=1e-6)


def test_expected_sarsa_takes_the_mean_over_the_policy():
    mean = 0.95 * 10 + 0.05 * 20  # the network prefers the first action there
    wanted = NETWORK.copy()
    wanted[0, 1] += RATE * (1 + 0.9 * mean - 2)
    found = learned(table(rule="expected_sarsa", epsilon=0.1), transition())
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_nothing_follows_the_end_of_an_episode():
    wanted = NETWORK.copy()
    wanted[0, 1] += RATE * (1 - 2)
    np.testing.assert_allclose(learned(table(), transition(discount=0.0)), wanted, rtol=1e-6)


def test_huber_cuts_the_gradient_at_one():
    wanted = NETWORK.copy()
    wanted[0, 1] += RATE
    np.testing.assert_allclose(learned(table(loss="huber"), transition()), wanted, rtol=1e-6)
    wanted[0, 1] = 2 + RATE * 0.25
    found = learned(table(loss="huber"), transition(reward=2.25, discount=0.0))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_weights_scale_and_void_transitions_count_nowhere():
    one, two = transition(weight=[0.5]), transition(state=2, weight=[0.0], reward=100.0)
    both = np.concatenate([one[0], two[0]]), {k: np.concatenate([one[1][k], two[1][k]]) for k in one[1]}
    wanted = NETWORK.copy()
    wanted[0, 1] += RATE * 0.5 * (1 + 0.9 * 20 - 2)
    np.testing.assert_allclose(learned(table(), both), wanted, rtol=1e-6)


def test_the_target_is_copied_when_due():
    model = table(target_every=2)
    first = learned(model, transition())
    np.testing.assert_array_equal(model.target.get_weights()[0], TARGET)
    second = learned(model, transition())
    np.testing.assert_array_equal(model.target.get_weights()[0], second)
    assert (first != second).any()


def test_the_target_follows_slowly():
    model = table(target_every=1, tau=0.25)
    after = learned(model, transition())
    np.testing.assert_allclose(model.target.get_weights()[0], TARGET + 0.25 * (after - TARGET), rtol=1e-6)


def test_a_round_is_its_steps_one_behind_the_other():
    batches = [transition(), transition(state=1, action=0, after=2), transition(reward=3.0)]
    one_by_one = learned(table(target_every=2), *batches)
    model = table(target_every=2, run_eagerly=False, jit_compile=True)
    together = (
        np.stack([seen for seen, _ in batches]),
        {k: np.stack([happened[k] for _, happened in batches]) for k in batches[0][1]},
    )
    logs = model.train_on_batch(*together, return_dict=True)
    np.testing.assert_allclose(model.network.get_weights()[0], one_by_one, rtol=1e-6)
    assert logs["td_error"] > 0 and int(model.optimizer.iterations.numpy()) == 3


def test_gradient_norm_and_loss_are_those_of_the_step():
    logs = table().train_on_batch(*transition(), return_dict=True)
    assert logs["loss"] == pytest.approx(0.5 * 17**2) and logs["td_error"] == pytest.approx(17)
    assert logs["gradient_norm"] == pytest.approx(17)


def test_schedules_know_how_many_steps_a_step_holds():
    model = table(run_eagerly=False)
    model.updates_per_step = 2
    seen, happened = transition()
    data = np.stack([np.stack([seen] * 2)] * 4), {k: np.stack([np.stack([v] * 2)] * 4) for k, v in happened.items()}
    import tensorflow as tf

    stream = tf.data.Dataset.from_tensor_slices(data)
    schedule = Schedule("epsilon", linear(1.0, 0.0))
    history = model.fit(stream, epochs=2, verbose=0, callbacks=[schedule], shuffle=False)
    # Before the last of four, and of eight, steps of Keras.
    assert history.history["epsilon"] == pytest.approx([1 - 3 / 8, 1 - 7 / 8])


def test_policies():
    from zoo import policies

    values, draws = (
        np.array([[0.0, 1.0, 0.5]] * 4, "float32"),
        np.array([[0.05, 0.99], [0.05, 0.1], [0.5, 0.1], [0.1, 0.5]]),
    )
    found = policies.epsilon_greedy(values, 0.1, draws.astype("float32"))
    assert np.array(found).tolist() == [2, 0, 1, 1]
    many = np.repeat(values[:1], 20_000, 0)
    random = np.random.default_rng(0).random((20_000, 2)).astype("float32")
    counts = np.bincount(np.array(policies.boltzmann(many, 0.5, random)), minlength=3) / 20_000
    weights = np.exp(values[0] / 0.5)
    np.testing.assert_allclose(counts, weights / weights.sum(), atol=0.01)
    model = table(policy="boltzmann", temperature=0.5)
    np.testing.assert_allclose(policies.probabilities(model, values)[0], weights / weights.sum(), rtol=1e-5)


def test_saved_with_its_target_and_how_it_learns(tmp_path):
    model = table(double=True, tau=0.5)
    learned(model, transition())
    model.save(tmp_path / "agent.keras")
    again = keras.models.load_model(tmp_path / "agent.keras")
    assert again.settings == model.settings
    for one, two in zip(model.variables, again.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())
    np.testing.assert_array_equal(again.target.get_weights()[0], model.target.get_weights()[0])


@pytest.mark.parametrize(
    "bad, said",
    [
        (dict(gamma=1.5), "gamma"),
        (dict(tau=0), "tau"),
        (dict(target_every=0), "target_every"),
        (dict(loss="hubber"), "Did you mean 'huber'"),
        (dict(rule="sarsa"), "trace"),
        (dict(rule="evaluation"), "one output"),
        (dict(temperature=0), "temperature"),
    ],
)
def test_bad_settings_are_refused(bad, said):
    with pytest.raises(ZooError, match=said):
        table(**bad)
