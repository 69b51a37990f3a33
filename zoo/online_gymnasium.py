"""`Played`: an environment of gymnasium behind the interface of those that are written in tensor ops."""

import numpy as np


class Played:
    """One environment, asked from the graph: each call is a call into Python.

    What it remembers is in Python: its "state" is what it shows. It is for one agent that is in one place at a time,
    which is reset when the caller says.

    Args:
        env: an environment's name; see `zoo.envs.make`.

    Attributes:
        actions, shape, dtype, limit, state_shape, state_dtype, reset_draws, step_draws: see
            `zoo.envs.tensor_environment.TensorEnvironment`.
    """

    reset_draws, step_draws = 1, 0

    def __init__(self, env):
        from zoo import envs

        spec = envs.describe(env)
        self.env, self.actions, self.limit = env, spec.actions, spec.limit
        self.shape = self.state_shape = tuple(spec.shape)
        self.dtype = self.state_dtype = spec.dtype
        self._world = None
        self._error = None

    def reset(self, draws):
        """See `TensorEnvironment`."""
        return self._asked(self._reset, [draws[0, 0]], (self.dtype,))[0]

    def step(self, state, action, draws):
        """See `TensorEnvironment`; a fourth value, bool (1,), tells whether the environment cut the episode off."""
        seen, reward, terminated, cut = self._asked(self._step, [action[0]], (self.dtype, "float32", "bool", "bool"))
        return seen, reward[None], terminated[None], cut[None]

    def observe(self, state):
        """See `TensorEnvironment`."""
        return state

    def check(self):
        """Raises what the environment raised: from inside the graph it would come with the graph's traceback.

        Raises:
            ZooError: the environment raised.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def close(self):
        """Closes the environment; the next reset opens it again."""
        if self._world is not None:
            self._world.close()
            self._world = None

    def _asked(self, function, inputs, dtypes):
        import tensorflow as tf

        first, *others = tf.nest.flatten(tf.numpy_function(function, inputs, list(dtypes)))
        first = tf.ensure_shape(first, (1, *self.shape))
        return first, *(tf.ensure_shape(each, ()) for each in others)

    def _reset(self, draw):
        from zoo import envs

        if self._world is None:
            self._world = envs.make(self.env)
        found = self._guarded(self._world.reset, seed=int(draw * 2**23))
        return self._seen(found and found[0])

    def _step(self, action):
        found = self._guarded(self._world.step, int(action))
        if found is None:
            # The step of Keras comes to its end, and `check` tells.
            return self._seen(None), np.float32(0), np.True_, np.False_
        seen, reward, terminated, truncated, _ = found
        return self._seen(seen), np.float32(reward), np.bool_(terminated), np.bool_(truncated)

    def _guarded(self, function, *arguments, **named):
        from zoo.errors import ZooError
        from zoo.playing import guarded

        if self._error is None:
            try:
                return guarded(self.env, function, *arguments, **named)
            except ZooError as error:
                self._error = error
        return None

    def _seen(self, seen):
        seen = np.zeros(self.shape, self.dtype) if seen is None else np.asarray(seen, self.dtype)
        return seen[None]
