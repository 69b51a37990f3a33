"""`build_for`: a model of action values that fits an environment."""

import inspect

from zoo import registry, sources
from zoo.errors import ZooError

# Numbers of an observation that a message names.
NAMED = 6
UNBOUNDED = 1e30


def build_for(name, env, **arguments):
    """Builds a model by name, for what an environment shows and takes.

    Args:
        name: a name of `zoo.list_models(task="q_learning")`.
        env: the environment's name; see `zoo.envs`.
        **arguments: the model's own; they win. `actions=1` values states. Where a range is not bounded, `low` and
            `high` of "q_linear" are given here.

    Returns:
        A `zoo.q_learner.QLearner`, not compiled.

    Raises:
        ZooError: a model of another task, or one that does not take what the environment shows; which do is said.

    Example:
        >>> build_for("q_table", "FrozenLake-v1").output_shape
        (None, 4)
    """
    from zoo.envs import describe

    entry = registry.entry(name)
    if entry.task != "q_learning":
        others = ", ".join(registry.list_models(task="q_learning"))
        raise ZooError(f"{name} is a model for {entry.task}, and an environment takes one of: {others}")
    spec = describe(env)
    # A model of the user's own says itself what it takes.
    if entry.family in sources.families() and name not in fits(spec):
        raise ZooError(_unfit(name, spec))
    taken = inspect.signature(registry.builder(name)).parameters
    known = {"actions": spec.actions, "states": spec.states, "observation_shape": spec.shape}
    fitting = {key: value for key, value in known.items() if key in taken}
    if "low" in taken and len(spec.shape) == 1:
        fitting |= _bounds(name, spec, arguments)
    return registry.build(name, **{**fitting, **arguments})


def fits(spec):
    """The models of the zoo that take what an environment shows.

    Args:
        spec: a `zoo.envs.Spec`.

    Returns:
        A tuple of names; empty where none does.
    """
    if spec.states is not None:
        return ("q_table",)
    if len(spec.shape) == 1:
        return "dqn", "dueling_dqn", "q_linear"
    from zoo.models.q_network import SMALLEST

    frames = len(spec.shape) == 3 and spec.dtype == "uint8" and min(spec.shape[:2]) >= SMALLEST
    return ("nature_dqn", "dueling_dqn") if frames else ()


def _unfit(name, spec):
    """That a model does not take what an environment shows, and which ones do."""
    shows = f"one of {spec.states} states"
    if spec.states is None:
        shows = f"{spec.dtype} observations of shape {spec.shape}"
    works = (
        "None of the zoo's does: flatten it (gymnasium.wrappers.FlattenObservation), or make it frames of uint8, "
        "channels last, of 36 x 36 or more"
    )
    if fits(spec):
        works = f"{' or '.join(fits(spec))} would"
    return f"{spec.env} shows {shows}, which {name} does not take. {works}"


def _bounds(name, spec, arguments):
    """`low` and `high`, as far as they are not given."""
    if "low" in arguments and "high" in arguments:
        return {}
    if spec.low is not None:
        return {"low": spec.low, "high": spec.high}
    if arguments.get("features") == "identity":
        # Only their count matters.
        return {"low": (0.0,) * spec.shape[0], "high": (1.0,) * spec.shape[0]}
    missing = _unbounded(spec.env)
    named = ", ".join(map(str, missing[:NAMED])) + (f" and {len(missing) - NAMED} more" if missing[NAMED:] else "")
    raise ZooError(
        f"{name} divides the range of observations, and {spec.env} has none for the numbers at {named} of its "
        f"{spec.shape[0]}. Give low= and high=, {spec.shape[0]} finite numbers each; dqn needs none"
    )


def _unbounded(env):
    """The places in an observation that have no finite range."""
    from zoo.envs import make

    made = make(env)
    try:
        space = made.observation_space
        largest = [max(map(abs, map(float, pair))) for pair in zip(space.low, space.high, strict=True)]
    finally:
        made.close()
    # Some spaces say "unbounded" with the largest number there is.
    return [place for place, size in enumerate(largest) if not size < UNBOUNDED]
