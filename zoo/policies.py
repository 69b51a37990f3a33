"""Which action is taken, given what each is worth: greedy, epsilon-greedy and Boltzmann.

Sutton, Barto 2018, Reinforcement learning, sections 2.2, 2.7 and 2.8. Draws are given, so that what is chosen is a
function of its inputs, in the graph and out of it.
"""

from keras import ops

# Uniform numbers that one choice takes.
DRAWS = 2


def greedy(values):
    """The action that is worth most; of equal ones the first.

    Args:
        values: (n, actions).

    Returns:
        int32 (n,).
    """
    return ops.cast(ops.argmax(values, axis=-1), "int32")


def epsilon_greedy(values, epsilon, draws):
    """The best action, or with probability epsilon any.

    Args:
        values: (n, actions).
        epsilon: number in 0..1, or a tensor.
        draws: (n, 2) uniform in [0, 1).

    Returns:
        int32 (n,).
    """
    actions = values.shape[-1]
    # The product may round up to the number of actions.
    other = ops.minimum(ops.cast(draws[:, 1] * actions, "int32"), actions - 1)
    return ops.where(draws[:, 0] < epsilon, other, greedy(values))


def boltzmann(values, temperature, draws):
    """An action with probability proportional to exp(value / temperature).

    Args:
        values: (n, actions).
        temperature: number > 0, or a tensor.
        draws: (n, 2) uniform in [0, 1); the first is used.

    Returns:
        int32 (n,).
    """
    return drawn(ops.softmax(values / temperature), draws)


def drawn(probabilities, draws):
    """An action of given probabilities.

    Args:
        probabilities: (n, actions), or (actions,) for all alike.
        draws: (n, 2) uniform in [0, 1); the first is used.

    Returns:
        int32 (n,).
    """
    sums = ops.cumsum(probabilities, axis=-1)
    passed = ops.sum(ops.cast(sums <= draws[:, :1] * sums[..., -1:], "int32"), axis=-1)
    return ops.minimum(passed, probabilities.shape[-1] - 1)


def choose(model, values, draws):
    """The action that a model's own policy takes, with its epsilon or temperature as they are.

    Args:
        model: a compiled `zoo.q_learner.QLearner`.
        values: (n, actions).
        draws: (n, 2) uniform in [0, 1).

    Returns:
        int32 (n,).
    """
    if model.settings["policy"] == "boltzmann":
        return boltzmann(values, model.temperature, draws)
    return epsilon_greedy(values, model.epsilon, draws)


def probabilities(model, values):
    """The probability with which a model's own policy takes each action.

    Args:
        model: a compiled `zoo.q_learner.QLearner`.
        values: (n, actions).

    Returns:
        float32 (n, actions).
    """
    if model.settings["policy"] == "boltzmann":
        return ops.softmax(values / model.temperature)
    actions = values.shape[-1]
    best = ops.one_hot(greedy(values), actions)
    return model.epsilon / actions + (1 - model.epsilon) * best
