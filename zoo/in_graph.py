"""`InGraph`: acting, memory and learning in one compiled call, for environments that are written in tensor ops."""

import keras
import numpy as np
from keras import ops

from zoo import policies, q_steps, watching
from zoo.errors import require

# What random numbers are for: the last word of their seed.
ROUNDS, WARMING = 0, 1
SUMS = ("train_return", "episodes")


class InGraph(keras.callbacks.Callback):
    """Runs the whole loop inside the training step: act, step, remember, draw, learn.

    A step of Keras is `rounds` rounds, each of `train_every` steps in the environments and then `gradient_steps`
    gradient steps. XLA compiles all of it as one function, in which nothing waits for Python (`benchmarks/agents.py`
    measures what that gains). Schedules set their variable before each step of Keras, which is a stair of `rounds`
    rounds.

    Args:
        env: an environment's name, one that `zoo.envs.tensor` has.
        rounds, count, train_every, gradient_steps, batch_size, memory, warmup, gamma, n_step: see
            `zoo.data.experience`.
        seed: integer.

    Attributes:
        variables: the environments' state and the memory, which a checkpoint holds.

    Raises:
        ZooError: a number out of range, no twin in tensor ops.

    Logs of an epoch: as `zoo.acting.Acting`.
    """

    def __init__(
        self,
        env,
        *,
        rounds=1,
        count=1,
        train_every=1,
        gradient_steps=1,
        batch_size=64,
        memory=50_000,
        warmup=1_000,
        gamma=0.99,
        n_step=1,
        seed=0,
    ):
        super().__init__()
        from zoo import envs

        sizes = dict(rounds=rounds, count=count, train_every=train_every, gradient_steps=gradient_steps)
        sizes |= dict(batch_size=batch_size, warmup=warmup, n_step=n_step)
        for name, value in sizes.items():
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(whole, name, value, "a whole number >= 1")
        require(train_every % count == 0, "train_every", train_every, f"a multiple of the {count} environments")
        self.rows = memory // count
        require(self.rows > n_step + 1, "memory", memory, f"more than {(n_step + 1) * count}")
        self.env, self.count, self.seed, self.rounds = env, count, seed, rounds
        self.warmup = -(-max(warmup, (n_step + 1) * count) // count)
        self.train_every, self.gradient_steps, self.batch_size = train_every, gradient_steps, batch_size
        self.gamma, self.n_step = gamma, n_step
        self.spec = envs.describe(env)
        self.twin = envs.twin(env)
        table = (self.rows, count)
        shapes = {
            "state": ((count, *self.twin.state_shape), self.twin.state_dtype),
            "elapsed": ((count,), "int32"),
            "over": ((count,), "bool"),
            "return": ((count,), "float32"),
            "added": ((), "int32"),
            "finished": ((), "int32"),
            "observation": ((*table, *self.twin.shape), self.twin.dtype),
            "action": (table, "int32"),
            "reward": (table, "float32"),
            "terminated": (table, "bool"),
            "void": (table, "bool"),
        }
        self.held = {
            name: keras.Variable("zeros", shape, dtype, trainable=False, name=name)
            for name, (shape, dtype) in shapes.items()
        }
        self.held["over"].assign(np.ones(count, bool))  # so that the first step resets
        self.sums = {name: keras.Variable("zeros", (), "float32", trainable=False, name=name) for name in SUMS}

    @property
    def variables(self):
        return [*self.held.values(), *self.sums.values()]

    @property
    def nbytes(self):
        return sum(int(np.prod(each.shape)) * np.dtype(each.dtype).itemsize for each in self.held.values())

    def on_train_begin(self, logs=None):
        from zoo.playing import check_memory

        check_memory(self.model, self.spec, self.gamma)
        self.model.world = self
        self.model.updates_per_step = self.rounds * self.gradient_steps
        if not int(self.held["added"].numpy()):
            self._warm_up()

    def on_epoch_begin(self, epoch, logs=None):
        for each in self.sums.values():
            each.assign(0)

    def on_epoch_end(self, epoch, logs=None):
        totals = {name: float(each.numpy()) for name, each in self.sums.items()}
        logs["train_return"] = watching.mean(totals["train_return"], totals["episodes"])
        logs["episodes"] = float(self.held["finished"].numpy())
        size = min(int(self.held["added"].numpy()), self.rows)
        taken = ~self.held["void"].numpy()[:size]
        logs["failures"] = float(self.held["terminated"].numpy()[:size].sum() / max(taken.sum(), 1))
        logs.update(watching.values(self.model, self.env))

    def on_train_end(self, logs=None):
        self.model.world = None

    def train(self, model, data):
        """The rounds of one step of Keras; `QLearner.train_step` calls it.

        Args:
            model: the `QLearner`.
            data: a pair of int64: epoch and step.

        Returns:
            The logs.
        """
        import tensorflow as tf

        epoch, step = data
        seed = tf.random.experimental.stateless_fold_in(
            tf.random.experimental.stateless_fold_in(tf.constant([self.seed, ROUNDS], "int64"), epoch), step
        )
        steps = self.train_every // self.count
        # All random numbers at once: one by one they would cost as much as the rest.
        chances = tf.random.stateless_uniform((self.rounds, steps, self.count, self._draws), seed)
        places = tf.random.stateless_uniform((self.rounds, self.gradient_steps, 2, self.batch_size), seed + 1)

        def one(index, held, sums, losses):
            held, sums = self._act(model, held, sums, chances[index])
            losses = self._learn(model, held, losses, places[index])
            return index + 1, held, sums, losses

        begin = 0, *self._now(), q_steps.nothing()
        _, held, sums, losses = tf.while_loop(
            lambda index, *_: index < self.rounds, one, begin, maximum_iterations=self.rounds
        )
        self._keep(held, sums)
        return q_steps.logs(model, losses, self.rounds * self.gradient_steps)

    @property
    def _draws(self):
        return policies.DRAWS + max(self.twin.reset_draws, self.twin.step_draws)

    def _act(self, model, held, sums, chances):
        """Some steps of all environments side by side."""
        import tensorflow as tf

        def one(index, held, sums):
            draws = chances[index]
            seen = self.twin.observe(held["state"])
            values = ops.cast(model.network(seen, training=False), "float32")
            held, sums = self._step(held, sums, seen, policies.choose(model, values, draws), draws)
            return index + 1, held, sums

        steps = self.train_every // self.count
        if steps == 1:
            return one(0, held, sums)[1:]
        begin = 0, held, sums
        _, held, sums = tf.while_loop(lambda index, *_: index < steps, one, begin, maximum_iterations=steps)
        return held, sums

    def _step(self, held, sums, seen, action, draws):
        """One step of all environments; where an episode is over, its reset."""
        twin = self.twin
        chances = draws[:, policies.DRAWS :]
        after, reward, terminated = twin.step(held["state"], action, chances[:, : twin.step_draws])
        fresh = twin.reset(chances[:, : twin.reset_draws])
        over = held["over"]
        reward = ops.where(over, 0.0, reward)
        terminated = ops.logical_and(terminated, ops.logical_not(over))
        elapsed = ops.where(over, 0, held["elapsed"] + 1)
        ended = ops.logical_or(terminated, elapsed >= twin.limit)
        total = held["return"] + reward
        row = dict(observation=seen, action=action, reward=reward, terminated=terminated, void=over)
        place = held["added"] % self.rows
        kept = {name: _written(held[name], place, values) for name, values in row.items()}
        kept |= {
            "state": ops.where(ops.reshape(over, (-1, *(1,) * len(twin.state_shape))), fresh, after),
            "elapsed": elapsed,
            "over": ended,
            "return": ops.where(ended, 0.0, total),
            "added": held["added"] + 1,
            "finished": held["finished"] + ops.sum(ops.cast(ended, "int32")),
        }
        sums = {
            "train_return": sums["train_return"] + ops.sum(ops.where(ended, total, 0.0)),
            "episodes": sums["episodes"] + ops.sum(ops.cast(ended, "float32")),
        }
        return kept, sums

    def _learn(self, model, held, losses, places):
        import tensorflow as tf

        def one(index, losses):
            found = q_steps.update(model, self._drawn(held, places[index]))
            return index + 1, {name: value + found[name] for name, value in losses.items()}

        if self.gradient_steps == 1:
            return one(0, losses)[1]
        condition, most = lambda index, _: index < self.gradient_steps, self.gradient_steps
        return tf.while_loop(condition, one, (0, losses), maximum_iterations=most)[1]

    def _drawn(self, held, chances):
        """A batch of transitions; see `zoo.replay.Replay`, whose rows are the same."""
        size = ops.minimum(held["added"], self.rows)
        # The newest rows' outcome has no row yet.
        span = size - self.n_step
        row = ops.minimum(ops.cast(chances[0] * ops.cast(span, "float32"), "int32"), span - 1)
        column = ops.minimum(ops.cast(chances[1] * self.count, "int32"), self.count - 1)
        row = (row + held["added"] - size) % self.rows
        flat = {name: ops.reshape(held[name], (-1, *held[name].shape[2:])) for name in _ROW}

        def at(name, row):
            return ops.take(flat[name], row * self.count + column, axis=0)

        reward, discount = ops.zeros((self.batch_size,)), ops.ones((self.batch_size,))
        going, end = ops.ones((self.batch_size,), "bool"), row
        for _ in range(self.n_step):
            reward = reward + ops.where(going, discount * at("reward", end), 0.0)
            after = ops.where(going, (end + 1) % self.rows, end)
            finished = at("terminated", end)
            lost = ops.where(finished, 0.0, discount * self.gamma)
            discount = ops.where(going, lost, discount)
            going = going & ~finished & ~at("void", after)
            end = after
        return {
            "observation": at("observation", row),
            "action": at("action", row),
            "reward": reward,
            "next": at("observation", end),
            "discount": discount,
            "weight": ops.cast(~at("void", row), "float32"),
        }

    def _warm_up(self):
        """Acts by chance, so that there is something to draw from."""
        import tensorflow as tf

        tf.function(self._by_chance, jit_compile=self.model.jit_compile).get_concrete_function()()

    def _by_chance(self):
        import tensorflow as tf

        draws = tf.random.stateless_uniform((self.warmup, self.count, self._draws), (self.seed, WARMING))

        def one(index, held, sums):
            action = policies.epsilon_greedy(ops.zeros((self.count, self.spec.actions)), 1.0, draws[index])
            held, sums = self._step(held, sums, self.twin.observe(held["state"]), action, draws[index])
            return index + 1, held, sums

        condition = lambda index, *_: index < self.warmup  # noqa: E731
        _, held, sums = tf.while_loop(condition, one, (0, *self._now()), maximum_iterations=self.warmup)
        self._keep(held, sums)

    def _now(self):
        """What is held and the sums, as tensors."""
        return tuple({name: each.value for name, each in group.items()} for group in (self.held, self.sums))

    def _keep(self, held, sums):
        for name, each in self.held.items():
            each.assign(held[name])
        for name, each in self.sums.items():
            each.assign(sums[name])


_ROW = ("observation", "action", "reward", "terminated", "void")


def _written(table, row, values):
    """A table with one row replaced."""
    values = ops.expand_dims(ops.cast(values, table.dtype), 0)
    return ops.slice_update(table, [row, *(0,) * (len(table.shape) - 1)], values)
