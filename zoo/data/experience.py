"""What an agent learns from and is judged by: `Experience` is lived while it is read, `Episodes` are seeds."""

import functools
import hashlib
import itertools

import numpy as np

from zoo.data.stream import untuned
from zoo.errors import require
from zoo.recipe import Data
from zoo.seeding import check_seed

# Observations of a random policy, on which the values are watched.
STATES = 64
# Seeds of the episodes of each part: far from each other, whatever their number and the run's seed.
VALIDATION, TEST = 1_000_000, 2_000_000


class Experience:
    """The training part of an agent's data: steps of Keras, each of which is a round of acting and learning.

    Args:
        env: the environment's name.
        steps: rounds of an epoch, >= 1.
        batch_size: transitions of a gradient step.
        acting: the callback that acts: one of `zoo.acting.Acting`, `zoo.in_graph.InGraph`, `zoo.online.Online`. Where
            it has a method `element(epoch, step)`, that gives what a round learns from, and `signature` its shapes;
            otherwise the round's numbers are given.
        seed: integer; None takes the seed of `zoo.seeding.seed_everything`.

    Attributes:
        arrays: a tuple of an array: observations that a random policy meets.

    Example:
        >>> stream = zoo.data.experience("zoo/Corridor-v0", steps=3, engine="tensor").train
        >>> [int(step) for epoch, step in stream.open(epoch=2).take(4)]
        [0, 1, 2, 0]
    """

    def __init__(self, env, steps, batch_size, acting, seed=None):
        for name, value in (("steps", steps), ("batch_size", batch_size)):
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(whole, name, value, "a whole number >= 1")
        self.env, self.steps, self.batch_size, self.acting = env, steps, batch_size, acting
        self.seed = check_seed(seed)
        self.size = steps * batch_size

    @functools.cached_property
    def arrays(self):
        return (states(self.env),)

    @property
    def input_shape(self):
        return self.arrays[0].shape[1:]

    @functools.cached_property
    def fingerprint(self):
        """SHA-256 of the environment's name and of what a random policy sees in it, in hexadecimal."""
        return hashlib.sha256(self.env.encode() + self.arrays[0].tobytes()).hexdigest()

    @property
    def nbytes(self):
        return getattr(self.acting, "nbytes", 0)

    def open(self, epoch=0, step=0):
        """The rounds from some point on, without end: an infinite `tf.data.Dataset`."""
        import tensorflow as tf

        acting = self.acting

        def rounds():
            first = step
            for current in itertools.count(epoch):
                for index in range(first, self.steps):
                    yield current, index
                first = 0

        if not hasattr(acting, "element"):
            signature = (tf.TensorSpec((), "int64"), tf.TensorSpec((), "int64"))
            return untuned(tf.data.Dataset.from_generator(rounds, output_signature=signature))

        def elements():
            for current, index in rounds():
                yield acting.element(current, index)

        # Not prefetched, as tf.data would by itself: what a round learns from is known when it has acted.
        return untuned(tf.data.Dataset.from_generator(elements, output_signature=acting.signature))


class Episodes:
    """Episodes that an agent is judged by: the environment's name and a seed for each.

    `model.evaluate(episodes.once())` plays them greedily.

    Args:
        env: the environment's name.
        seeds: integers.

    Example:
        >>> Episodes("CartPole-v1", range(3)).size
        3
    """

    def __init__(self, env, seeds):
        self.env, self.seeds = env, tuple(int(seed) for seed in seeds)
        require(self.seeds, "seeds", self.seeds, "one or more")
        self.size = len(self.seeds)
        self.steps = 1
        self.batch_size = self.size
        self.nbytes = 0

    @property
    def arrays(self):
        return (states(self.env),)

    @functools.cached_property
    def fingerprint(self):
        """SHA-256 of the environment's name and the seeds, in hexadecimal."""
        return hashlib.sha256(f"{self.env}{self.seeds}".encode()).hexdigest()

    def once(self):
        """One element: a dict of the environment's name and the seeds."""
        import tensorflow as tf

        return tf.data.Dataset.from_tensors({"env": self.env, "seeds": list(self.seeds)})


