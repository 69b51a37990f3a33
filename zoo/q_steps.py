"""One gradient step of a `QLearner` on a batch of transitions, and as many as a round holds.

Mnih et al. 2015, Human-level control through deep reinforcement learning, algorithm 1; van Hasselt, Guez, Silver 2016,
Deep reinforcement learning with double Q-learning, equation 4.
"""

import keras
from keras import ops

from zoo import policies


def train(model, data):
    """A training step of Keras on transitions; see `zoo.q_learner.QLearner`.

    Args:
        model: a compiled `QLearner`.
        data: a pair of observations and a dict of `action`, `reward`, `next`, `discount` and optionally `weight`. With
            one axis more in front, it is a round: a gradient step for each of its batches, in order.

    Returns:
        The logs.
    """
    import tensorflow as tf

    batch = batch_of(data)
    if len(batch["observation"].shape) == len(model.inputs[0].shape):
        found = update(model, batch)
        return logs(model, {name: found[name] for name in ("loss", "td_error", "gradient_norm")}, 1)
    count = batch["observation"].shape[0]

    def step(i, sums, errors):
        found = update(model, {name: values[i] for name, values in batch.items()})
        sums = {name: value + found[name] for name, value in sums.items()}
        return i + 1, sums, errors.write(i, found["errors"])

    begin = 0, nothing(), tf.TensorArray("float32", count, element_shape=batch["action"].shape[1:])
    _, sums, errors = tf.while_loop(lambda i, *_: i < count, step, begin, maximum_iterations=count)
    if getattr(model.world, "errors", None) is not None:
        model.world.errors.assign(errors.stack())
    return logs(model, sums, count)


def test(model, data):
    """The loss on transitions, without learning from them."""
    found, _ = loss_of(model, batch_of(data), training=False)
    return logs(model, {**nothing(), **{name: found[name] for name in ("loss", "td_error")}}, 1)


def batch_of(data):
    """A batch of transitions as one dict."""
    observation, happened, _ = keras.utils.unpack_x_y_sample_weight(data)
    return {"observation": observation, **happened}


def nothing():
    """Sums of what a gradient step measures, before the first."""
    return {name: ops.zeros(()) for name in ("loss", "td_error", "gradient_norm")}


def logs(model, sums, count):
    """The means of `count` steps into the model's metrics, and their values."""
    model._loss_tracker.update_state(sums["loss"] / count)
    for name, tracker in model.trackers.items():
        tracker.update_state(sums[name] / count)
    return model.get_metrics_result()


def update(model, batch):
    """One gradient step, and the target's when it is due.

    Returns:
        A dict: `loss`, `td_error` (mean of its size), `gradient_norm`, and `errors`, its size for each transition.
    """
    import tensorflow as tf

    optimizer = model.optimizer
    with tf.GradientTape() as tape:
        found, errors = loss_of(model, batch, training=True)
        scaled = optimizer.scale_loss(found["loss"])
    variables = model.trainable_variables
    gradients = tape.gradient(scaled, variables)
    norm = ops.sqrt(sum(ops.sum(ops.square(ops.cast(gradient, "float32"))) for gradient in gradients))
    optimizer.apply(gradients, variables)
    _move_target(model)
    return {**found, "gradient_norm": norm / optimizer.scale_loss(ops.ones(())), "errors": errors}


def loss_of(model, batch, training):
    """The loss of a batch: a dict of it and of the mean size of the temporal differences, and each one's size."""
    settings = model.settings
    values = ops.cast(model.network(batch["observation"], training=training), "float32")
    chosen = of_action(values, batch["action"])
    worth = ops.stop_gradient(_worth(model, batch["next"]))
    error = ops.cast(batch["reward"], "float32") + ops.cast(batch["discount"], "float32") * worth - chosen
    size = ops.abs(error)
    each = 0.5 * ops.square(error)
    if settings["loss"] == "huber":
        each = ops.where(size <= 1, each, size - 0.5)
    if "weight" not in batch:
        return {"loss": ops.mean(each), "td_error": ops.mean(size)}, size
    weight = ops.cast(batch["weight"], "float32")
    # Those of prioritised replay scale the loss; what has the weight 0 is no transition, and counts nowhere.
    count = ops.maximum(ops.sum(ops.cast(weight > 0, "float32")), 1.0)
    counted = ops.where(weight > 0, size, 0.0)
    return {"loss": ops.sum(weight * each) / count, "td_error": ops.sum(counted) / count}, counted


def of_action(values, action):
    """The values of the actions that were taken: (n,) of (n, actions)."""
    return ops.sum(values * ops.one_hot(action, values.shape[-1], dtype=values.dtype), axis=-1)


def _worth(model, observation):
    """What the next observations are worth, (n,)."""
    settings = model.settings
    target = ops.cast(model.target(observation, training=False), "float32")
    if settings["rule"] == "expected_sarsa":
        values = ops.cast(model.network(observation, training=False), "float32")
        return ops.sum(policies.probabilities(model, values) * target, axis=-1)
    if settings["double"]:
        values = ops.cast(model.network(observation, training=False), "float32")
        return of_action(target, policies.greedy(values))
    return ops.max(target, axis=-1)


def _move_target(model):
    import tensorflow as tf

    every, tau = model.settings["target_every"], model.settings["tau"]
    pairs = list(zip(model.target.variables, model.network.variables, strict=True))

    def move():
        for held, current in pairs:
            moved = current.value if tau == 1 else held.value + tau * (current.value - held.value)
            held.assign(moved)
        return True

    if every == 1:
        move()
    else:
        tf.cond(model.optimizer.iterations % every == 0, move, lambda: False)
