"""`Acting`: the callback that acts in gymnasium's environments while an agent is trained from its memory."""

import keras
import numpy as np

from zoo import policies, watching
from zoo.errors import require
from zoo.replay import Replay

# What random numbers are for: the last word of their seed.
EXPLORING, DRAWING, WARMING, RESETTING = 0, 1, 2, 3


class Acting(keras.callbacks.Callback):
    """Acts before each step of Keras, and remembers.

    A step of Keras is `rounds` times `train_every` steps in the environments, and then as many times `gradient_steps`
    gradient steps in one compiled call, on batches drawn when the acting is done. Meanwhile the policy stays the same.

    At the start of an epoch all environments are reset, with seeds of the epoch, and what had begun is cut off as by a
    time limit. So the state of a run between two epochs is that of its weights and its memory, and one that was stopped
    goes on as if it had not been, whatever the environment.

    Args:
        env: an environment's name; see `zoo.envs.make`.
        count, train_every, gradient_steps, rounds, batch_size, memory, warmup, gamma, n_step, priority,
            clip_rewards: see `zoo.data.experience`.
        seed: integer.

    Attributes:
        replay: the `zoo.replay.Replay`.
        beta: a `keras.Variable`, how far the weights undo the preference of prioritised replay (Schaul et al. 2016,
            section 3.4): `callbacks.Schedule("world.beta", linear(0.4, 1.0))`, behind this callback.

    Raises:
        ZooError: a number out of range, an environment that there is not; while training: one that raises.

    Logs of an epoch: `train_return` (mean return of the episodes that ended in it), `episodes`, `failures` (share of
    the memory's transitions that end an episode), and those of `zoo.watching`.
    """

    def __init__(
        self,
        env,
        *,
        count=1,
        train_every=1,
        gradient_steps=1,
        rounds=1,
        batch_size=64,
        memory=50_000,
        warmup=1_000,
        gamma=0.99,
        n_step=1,
        priority=0.0,
        clip_rewards=False,
        seed=0,
    ):
        super().__init__()
        from zoo import envs

        sizes = dict(count=count, train_every=train_every, gradient_steps=gradient_steps, warmup=warmup)
        sizes |= dict(rounds=rounds, batch_size=batch_size)
        for name, value in sizes.items():
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(whole, name, value, "a whole number >= 1")
        steps = rounds * train_every
        require(steps % count == 0, "rounds * train_every", steps, f"a multiple of the {count} environments")
        self.env, self.count, self.seed, self.warmup = env, count, seed, warmup
        self.steps, self.gradient_steps, self.batch_size = steps // count, rounds * gradient_steps, batch_size
        self.spec = envs.describe(env)
        self.stack = _stack(self.spec)
        self.clip_rewards = clip_rewards
        shape = (*self.spec.shape[:-1], 1) if self.stack > 1 else self.spec.shape
        self.replay = Replay(memory, count, shape, self.spec.dtype, gamma, n_step, self.stack, priority)
        self.beta = keras.Variable(keras.initializers.Constant(1.0), (), "float32", trainable=False, name="beta")
        self.errors = None
        self.episodes = 0
        self._vector = None
        self._place = None

    @property
    def nbytes(self):
        return self.replay.nbytes

    @property
    def variables(self):
        return [self.beta]

    @property
    def signature(self):
        """The shapes and types of `element`."""
        import tensorflow as tf

        shape = (self.gradient_steps, self.batch_size)
        seen = tf.TensorSpec((*shape, *self.spec.shape), self.spec.dtype)
        floats = {name: tf.TensorSpec(shape, "float32") for name in ("reward", "discount", "weight")}
        return seen, {"action": tf.TensorSpec(shape, "int32"), "next": seen, **floats}

    def element(self, epoch, step):
        """What a round learns from: batches drawn from the memory, a function of it and of the seed and the round."""
        if not self.replay.size:
            self._warm_up()
        random = np.random.default_rng([self.seed, epoch, step, DRAWING])
        drawn = self.replay.draw((self.gradient_steps, self.batch_size), random, float(self.beta.numpy()))
        self._place = drawn.pop("place")
        return drawn.pop("observation"), drawn

    def on_train_begin(self, logs=None):
        from zoo.playing import check_memory

        check_memory(self.model, self.spec, self.replay.gamma)
        self.model.world = self
        self.model.updates_per_step = self.gradient_steps
        if self.replay.priority:
            shape = (self.gradient_steps, self.batch_size)
            self.errors = keras.Variable("zeros", shape, "float32", trainable=False, name="errors")
        if not self.replay.size:
            self._warm_up()

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch
        self._returns = []
        self._reset(epoch)

    def on_train_batch_begin(self, batch, logs=None):
        random = np.random.default_rng([self.seed, self._epoch, batch, EXPLORING])
        for draws in random.random((self.steps, self.count, policies.DRAWS), "float32"):
            self._step(self.model.choose(self._seen, draws))

    def on_train_batch_end(self, batch, logs=None):
        if self.errors is not None:
            self.replay.rate(self._place, keras.ops.convert_to_numpy(self.errors.value))

    def on_epoch_end(self, epoch, logs=None):
        self._cut()
        self.episodes += len(self._returns)
        logs["train_return"] = float(np.mean(self._returns)) if self._returns else float("nan")
        logs["episodes"] = float(self.episodes)
        logs["failures"] = self.replay.failures
        logs.update(watching.values(self.model, self.env))

    def on_train_end(self, logs=None):
        self.model.world = None
        self._close()

    def get_state(self):
        """For a checkpoint: the memory; the environments begin anew with each epoch."""
        return {"replay": self.replay.get_state(), "episodes": self.episodes}

    def set_state(self, state):
        """Puts back what `get_state` gave."""
        self.replay.set_state(state["replay"])
        self.episodes = state["episodes"]

    def _warm_up(self):
        """Acts by chance, so that there is something to draw from."""
        random = np.random.default_rng([self.seed, WARMING])
        self._returns = []
        self._reset(2**31)
        for _ in range(-(-self.warmup // self.count)):
            self._step(random.integers(self.spec.actions, size=self.count, dtype="int32"))
        self._cut()

    def _reset(self, epoch):
        from zoo import envs
        from zoo.playing import guarded

        if self._vector is None:
            self._vector = envs.make_vector(self.env, self.count)
        seeds = np.random.SeedSequence([self.seed, epoch, RESETTING]).generate_state(self.count)
        self._seen, _ = guarded(self.env, self._vector.reset, seed=[int(seed) >> 1 for seed in seeds])
        self._over = np.zeros(self.count, bool)
        self._sums = np.zeros(self.count)

    def _step(self, actions):
        from zoo.playing import guarded

        before, void = self._seen, self._over
        after, reward, terminated, truncated, _ = guarded(self.env, self._vector.step, actions)
        kept = np.sign(reward) if self.clip_rewards else reward
        self.replay.add(self._newest(before), actions, kept, terminated, void)
        # gymnasium writes into the arrays that it gave.
        self._seen, self._over = after.copy(), terminated | truncated
        self._sums += reward
        if self._over.any():
            self._returns.extend(self._sums[self._over].tolist())
            self._sums[self._over] = 0

    def _cut(self):
        """Ends the episodes under way, as a time limit does: what was seen last gets its row."""
        nothing = np.zeros(self.count)
        self.replay.add(self._newest(self._seen), nothing, nothing, nothing, np.ones(self.count, bool))

    def _newest(self, seen):
        return seen[..., -1:] if self.stack > 1 else seen

    def _close(self):
        if self._vector is not None:
            self._vector.close()
            self._vector = None


def _stack(spec):
    """Frames in an observation, where it is the last few of a game's: a memory keeps the newest alone."""
    import gymnasium

    from zoo.envs import atari, names

    _, options = names.parse(spec.env)
    return atari.STACK if atari.is_screen(gymnasium.spec(spec.id), options) else 1
