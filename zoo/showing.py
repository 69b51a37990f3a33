"""`zoo play RUN`: a trained agent plays some episodes, which are told in a line each and may be filmed."""

import statistics
from pathlib import Path

from zoo import _staging, runs
from zoo.errors import ZooError, require
from zoo.seeding import check_seed

# Steps shown in a second, where the environment does not say.
FPS = 30
MOST = 1000


def play(run, episodes=5, env=None, seed=0, record=None, fps=None, overwrite=False, verbose=1):
    """Lets a run's agent play, greedily, and tells how it went.

    Args:
        run: a finished run folder of an agent.
        episodes: how many, 1 to 1000.
        env: an environment's name, of as many actions and observations of the same shape; None is the run's own.
        seed: of the first episode; the others have those behind it. The same seed is the same episode.
        record: a file that ends in .gif, or in .mp4 where the package imageio-ffmpeg is installed: the episodes' film.
            It needs no display. Without it nothing is rendered.
        fps: steps of the film in a second, 1 to 1000; None is what the environment says. Where that would make a large
            file, frames are left out; the speed stays.
        overwrite: whether a file that is there is replaced.
        verbose: 0 prints nothing.

    Returns:
        A list of `zoo.playing.Episode`, without frames.

    Raises:
        ZooError: not a finished run, one whose model chooses no actions, an environment that there is not or that does
            not fit, an argument out of range, or a file that is there already; nothing was written.
    """
    for name, value in {"episodes": episodes, **({} if fps is None else {"fps": fps})}.items():
        whole = isinstance(value, int) and not isinstance(value, bool)
        require(whole and 1 <= value <= MOST, name, value, f"a whole number in 1 <= {name} <= {MOST}")
    if fps is not None and record is None:
        raise ZooError(f"fps is of a film, and none is recorded: give record, too. Received: fps={fps!r}")
    seed = check_seed(seed)
    path = None if record is None else Path(record)
    if path is not None:
        from zoo.pictures import episode_film

        episode_film.check(path)
        _staging.refuse_existing([path], overwrite)
    folder = Path(run)
    known = runs.read(folder)

    from zoo.loading import load
    from zoo.playing import play as played

    model = load(folder)
    _check_chooses(model, folder)
    env = env or environment(folder, known)
    seeds = range(seed, seed + episodes)
    if path is None:
        found = played(model, env, seeds)
        _tell(found, verbose)
        return found
    fps = fps or _fps(env)
    found, shots = [], []
    for number, each in enumerate(seeds, 1):
        # One after the other: frames are large.
        (episode,) = played(model, env, [each], render=True)
        shots.append(episode_film.shot(episode, number, episodes, fps))
        episode.frames.clear()
        found.append(episode)
    _tell(found, verbose)
    with _staging.staged([path]) as scratch:
        episode_film.write(shots, scratch / path.name)
    return found


def environment(folder, record):
    """The name of the environment that a run's agent is judged in.

    Args:
        folder: the run folder.
        record: its `recipe.json`, as `zoo.runs.read` gives it.

    Returns:
        A string.
    """
    env = record["hyper"].get("env")
    if isinstance(env, str):
        return env
    # A recipe of one environment takes no argument for it.
    from zoo.preparation import rebuild

    data = rebuild(folder).data
    return (data.validation or data.test or data.train).env


def _check_chooses(model, folder):
    from zoo.tasks import task_of

    task = task_of(model)
    if task != "q_learning":
        raise ZooError(
            f"the run {folder} is of a model for {task}, which plays nothing. Agents do, such as q_table and dqn"
        )
    if model.actions == 1:
        raise ZooError(
            f"the run {folder} is of a model that values states and chooses no actions: it cannot play. Models whose "
            "rule is other than 'evaluation' can"
        )


def _fps(env):
    from zoo import envs

    world = envs.make(env, render_mode="rgb_array")
    try:
        return world.metadata.get("render_fps") or FPS
    finally:
        world.close()


def _tell(episodes, verbose):
    """A line for each episode, and the mean."""
    if not verbose:
        return
    returns = [episode.total for episode in episodes]
    words = [f"{value:g}" for value in returns]
    width = max(map(len, words))
    for number, (episode, said) in enumerate(zip(episodes, words, strict=True), 1):
        steps = f"{episode.length} step{'s' * (episode.length != 1)}"
        print(
            f"episode {number}: return {said:>{width}}, {steps}, {'terminated' if episode.terminated else 'time limit'}"
        )
    spread = f" ± {statistics.stdev(returns):.4g}" if len(returns) > 1 else ""
    lengths = statistics.fmean(episode.length for episode in episodes)
    print(f"mean return {statistics.fmean(returns):.4g}{spread}, mean length {lengths:.4g}")
