"""Making environments by name, with one action and one kind of observation that a network or a table can take."""

import importlib
import inspect
import os
import sys

import gymnasium
import numpy as np
from gymnasium.envs.registration import load_env_creator
from gymnasium.wrappers import TimeLimit, TransformAction, TransformObservation

from zoo.envs import atari, registration
from zoo.envs.names import parse
from zoo.envs.off_screen import OffScreen
from zoo.errors import ZooError, require, suggest

# Steps after which an episode is cut where the environment itself sets no limit.
LIMIT = 1000
EXTRA = "`pip install keras-zoo[rl]`"


def make(env, render_mode=None):
    """Makes an environment with discrete actions, by its name.

    Observations are whole numbers from 0 (`Discrete`), or arrays of float32 or uint8 (`Box`); actions are counted
    from 0. Every environment has a time limit: its own, `max_episode_steps` of its name, or 1000 steps. Atari
    games ("ALE/Pong-v5") come preprocessed, see `zoo.envs.atari`; Flappy Bird ("FlappyBird-v0") gives the 12 numbers of
    the next pipes and the bird unless its name says `use_lidar=true`.

    Args:
        env: a gymnasium id, one of the zoo's own ("zoo/Corridor-v0"), or "module:ID" of a module that registers it,
            with options as in "FrozenLake-v1?is_slippery=false"; see `zoo.envs.names.parse`.
        render_mode: None, "rgb_array", "ansi" or "human", as far as the environment knows it.

    Returns:
        A `gymnasium.Env`.

    Raises:
        ZooError: an unknown id, options that it does not take, a package that is not installed, actions that are not
            discrete, or observations that are neither `Box` nor `Discrete`.

    Example:
        >>> corridor = make("zoo/Corridor-v0?length=3")
        >>> corridor.reset(seed=1)[0], corridor.step(1)[0]
        (0, 1)
    """
    return _make(env, render_mode, stacked=True)


def make_single(env, render_mode=None):
    """As `make`, but an Atari game gives one picture (84, 84, 1) instead of the last four.

    It is what a memory stores that keeps each picture once. All other environments are as `make` gives them.
    """
    return _make(env, render_mode, stacked=False)


def make_vector(env, count):
    """Several environments of one kind, stepped together in one process.

    When an episode ends, the next step resets its environment and ignores its action (gymnasium's `NEXT_STEP`).

    Args:
        env: its name, as for `make`.
        count: how many, >= 1.

    Returns:
        A `gymnasium.vector.SyncVectorEnv`.
    """
    whole = isinstance(count, int) and not isinstance(count, bool)
    require(whole and count >= 1, "count", count, "a whole number >= 1")
    return gymnasium.vector.SyncVectorEnv([lambda: make(env)] * count)


def _make(env, render_mode, stacked):
    name, options = parse(env)
    spec = _spec(name)
    limit = options.pop("max_episode_steps", None)
    whole = isinstance(limit, int) and not isinstance(limit, bool)
    require(limit is None or (whole and limit >= 1), "max_episode_steps", limit, "a whole number >= 1")
    limit = limit or spec.max_episode_steps or registration.LIMITS.get(spec.entry_point, LIMIT)
    if spec.entry_point == registration.FLAPPY_BIRD:
        options.setdefault("use_lidar", False)
    if render_mode is not None:
        options["render_mode"] = render_mode
    _check_options(spec, options)
    made = _uniform(_construct(env, spec, limit, options, stacked))
    return made if render_mode in (None, "human") else OffScreen(made)


def _spec(name):
    """The entry of gymnasium's registry."""
    module, _, identifier = name.rpartition(":")
    registration.register()
    if module:
        _import(module)
    elif identifier not in gymnasium.registry:
        _plug_in(identifier)
    try:
        return gymnasium.spec(identifier)
    except gymnasium.error.Error:
        ids = list(gymnasium.registry)
        same = [known for known in ids if _core(known) == _core(identifier)][-1:]
        close = suggest(identifier, ids) or (f" Did you mean {same[0]!r}?" if same else "")
        raise ZooError(
            f"there is no environment named {identifier!r}.{close} One of your own is named together with the module "
            "that registers it: 'module:ID'"
        ) from None


def _core(identifier):
    return identifier.rpartition("/")[2].partition("-v")[0].lower()