@functools.lru_cache(maxsize=8)
def states(env):
    """Observations that a random policy meets, always the same ones of an environment.

    Args:
        env: the environment's name.

    Returns:
        An array (64, *shape).
    """
    from zoo import envs
    from zoo.playing import guarded

    random = np.random.default_rng(0)
    spec = envs.describe(env)
    world = envs.make(env)
    seen, _ = guarded(env, world.reset, seed=0)
    found = []
    try:
        while len(found) < STATES:
            found.append(np.array(seen, spec.dtype))
            # Some steps between two: neighbours look alike.
            for _ in range(int(random.integers(1, 8))):
                seen, _, terminated, truncated, _ = guarded(env, world.step, int(random.integers(spec.actions)))
                if terminated or truncated:
                    seen, _ = guarded(env, world.reset)
    finally:
        world.close()
    return np.stack(found)


def experience(
    env,
    steps=100,
    batch_size=64,
    *,
    engine="auto",
    count=1,
    train_every=1,
    gradient_steps=1,
    rounds=1,
    memory=50_000,
    warmup=1_000,
    gamma=0.99,
    n_step=1,
    priority=0.0,
    clip_rewards=False,
    episodes=10,
    test_episodes=100,
    seed=None,
):
    """An environment to act in and to learn from, out of a memory of transitions.

    A round is `train_every` steps in the environment and then `gradient_steps` gradient steps, each on a batch drawn
    from the memory. A step of Keras is `rounds` rounds. Where the environment is written in tensor ops, all of them
    are one compiled call. In gymnasium's own environments the agent acts for all rounds first, and then learns for
    all: more rounds a call are faster, and act on an older policy.

    Args:
        env: the environment's name; see `zoo.envs.make`.
        steps: steps of Keras in an epoch, >= 1.
        batch_size: transitions of a gradient step, >= 1.
        engine: "gymnasium" acts in gymnasium's own environment, "tensor" in its twin in tensor ops, "auto" in the twin
            where there is one.
        count: environments that are played side by side, >= 1.
        train_every: steps of a round, over all environments; a multiple of `count`.
        gradient_steps: gradient steps of a round, >= 1.
        rounds: rounds of a step of Keras, >= 1.
        memory: transitions that are kept.
        warmup: steps by chance before the first round.
        gamma: 0..1, discount of a step; the model is compiled with the same.
        n_step: steps whose rewards are added up, >= 1.
        priority: 0 draws all transitions alike; else the power of prioritised replay (needs the engine "gymnasium").
        clip_rewards: whether the agent learns from the sign of a reward alone, which suits games of any scale (Mnih et
            al. 2015, methods); needs the engine "gymnasium". Returns are told as they are.
        episodes: greedy episodes at the end of an epoch, always the same ones.
        test_episodes: greedy episodes after training, others.
        seed: integer; None takes the seed of `zoo.seeding.seed_everything`.

    Returns:
        A `zoo.Data`; `data.train.acting` belongs into the recipe's callbacks.

    Raises:
        ZooError: an environment that there is not, or that the agent cannot act in; a number out of range.

    Example:
        >>> data = zoo.data.experience("CartPole-v1", steps=4, count=2, train_every=8)
        >>> data.train.env, data.validation.size, data.labels
        ('CartPole-v1', 10, ('left', 'right'))
    """
    from zoo import envs
    from zoo.acting import Acting
    from zoo.in_graph import InGraph

    twin = envs.twin(env, engine)
    options = dict(count=count, train_every=train_every, gradient_steps=gradient_steps, rounds=rounds)
    options |= dict(batch_size=batch_size, memory=memory, warmup=warmup, gamma=gamma, n_step=n_step)
    options |= dict(seed=check_seed(seed))
    if twin is not None:
        require(priority == 0, "priority", priority, "0 with engine='tensor', which draws all transitions alike")
        require(not clip_rewards, "clip_rewards", clip_rewards, "False with engine='tensor'")
        acting = InGraph(env, **options)
    else:
        acting = Acting(env, priority=priority, clip_rewards=clip_rewards, **options)
    return of(env, steps, batch_size, acting, episodes, test_episodes, seed)


def of(env, steps, batch_size, acting, episodes=10, test_episodes=100, seed=None):
    """The `zoo.Data` of an environment and of a callback that acts in it.

    Args:
        env, steps, batch_size, acting, seed: see `Experience`.
        episodes, test_episodes: see `experience`.

    Returns:
        A `zoo.Data`.
    """
    from zoo import envs

    train = Experience(env, steps, batch_size, acting, seed)
    validation = Episodes(env, range(VALIDATION, VALIDATION + episodes))
    test = Episodes(env, range(TEST, TEST + test_episodes))
    return Data(train, validation, test, labels=tuple(envs.describe(env).action_names))
