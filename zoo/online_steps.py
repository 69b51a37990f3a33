"""What an agent does that learns from each step as it happens: act, take the step, learn from it, all in one loop.

Sutton, Barto 2018, Reinforcement learning: sections 6.1 (TD(0)), 6.4 to 6.6 (Sarsa, Q-learning, expected Sarsa), 12.2
(semi-gradient TD(lambda)), 12.7 (Sarsa(lambda)), 12.9 (importance sampling), 12.10 (Watkins's Q(lambda)).
"""

from keras import ops

from callbacks import step as wrapping
from zoo import policies
from zoo.q_steps import of_action

# Steps whose random numbers are drawn together.
BLOCK = 64
# What is added up over the steps of a step of Keras.
SUMS = ("loss", "td_error", "gradient_norm", "train_return", "episodes")


def run(world, model, seed):
    """Acts and learns until the step of Keras is over.

    Args:
        world: a `zoo.online.Online`: its `held` variables are where the last step of Keras left off.
        model: the compiled `zoo.q_learner.QLearner`.
        seed: two int64 of the random numbers; what is added to the second counts on.

    Returns:
        A dict of sums: those named `SUMS`, float32; `steps`, int32, in the environment; and `actions`, float32
        (actions,), how often each was taken.
    """
    import tensorflow as tf

    widths = (policies.DRAWS, policies.DRAWS, world.twin.step_draws, world.twin.reset_draws)
    weights = model.network.trainable_variables

    def going(sums):
        return sums["steps"] < world.steps if world.steps else sums["episodes"] < world.episodes

    def block(index, *state):
        shape = BLOCK, 1, sum(widths)
        draws = tf.random.stateless_uniform(shape, (seed[0], seed[1] + index))

        def one(place, held, traces, pending, sums):
            parts = tf.split(draws[place], widths, axis=-1)
            held, traces, pending, found = _step(world, model, weights, parts, held, traces, pending)
            return place + 1, held, traces, pending, {name: sums[name] + found[name] for name in sums}

        start = tf.constant(0), *state
        _, *state = tf.while_loop(
            lambda place, *state: (place < BLOCK) & going(state[-1]), one, start, parallel_iterations=1
        )
        return index + 1, *state

    count = wrapping.iterations(model)
    before = count.value + 0
    # Inside, the optimizer counts its updates; outside, steps of Keras: those are what schedules go by.
    count.assign(world.updates.value)
    held = {name: each.value for name, each in world.held.items()}
    traces, pending = ([each.value for each in group] for group in (world.traces, world.pending))
    sums = {name: tf.zeros(()) for name in SUMS} | {"steps": tf.constant(0), "actions": tf.zeros((world.spec.actions,))}
    start = tf.constant(0, "int64"), held, traces, pending, sums
    _, held, traces, pending, sums = tf.while_loop(
        lambda index, *state: going(state[-1]), block, start, parallel_iterations=1
    )
    for name, each in world.held.items():
        each.assign(held[name])
    for variables, values in ((world.traces, traces), (world.pending, pending)):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    world.updates.assign(count.value)
    count.assign(before + 1)
    return sums


