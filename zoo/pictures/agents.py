"""Pictures of an agent: how healthy its training was, what it values, and an episode that it plays."""

from pathlib import Path

import numpy as np

from zoo import envs, runs
from zoo.pictures import grid_maps, grid_worlds, value_surface
from zoo.playing import play
from zoo.report import panels, save

# What shows how healthy a training was: a panel's title, and its lines by column of the history.
HEALTH = (
    ("return", {"val_return": "evaluation, greedy", "train_return": "training, exploring"}),
    ("mean value on fixed states", {"q": "value of the best action"}),
    ("mean action gap there", {"action_gap": "best to second best action"}),
    ("failures in the memory", {"failures": "share of transitions that end"}),
    ("temporal difference", {"td_error": "mean size"}),
    ("gradient norm", {"gradient_norm": "mean"}),
    ("exploration", {"epsilon": "share of random actions"}),
)
# Panels of numbers that span more than this factor have a logarithmic axis.
DECADES = 100
# An environment of at most so many states and actions that has no map is shown as a table.
STATES, ACTIONS = 30, 12
# Observations whose values are computed at once.
CHUNK = 512


def draw(folder, model, data):
    """Draws the pictures of a run of an agent.

    Args:
        folder: the run folder; its `history.csv` is read.
        model: the trained `zoo.q_learner.QLearner`.
        data: the run's data, `zoo.data.experience`: the first episode of its test part, or of its validation part, is
            played.

    Returns:
        The paths: `health.png`; `episode.png`, of a model that chooses actions; and where they apply `policy.png` and
        `q_table.png` (grid worlds, other environments of few states), or `values.png` (over planes of observations).
    """
    folder = Path(folder)
    record = runs.read(folder)
    title = f"{Path(record['recipe']).stem}, seed {record['seed']}"
    part = data.test or data.validation
    spec = envs.describe(part.env)
    episode = None
    figures = {"health": health(runs.history(folder), title)}
    if model.actions > 1:
        (episode,) = play(model, part.env, part.seeds[:1])
        values = _values(model, np.stack(episode.observations).astype(spec.dtype))
        figures["episode"] = strip(episode, values, model.settings["gamma"], spec.action_names, title)
    figures |= _of_states(model, spec, title, episode)
    return [save(figure, folder / f"{name}.png") for name, figure in figures.items()]


