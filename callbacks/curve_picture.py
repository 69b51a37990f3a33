"""All curves on one picture."""

import math

import numpy as np
from keras import ops

from callbacks import curves as _curves
from callbacks.cycles import one_cycle
from callbacks.presets import PRESETS, curve

ACROSS = 4


def draw_curves(curves=None, steps=1000):
    """Draws curves against the step, each in a panel of its own.

    Args:
        curves: a dict from titles to curves; by default every curve that `curve` knows by name, for a highest value a
            of 1, with its formula over progress p, and the momentum of `one_cycle`.
        steps: number of steps of the training.

    Returns:
        A matplotlib figure.

    Example:
        >>> figure = draw_curves({"warm-up, cosine": warmup(0.1, cosine(0.4)), "linear": linear(0.4, 0.0)})
        >>> [axis.get_title() for axis in figure.axes]
        ['warm-up, cosine', 'linear']
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    named = curves is None
    if named:
        curves = {f"{name}\n{formula}": curve(name, 1.0) for name, (formula, _) in PRESETS.items()}
        curves["one_cycle: momentum\n0.95 to 0.85 and back over 0.9"] = one_cycle(1.0)[1]
    across = min(ACROSS, len(curves))
    down = math.ceil(len(curves) / across)
    figure = Figure(figsize=(3.1 * across, 2.2 * down), layout="constrained")
    FigureCanvasAgg(figure)
    progress = ops.convert_to_tensor(np.arange(steps) / steps, "float32")
    for place, (title, shape) in enumerate(curves.items()):
        axis = figure.add_subplot(down, across, place + 1)
        values = np.broadcast_to(ops.convert_to_numpy(_curves.value(shape, progress, steps)), steps)
        axis.plot(values)
        axis.set_title(title, fontsize=9)
        axis.grid(alpha=0.3)
        if min(values) >= 0:
            axis.set_ylim(-0.03 * max(values), 1.05 * max(values) or None)
        if place >= len(curves) - across:
            axis.set_xlabel(f"step ($p$ = step / {steps})" if named else "step")
        if place % across == 0:
            axis.set_ylabel("value ($a$ = 1)" if named else "value")
    return figure