def _step(world, model, weights, draws, held, traces, pending):
    """One step in the environment, and what is learned from it."""
    import tensorflow as tf

    twin, settings = world.twin, model.settings
    begins = held["elapsed"] == 0
    state = tf.cond(begins, lambda: twin.reset(draws[3]), lambda: held["state"])
    seen = twin.observe(state)
    with tf.GradientTape() as tape:
        values = _values(model, seen)
        action = _behaved(world, model, values, seen, draws[0])
        if settings["rule"] == "sarsa":
            # Chosen when the step before was learned from, with the weights as they were.
            action = tf.where(begins, action, held["action"])
        # Not values[0, action[0]]: XLA takes a slice's place for a constant, and compiles again for another.
        value = values[0, 0] if settings["rule"] == "evaluation" else of_action(values, action)[0]
    gradients = tape.gradient(value, [weight.value for weight in weights], unconnected_gradients="zero")
    after, reward, terminated, *cut = twin.step(state, action, draws[2])
    elapsed = held["elapsed"] + 1
    ended = terminated[0] | (elapsed >= twin.limit)
    ended = ended | cut[0][0] if cut else ended
    ahead = twin.observe(after)
    worth, chosen = _worth(model, ahead, draws[1])
    reward = ops.cast(reward[0], "float32")
    error = reward + settings["gamma"] * tf.where(terminated[0], 0.0, worth) - value
    traces = _traced(world, model, values, seen, action, gradients, traces)
    steps = [error * ops.cast(trace, "float32") for trace in traces]
    pending = _learned(model, weights, steps, pending, ended)
    going = tf.where(ended, 0.0, 1.0)
    earned = held["earned"] + reward
    found = {
        "steps": 1,
        "loss": 0.5 * tf.square(error),
        "td_error": tf.abs(error),
        "gradient_norm": tf.linalg.global_norm(steps),
        "train_return": (1 - going) * earned,
        "episodes": 1 - going,
        "actions": tf.one_hot(action[0], world.spec.actions),
    }
    held = {
        "state": after,
        "action": chosen,
        "elapsed": tf.where(ended, 0, elapsed),
        "earned": going * earned,
    }
    return held, [going * trace for trace in traces], pending, found


def _values(model, seen):
    return ops.cast(model.network(seen, training=False), "float32")


def _behaved(world, model, values, seen, draws):
    """The action that is taken, int32 (1,)."""
    if model.settings["rule"] == "evaluation":
        return policies.drawn(_of_state(world.behaviour, seen), draws)
    return policies.choose(model, values, draws)


def _of_state(probabilities, seen):
    """A policy's probabilities, (1, actions): the same ones everywhere, or of the state that is seen."""
    return probabilities[None] if len(probabilities.shape) == 1 else ops.take(probabilities, seen, axis=0)


def _worth(model, seen, draws):
    """What the next observation is worth, and the action that Sarsa takes there."""
    values, rule = _values(model, seen), model.settings["rule"]
    chosen = policies.choose(model, values, draws) if rule == "sarsa" else ops.zeros((1,), "int32")
    if rule == "evaluation":
        return values[0, 0], chosen
    if rule == "sarsa":
        return of_action(values, chosen)[0], chosen
    if rule == "expected_sarsa":
        return ops.sum(policies.probabilities(model, values) * values), chosen
    return ops.max(values), chosen


def _traced(world, model, values, seen, action, gradients, traces):
    """The eligibility traces, with the gradient of the step in them."""
    import tensorflow as tf

    settings = model.settings
    kept, ratio = settings["gamma"] * settings["trace"], 1.0
    if settings["rule"] == "q_learning":
        # What follows an action that is not the best tells nothing of the best one's worth before it.
        kept = kept * tf.where(of_action(values, action)[0] >= ops.max(values), 1.0, 0.0)
    if world.followed is not None:
        taken = [of_action(_of_state(each, seen), action)[0] for each in (world.followed, world.behaviour)]
        ratio = taken[0] / taken[1]
    if settings["traces"] == "replacing":
        return [
            ratio * tf.where(gradient != 0, gradient, kept * trace)
            for trace, gradient in zip(traces, gradients, strict=True)
        ]
    return [ratio * (kept * trace + gradient) for trace, gradient in zip(traces, gradients, strict=True)]


def _learned(model, weights, steps, pending, ended):
    """Moves the weights along `steps`, at once or when the episode ends. Returns what is yet to be added."""
    import tensorflow as tf

    def apply(steps):
        # An optimizer goes against what it is given.
        model.optimizer.apply([model.optimizer.scale_loss(-step) for step in steps], weights)

    if model.settings["update"] == "step":
        apply(steps)
        return pending
    pending = [sum_ + step for sum_, step in zip(pending, steps, strict=True)]

    def end():
        apply(pending)
        return [tf.zeros_like(each) for each in pending]

    return tf.cond(ended, end, lambda: pending)
