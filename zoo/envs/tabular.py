"""Environments with a table of transitions, and the bandit, in tensor operations."""

import math

import numpy as np
from keras import ops

from zoo.envs.tensor_environment import TensorEnvironment

# The last outcome takes what rounding leaves of the probability.
REST = 2.0


class Tabular(TensorEnvironment):
    """Any environment that has gymnasium's table of transitions, as the toy text environments do.

    Args:
        env: its name.
        limit: steps after which the caller cuts an episode.
        table: dict from state to dict from action to a list of (probability, next state, reward, terminated).
        initial: probability of each state at the start, (states,).
        features: what is seen of each state, float32 (states, numbers); None where the state itself is seen.
    """

    state_dtype = "int32"

    def __init__(self, env, limit, table, initial, features=None):
        super().__init__(env, limit)
        self.actions = len(table[0])
        self._features = features
        self.dtype = "int32" if features is None else "float32"
        self.shape = () if features is None else features.shape[1:]
        # What cannot happen is left out, so that rounding cannot make it happen.
        rows = [[o for o in table[s][a] if o[0] > 0] for s in range(len(table)) for a in range(self.actions)]
        self._outcomes = max(map(len, rows))
        shape = len(rows), self._outcomes
        self._passed = np.full(shape, REST)
        self._next, self._reward, self._ended = (
            np.zeros(shape, "int32"),
            np.zeros(shape, "float32"),
            np.zeros(shape, bool),
        )
        for index, row in enumerate(rows):
            probabilities, *columns = zip(*row, strict=True)
            self._passed[index, : len(row) - 1] = np.cumsum(probabilities)[:-1]
            for array, column in zip((self._next, self._reward, self._ended), columns, strict=True):
                array[index, : len(row)] = column
        self.step_draws = int(self._outcomes > 1)
        (starts,) = np.nonzero(initial)
        self._starts = starts.astype("int32")
        self._begun = np.cumsum(np.asarray(initial)[starts])[:-1]
        self.reset_draws = int(len(starts) > 1)

    def reset(self, draws):
        draws = ops.convert_to_tensor(draws)
        if not self.reset_draws:
            return ops.full((ops.shape(draws)[0],), self._starts[0], "int32")
        at = ops.sum(ops.cast(ops.cast(self._begun, draws.dtype) <= draws, "int32"), axis=-1)
        return ops.take(self._starts, at)

    def step(self, state, action, draws):
        row = ops.cast(state, "int32") * self.actions + ops.cast(action, "int32")
        at = row * self._outcomes
        if self.step_draws:
            draws = ops.convert_to_tensor(draws)
            passed = ops.take(ops.cast(self._passed, draws.dtype), row, axis=0)
            at = at + ops.sum(ops.cast(passed <= draws, "int32"), axis=-1)
        return tuple(ops.take(array.reshape(-1), at) for array in (self._next, self._reward, self._ended))

    def observe(self, state):
        state = ops.cast(state, "int32")
        return state if self._features is None else ops.take(self._features, state, axis=0)


class TensorBandit(TensorEnvironment):
    """The bandit of `zoo.envs.bandit`.

    Args:
        env: its name.
        limit: steps after which the caller cuts an episode.
        means: of the arms, (k,).
    """

    dtype = "int32"
    state_dtype = "int32"
    step_draws = 2

    def __init__(self, env, limit, means):
        super().__init__(env, limit)
        self.actions = len(means)
        self._means = np.asarray(means, "float32")

    def reset(self, draws):
        return ops.zeros((ops.shape(draws)[0],), "int32")

    def step(self, state, action, draws):
        # Box, Muller 1958: a normal number of two uniform ones.
        draws = ops.cast(draws, "float32")
        noise = ops.sqrt(-2 * ops.log(1 - draws[:, 0])) * ops.cos(2 * math.pi * draws[:, 1])
        state = ops.cast(state, "int32")
        return state, ops.take(self._means, action) + noise, ops.zeros(ops.shape(state), "bool")

    def observe(self, state):
        return ops.cast(state, "int32")
