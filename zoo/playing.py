"""Episodes that an agent plays: greedily, each from a seed of its own, all at once."""

from dataclasses import dataclass, field

import numpy as np

from zoo.errors import ZooError


@dataclass
class Episode:
    """What happened in one episode.

    Args:
        seed: with which the environment was reset.
        rewards: of each step.
        observations: what was seen before each step, and after the last one.
        actions: of each step.
        terminated: whether the environment ended it; otherwise its time limit did.
        frames: pictures, uint8 (height, width, 3), before each step and after the last; empty unless rendered.
    """

    seed: int
    rewards: list = field(default_factory=list)
    observations: list = field(default_factory=list)
    actions: list = field(default_factory=list)
    terminated: bool = False
    frames: list = field(default_factory=list)

    @property
    def total(self):
        """The return: the sum of the rewards, not discounted."""
        return float(np.sum(self.rewards))

    @property
    def length(self):
        """Steps."""
        return len(self.rewards)


def play(model, env, seeds, render=False):
    """Plays episodes with the greedy policy.

    The episodes are played side by side, so that the network is asked once a step for all that still run. Each is a
    function of its seed and the weights, where the environment is one of its seed.

    Args:
        model: a `zoo.q_learner.QLearner`.
        env: an environment's name; see `zoo.envs.make`.
        seeds: integers, one an episode.
        render: whether to keep frames; needs an environment that renders "rgb_array".

    Returns:
        A list of `Episode`, in the order of the seeds.

    Raises:
        ZooError: an environment that there is not, one whose actions or observations are not the model's, or that
            raised.
    """
    from zoo import envs

    spec = envs.describe(env)
    check_fits(model, spec)
    worlds = [envs.make(env, render_mode="rgb_array" if render else None) for _ in seeds]
    episodes = [Episode(int(seed)) for seed in seeds]
    batch = np.zeros((len(seeds), *spec.shape), spec.dtype)
    running = []
    try:
        for index, (world, episode) in enumerate(zip(worlds, episodes, strict=True)):
            seen, _ = guarded(env, world.reset, seed=episode.seed)
            _see(batch, index, seen, episode, world, render)
            running.append(index)
        while running:
            actions = model.values(batch).argmax(-1)
            still = []
            for index in running:
                world, episode = worlds[index], episodes[index]
                seen, reward, terminated, truncated, _ = guarded(env, world.step, int(actions[index]))
                episode.actions.append(int(actions[index]))
                episode.rewards.append(float(reward))
                _see(batch, index, seen, episode, world, render)
                episode.terminated = bool(terminated)
                if not (terminated or truncated):
                    still.append(index)
            running = still
    finally:
        for world in worlds:
            world.close()
    return episodes


def _see(batch, index, seen, episode, world, render):
    batch[index] = seen
    episode.observations.append(np.array(seen))
    if render:
        episode.frames.append(np.array(world.render()))


def guarded(env, function, *arguments, **named):
    """Calls an environment, and says whose fault it is when it raises.

    Raises:
        ZooError: the environment raised.
    """
    try:
        return function(*arguments, **named)
    except Exception as error:
        raise ZooError(
            f"the environment {env} raised {type(error).__name__} in {getattr(function, '__name__', 'a call')}: {error}"
        ) from error


def check_memory(model, spec, gamma):
    """Checks that a model fits an environment, and discounts as the memory of what happened there.

    Args:
        model: a compiled `QLearner`.
        spec: a `zoo.envs.Spec`.
        gamma: the memory's.

    Raises:
        ZooError: as `check_fits`, or another discount.
    """
    check_fits(model, spec)
    compiled = model.settings["gamma"]
    if compiled != gamma:
        raise ZooError(
            f"the memory discounts by {gamma} and the model was compiled with gamma={compiled}: they must be the same"
        )


def check_fits(model, spec):
    """Checks that a model sees what an environment shows, and does what can be done there.

    Args:
        model: a `QLearner`.
        spec: a `zoo.envs.Spec`.

    Raises:
        ZooError: other actions, or observations of another shape.
    """
    shape, actions = tuple(model.inputs[0].shape[1:]), model.actions
    if shape != tuple(spec.shape) or (actions != spec.actions and actions != 1):
        raise ZooError(
            f"the model takes observations of shape {shape} and values {actions} actions; the environment {spec.env} "
            f"shows {tuple(spec.shape)} and has {spec.actions} actions"
        )