def health(rows, title):
    """What foretells that a policy collapses, epoch by epoch, under the return.

    A value that runs away from any return, an action gap that closes, a memory without failures: the loss need not
    show any of it.

    Args:
        rows: the rows of a `history.csv`; what it does not have is left out. Where `collapses` grows
            (`zoo.policy_watch.PolicyWatch`), a line is drawn through all panels.
        title: the figure's.

    Returns:
        A matplotlib figure.
    """
    panes = [
        (name, {key: label for key, label in lines.items() if any(key in row for row in rows)})
        for name, lines in HEALTH
    ]
    panes = [(name, lines) for name, lines in panes if lines]
    across = 2 if len(panes) < 5 else 3
    figure, axes = panels(across, -(-len(panes) // across), 4.2, 2.9)
    for axis in axes[len(panes) :]:
        axis.axis("off")
    fallen = _collapses(rows)
    for axis, (name, lines) in zip(axes, panes, strict=False):
        drawn = []
        for number, (key, label) in enumerate(lines.items()):
            points = np.array([(row["epoch"], row[key]) for row in rows if key in row])
            drawn += points[np.isfinite(points[:, 1]), 1].tolist()
            style = dict(linewidth=1.6) if number == 0 else dict(linewidth=0.9, color="0.55", zorder=1)
            axis.plot(*points.T, label=label, marker="." if len(points) < 15 else None, **style)
        if drawn and min(drawn) > 0 and max(drawn) > DECADES * min(drawn):
            axis.set_yscale("log")
        for epoch in fallen:
            axis.axvline(
                epoch, color="C3", linestyle="--", linewidth=1, label="collapse" if epoch == fallen[0] else None
            )
        axis.set_xlabel("epoch")
        axis.set_ylabel(name if len(lines) > 1 else next(iter(lines.values())))
        axis.set_title(name, fontsize=10)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        if len(lines) > 1:
            axis.legend(fontsize=8)
    figure.suptitle(title)
    return figure


def strip(episode, values, gamma, actions, title):
    """One episode, step by step: what the agent expected, what it got, and what it did.

    Above, the value of the best action and, behind it, those of all; and the discounted return that came from there
    on, so that values too high can be seen (van Hasselt, Guez, Silver 2016, section 5.1). Where the time limit ended
    the episode, the value of what was seen last stands for the rest.

    Args:
        episode: a `zoo.playing.Episode`.
        values: of its observations, (steps + 1, actions).
        gamma: discount of a step.
        actions: names of the actions.
        title: the figure's.

    Returns:
        A matplotlib figure.
    """
    figure, (above, middle, below) = panels(1, 3, 8.4, 2.1)
    steps = np.arange(episode.length)
    seen = values[: episode.length]
    low, high = seen.min(-1), seen.max(-1)
    rest = 0.0 if episode.terminated else float(values[-1].max())
    came = discounted(episode.rewards, gamma, rest)
    mark = "." if episode.length < 15 else None
    above.fill_between(steps, low, high, color="C0", alpha=0.2, linewidth=0, label="values of all actions")
    above.plot(steps, high, color="C0", marker=mark, label="value of the best action")
    above.plot(steps, came, color="black", linewidth=1.2, marker=mark, label="return from there on")
    above.set_ylabel(f"discounted, γ = {gamma:g}")
    above.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False)
    rewards = [*episode.rewards, episode.rewards[-1]]
    middle.step([*steps, episode.length], rewards, where="post", color="C2", linewidth=1.2)
    middle.set_ylabel("reward")
    if np.ptp(episode.rewards) == 0:
        middle.set_ylim(episode.rewards[0] - 1, episode.rewards[0] + 1)
    below.plot(steps, episode.actions, "|" if episode.length > 60 else "s", color="C3", markersize=7)
    below.set_yticks(range(len(actions)), actions, fontsize=9 if len(actions) <= 6 else 6)
    below.set_ylim(-0.6, len(actions) - 0.4)
    below.set_ylabel("action")
    for axis in (above, middle, below):
        axis.set_xlim(-0.5, episode.length + 0.5)
        axis.grid(alpha=0.3)
    below.set_xlabel("step")
    below.xaxis.get_major_locator().set_params(integer=True)
    how = "terminated" if episode.terminated else "time limit"
    length = f"{episode.length} step{'s' * (episode.length != 1)}"
    figure.suptitle(f"{title}: an episode of return {episode.total:g}, {length}, {how}")
    return figure


def discounted(rewards, gamma, rest=0.0):
    """The discounted return from each step on.

    Args:
        rewards: of each step.
        gamma: discount of a step.
        rest: what comes behind the last one.

    Returns:
        An array of as many numbers.

    Example:
        >>> discounted([0.0, 0.0, 1.0], 0.5).tolist()
        [0.25, 0.5, 1.0]
    """
    found = np.empty(len(rewards))
    for step in range(len(rewards) - 1, -1, -1):
        found[step] = rest = rewards[step] + gamma * rest
    return found


def _of_states(model, spec, title, episode):
    """The figures of what is valued, by name."""
    if spec.states is None:
        planes = value_surface.planes(spec)
        walk = episode.observations if episode else None
        names = spec.action_names
        return (
            {"values": value_surface.surfaces(planes, lambda seen: _values(model, seen), names, title, walk)}
            if planes
            else {}
        )
    values = _values(model, np.arange(spec.states, dtype="int32"))
    names = spec.action_names if model.actions > 1 else ("value",)
    maps = grid_maps.maps(spec.env)
    if maps:
        found = {"policy": grid_worlds.page(maps, values, names, title)}
        if len(maps) == 1 and model.actions > 1:
            found["q_table"] = grid_worlds.table(maps[0], values, names, title)
        return found
    if spec.states <= STATES and len(names) <= ACTIONS:
        return {"q_table": grid_worlds.few_states(values, names, title)}
    return {}


def _values(model, observations):
    """Values of observations, (n, actions)."""
    import keras

    parts = [
        keras.ops.convert_to_numpy(model(observations[first : first + CHUNK], training=False))
        for first in range(0, len(observations), CHUNK)
    ]
    return np.concatenate(parts).astype("float32")


def _collapses(rows):
    """Epochs in which a collapse was noticed."""
    counts = [row.get("collapses", 0.0) for row in rows]
    before = [0.0, *counts]
    return [row["epoch"] for row, count, last in zip(rows, counts, before, strict=False) if count > last]
