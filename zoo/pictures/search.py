"""Pictures of a hyper-parameter search: its trials side by side, what mattered, and how the best was reached."""

import math

import numpy as np

from zoo.errors import choose, require
from zoo.pictures.search_axes import Axis, ends_of, goodness
from zoo.report import panels
from zoo.search_importance import LEAST, measure, scored

# Best dark, worst pale: a perceptually uniform map, dark on white.
MAP = "viridis_r"
BEST, GREY = "C3", "0.72"
STRIP = 0.05


def parallel_coordinates(trials, objective=("val_accuracy", "max"), scales=None, title=""):
    """One axis a hyper-parameter, the score last, a line a trial: dark where the score is good, the best marked.

    Trials that were stopped or failed are thin and grey; without a score their line ends at the last hyper-parameter.
    Scores far behind the others are drawn at the edge of their axis, whose end then says so.

    Args:
        trials: a list of dicts with `id`, `values` (a dict from hyper-parameter to a number, string or bool), `score`
            (a float or None) and `status` (`"complete"`, `"stopped"` or `"failed"`).
        objective: the score's name and direction, `"max"` or `"min"`.
        scales: a dict from hyper-parameter to `"log"`, `"linear"` or `"choice"`; without an entry, numbers are linear
            and everything else is a choice.
        title: the figure's.

    Returns:
        A matplotlib figure.

    Raises:
        ZooError: no trial, an unknown direction or scale, or a logarithmic scale of values that are not above 0.
    """
    from matplotlib import colormaps

    name, _ = _check(trials, objective)
    names = list(dict.fromkeys(key for trial in trials for key in trial["values"]))
    axes = [Axis(key, [trial["values"].get(key) for trial in trials], (scales or {}).get(key)) for key in names]
    ends = ends_of(trials, objective)
    complete = [i for i, trial in enumerate(trials) if trial["status"] == "complete" and scored(trial)]
    ordered = sorted(complete, key=lambda i: goodness(trials[i], objective))
    places = np.array([axis.places(trials, objective) for axis in axes]).T.reshape(len(trials), len(axes))
    heights = np.array([ends.height(trial) for trial in trials])
    places = np.concatenate([places, heights[:, None]], axis=1)

    widest = max(len(each) for each in [*names, name])
    labels = max((len(text) for axis in axes for text in axis.ticks.values()), default=0)
    width = max(1.25, 0.085 * widest + 0.15, 0.075 * labels + 0.45)
    figure, (host,) = panels(1, 1, max(5.0, width * len(names) + 2.0), 4.6)
    across = np.arange(len(names) + 1)
    for number in range(len(trials)):
        if number not in complete:
            host.plot(across, places[number], color=GREY, linewidth=0.6, zorder=1)
    crowd = 1.6 if len(complete) <= 40 else 1.0
    colours = colormaps[MAP]
    for rank, number in enumerate(ordered[:-1]):
        share = heights[number] if objective[1] == "max" else 1 - heights[number]
        host.plot(across, places[number], color=colours(share), linewidth=crowd, alpha=0.85, zorder=2 + rank / 1e4)
    if ordered:
        best = trials[ordered[-1]]
        label = f"best: trial {best['id']}, {best['score']:.6g}"
        line = dict(color=BEST, linewidth=2.4, marker="o", markersize=5, zorder=4, clip_on=False)
        host.plot(across, places[ordered[-1]], **line, label=label)
    grey = [f"{count} {status}" for status in ("stopped", "failed") if (count := _count(trials, status))]
    if grey:
        host.plot([], [], color=GREY, linewidth=0.9, label=", ".join(grey))
    host.plot([], [], color=colours(0.8), linewidth=1.6, label=f"{len(complete)} complete, the darker the better")
    _frame(host, axes, name, ends, objective[1])
    columns = 3 if figure.get_figwidth() > 8 else 1
    figure.legend(loc="outside lower center", ncols=columns, frameon=False, fontsize=9)
    figure.suptitle(title)
    return figure


def importance(trials, objective, title=""):
    """How much each hyper-parameter mattered (`zoo.search_importance.importances`), the largest on top.

    Args:
        trials, objective: as for `parallel_coordinates`.
        title: the figure's.

    Returns:
        A matplotlib figure: means as bars, with a standard deviation over forests either side, and above them how far
        the forests can be believed. Of too few trials it says so, and nothing else.

    Raises:
        ZooError: no trial, or an unknown direction.
    """
    _check(trials, objective)
    found = measure(trials, objective)
    if found is None:
        figure, (axis,) = panels(1, 1, 7.0, 1.6)
        axis.axis("off")
        count = _count(trials, "complete")
        axis.set_title(f"{count} complete trials are too few for importances: at least {LEAST} are needed", y=0.4)
        figure.suptitle(title)
        return figure
    figure, (axis,) = panels(1, 1, 7.0, 0.36 * len(found.shares) + 1.5)
    means, deviations = np.array(list(found.shares.values())).T
    places = np.arange(len(means))
    axis.barh(places, means, xerr=deviations, color="C0", height=0.66, error_kw=dict(ecolor="0.25", capsize=3))
    axis.set_yticks(places, list(found.shares))
    axis.invert_yaxis()
    axis.axvline(0, color="black", linewidth=0.8)
    low, high = min(0.0, (means - deviations).min()), max(0.2, (means + deviations).max())
    axis.set_xlim(low - 0.03 * high, 1.05 * high)
    axis.set_ylabel("hyper-parameter")
    axis.set_xlabel("importance: share of the variance that goes with it (10 forests)")
    axis.xaxis.label.set_fontsize(9)
    axis.grid(axis="x", alpha=0.3)
    said = f"of {found.trials} trials; forests foretell {max(0.0, found.explained):.0%} of the ranks of unseen trials"
    axis.set_title(f"{objective[0]} {said}", fontsize=9)
    figure.suptitle(title)
    return figure