def _import(module):
    before = sys.path.copy()
    # A command of the console does not look into the present folder by itself.
    sys.path.append(os.getcwd())
    try:
        importlib.import_module(module)
    except Exception as error:
        raise ZooError(f"the module {module!r} cannot be imported: {type(error).__name__}: {error}") from error
    finally:
        sys.path[:] = before


def _plug_in(identifier):
    """Imports the package that registers it, which is known by how the id begins, or else all there are."""
    named = [row for row in registration.PACKAGES if identifier.startswith(row[1])]
    for package, _, load in named or registration.PACKAGES:
        try:
            load()
        except ImportError as error:
            if named:
                raise ZooError(f"{identifier} needs the package {package}: {error}. {EXTRA} has it") from error


def _check_options(spec, options):
    """Says what an environment does not take before it is made, where it can be known."""
    try:
        creator = spec.entry_point if callable(spec.entry_point) else load_env_creator(spec.entry_point)
        parameters = inspect.signature(creator).parameters
    except Exception:
        return  # what is missing is said when it is made
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    for key in options:
        if key not in parameters and not takes_all:
            known = sorted({*parameters, "max_episode_steps"} - {"render_mode"})
            raise ZooError(f"{spec.id} has no option {key!r}.{suggest(key, known)} It takes {', '.join(known)}")
    metadata = getattr(creator, "metadata", None)
    modes = metadata.get("render_modes") if isinstance(metadata, dict) else None
    mode = options.get("render_mode")
    drawn = mode is None or modes is None or mode in modes or (mode == "human" and "rgb_array" in modes)
    require(drawn, "render_mode", mode, f"None or one of {', '.join(map(repr, modes or ()))} for {spec.id}")


def _construct(env, spec, limit, options, stacked):
    screen = atari.is_screen(spec, options)
    given = atari.options_of(options) if screen else options
    made = None
    try:
        made = gymnasium.make(spec, max_episode_steps=-1 if screen else limit, **given)
        _check(made, env)
        # The limit counts what the agent does, not the emulator's frames.
        return TimeLimit(atari.preprocess(made, stacked), limit) if screen else made
    except Exception as error:
        if made is not None:
            made.close()
        if isinstance(error, ZooError):
            raise
        if isinstance(error, ImportError | gymnasium.error.DependencyNotInstalled):
            extra = f". {EXTRA} has it" if spec.entry_point in registration.EXTRA else ""
            raise ZooError(f"{spec.id} needs a package that is not installed: {error}{extra}") from error
        raise ZooError(f"{env} cannot be made: {type(error).__name__}: {error}") from error


def _check(made, env):
    actions, seen = made.action_space, made.observation_space
    if not isinstance(actions, gymnasium.spaces.Discrete):
        kind = "continuous actions" if isinstance(actions, gymnasium.spaces.Box) else "another kind of actions"
        raise ZooError(
            f"Q-learning chooses one of several actions: a gymnasium Discrete space. {env!r} has {kind}: {actions}"
        )
    if not isinstance(seen, gymnasium.spaces.Box | gymnasium.spaces.Discrete):
        raise ZooError(
            f"an observation must be one array or one whole number: a gymnasium Box or Discrete space. {env!r} gives "
            f"{seen}. Flatten it: register a function that returns gymnasium.wrappers.FlattenObservation("
            "gymnasium.make(ID)), and name it 'module:ID'"
        )


def _uniform(made):
    """Counts actions and states from 0, and gives float32 instead of other numbers but uint8."""
    spaces = gymnasium.spaces
    actions, seen = made.action_space, made.observation_space
    if actions.start:
        first = actions.start
        made = TransformAction(made, lambda action: action + first, spaces.Discrete(actions.n))
    if isinstance(seen, spaces.Discrete):
        if seen.start:
            made = TransformObservation(made, lambda state: state - seen.start, spaces.Discrete(seen.n))
        return made
    dtype = np.dtype(np.uint8 if seen.dtype == np.uint8 else np.float32)
    shape = seen.shape or (1,)
    if (dtype, shape) != (seen.dtype, seen.shape):
        # What float32 cannot hold is unbounded.
        with np.errstate(over="ignore"):
            low, high = (bound.astype(dtype).reshape(shape) for bound in (seen.low, seen.high))
        space = spaces.Box(low, high, dtype=dtype)
        made = TransformObservation(made, lambda given: np.asarray(given, dtype).reshape(shape), space)
    return made
