"""TD(lambda) against lambda on the random walk: the error over the first episodes, by learning rate.

Sutton, Barto 2018, Reinforcement learning, example 7.1 and figures 12.3 (the forward view) and 12.6 (the backward one).
"""

import numpy as np

from zoo.report import panels
from zoo.td_lambda import EPISODES, VIEWS, errors, walks

LAMBDAS = (0.0, 0.4, 0.8, 0.9, 0.95, 0.975, 0.99, 1.0)
# Closer to each other where they are small: there large lambdas learn best.
RATES = np.linspace(0, 1, 41) ** 2
# The heights of the book's figures.
HEIGHTS = 0.24, 0.56
TITLES = {
    "online": "Backward view, TD(λ):\nthe increments of each step at once",
    "returns": "Forward view, off-line λ-return: after the episode\none state after another",
    "offline": "Either view: after the episode\nthe sum of its increments",
}


def page(runs=100, found=None):
    """Draws the error of TD(lambda) on the random walk of 19 states against the learning rate, a curve for each lambda.

    All panels learn from the same walks. It shows its progress.

    Args:
        runs: walks of ten episodes, over which errors are averaged, an integer >= 1.
        found: a dict from each of `zoo.td_lambda.VIEWS` to what `errors` gave for `LAMBDAS` and `RATES`, which is drawn
            instead of computed.

    Returns:
        A matplotlib figure of three panels.
    """
    found = _computed(runs) if found is None else found
    figure, axes = panels(len(VIEWS), 1, 4.6, 4.4)
    for axis, view in zip(axes, VIEWS, strict=True):
        best = np.unravel_index(np.argmin(found[view]), found[view].shape)
        for index, (decay, curve) in enumerate(zip(LAMBDAS, found[view], strict=True)):
            # What is far above the panel would bend the line that leaves it.
            axis.plot(RATES, np.minimum(curve, 10), color=f"C{index}", linewidth=1.4, label=f"λ = {decay:g}")
        axis.plot(RATES[best[1]], found[view][best], "o", color=f"C{best[0]}", markersize=5)
        axis.set(xlabel="learning rate α", ylabel="root mean squared error", ylim=HEIGHTS, xlim=(0, 1))
        axis.set_title(f"{TITLES[view]}\n(least: {found[view][best]:.3f})", fontsize=10)
        axis.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", fontsize=9)
    figure.suptitle(f"Random walk of 19 states: error over the first {EPISODES} episodes, mean of {runs} runs")
    return figure


def _computed(runs):
    from keras.utils import Progbar

    walked, found, bar = walks(runs), {}, Progbar(100 * len(VIEWS), unit_name="percent")
    for number, view in enumerate(VIEWS):

        def progress(share, number=number):
            bar.update(int(100 * (number + share)))

        found[view] = errors(walked, LAMBDAS, RATES, view, progress=progress)
    return found