def progress(trials, objective, title=""):
    """The score of each trial in order, the best so far, and the default, which is trial 0.

    Args:
        trials: as for `parallel_coordinates`, in the order in which they began; one whose `id` is 0 is the default.
        objective: the score's name and direction.
        title: the figure's.

    Returns:
        A matplotlib figure. Scores far behind the others are triangles at the edge.

    Raises:
        ZooError: no trial, or an unknown direction.
    """
    name, direction = _check(trials, objective)
    ends = ends_of(trials, objective)
    figure, (axis,) = panels(1, 1, 7.4, 4.0)
    numbers = np.arange(len(trials))
    values = np.array([np.clip(t["score"], ends.low, ends.high) if scored(t) else math.nan for t in trials])
    beyond = np.array([scored(trial) and not ends.low <= trial["score"] <= ends.high for trial in trials])
    status = np.array([trial["status"] for trial in trials])
    complete, stopped = (((status == each) & np.isfinite(values)) for each in ("complete", "stopped"))
    away = "v" if direction == "max" else "^"
    for chosen, mark, style, label in (
        (complete & ~beyond, "o", dict(color="C0"), "complete"),
        (stopped & ~beyond, "o", dict(markerfacecolor="white", color="0.55"), "stopped"),
        (complete & beyond, away, dict(color="C0"), "complete, beyond the axis"),
        (stopped & beyond, away, dict(markerfacecolor="white", color="0.55"), "stopped, beyond the axis"),
    ):
        if chosen.any():
            axis.plot(numbers[chosen], values[chosen], mark, markersize=5, label=label, zorder=2, **style)
    failed = ~np.isfinite(values)
    if failed.any():
        edge = ends.low if direction == "max" else ends.high
        axis.plot(numbers[failed], [edge] * failed.sum(), "x", color="black", label="without a score", zorder=2)
    if complete.any():
        better = np.fmax if direction == "max" else np.fmin
        axis.step(
            numbers, better.accumulate(np.where(complete, values, np.nan)), where="post", color=BEST, label="best"
        )
    first = next((i for i, trial in enumerate(trials) if str(trial["id"]).strip("0") == "" and complete[i]), None)
    if first is not None:
        axis.axhline(values[first], color="black", linestyle="--", linewidth=1, zorder=1)
        score = trials[first]["score"]
        axis.plot(first, values[first], "D", color="black", markersize=7, label=f"the default: {score:.6g}", zorder=3)
    margin = 0.06 * (ends.high - ends.low) or 0.01 * abs(ends.low) or 1.0
    axis.set_ylim(ends.low - margin, ends.high + margin)
    axis.set_xlabel("trial")
    axis.set_ylabel(_words(name))
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    figure.suptitle(title)
    return figure


def _frame(host, axes, name, ends, direction):
    """Draws the axes themselves over the lines, each with its ticks, and the strip of colours beside the last."""
    last = len(axes)
    host.set_xlim(0, last + STRIP)
    host.set_ylim(-0.03, 1.03)
    host.set_xticks(range(last), [axis.name for axis in axes], fontsize=10)
    host.set_xlabel("hyper-parameter")
    host.tick_params(axis="x", length=0, pad=6)
    host.yaxis.set_visible(False)
    for side in host.spines.values():
        side.set_visible(False)
    for number, ticks in enumerate([*(axis.ticks for axis in axes), ends.ticks(direction)]):
        beside = host.twinx()
        beside.set_ylim(host.get_ylim())
        beside.tick_params(axis="x", bottom=False, labelbottom=False)
        place = (number + (STRIP if number == last else 0)) / (last + STRIP)
        for where, side in beside.spines.items():
            side.set_visible(where == "right")
        beside.spines["right"].set_position(("axes", place))
        beside.spines["right"].set_bounds(0, 1)
        beside.set_yticks(list(ticks), list(ticks.values()), fontsize=8.5)
        for label in beside.get_yticklabels():
            label.set_bbox(dict(facecolor="white", edgecolor="none", alpha=0.75, pad=0.8))
    beside.set_ylabel(_words(name))
    shades = np.linspace(0, 1, 256)[:, None]
    shades = shades if direction == "max" else 1 - shades
    host.imshow(shades, cmap=MAP, aspect="auto", origin="lower", extent=(last, last + STRIP, 0, 1), zorder=3)
    host.set_xlim(0, last + STRIP)
    host.set_ylim(-0.03, 1.03)


def _check(trials, objective):
    require(len(trials) > 0, "trials", trials, "a list of at least one trial")
    name, direction = objective
    choose("the objective's direction", direction, ("max", "min"))
    return name, direction


def _count(trials, status):
    return sum(trial["status"] == status for trial in trials)


def _words(name):
    return name.replace("val_", "validation ").replace("_", " ")
