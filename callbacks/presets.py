"""Learning-rate curves by name, for recipes and studies: each makes sense over any number of steps."""

from callbacks import curves, cycles


def _of_training(curve):
    """A curve in steps with the whole training as its unit of time: t runs from 0 to 1."""
    return lambda progress: curve(progress, steps=1)


# What a picture says of the curve, with a for its highest value and p for progress, and what makes it from that value.
PRESETS = {
    "constant": ("$a$", curves.constant),
    "step": (
        "$a$, from $p = 0.5$ on $a/10$, from 0.75 on $a/100$",
        lambda a: curves.piecewise((0.5, 0.75), (a, a / 10, a / 100)),
    ),
    "linear": ("$a\\,(1 - p)$", lambda a: curves.linear(a, 0.0)),
    "polynomial": ("$a\\,(1 - p)^2$", lambda a: curves.polynomial(a, 0.0, 2.0)),
    "inverse_time": ("$a\\,/\\,(1 + 9 p)$", lambda a: _of_training(curves.inverse_time(a, 9.0))),
    "exponential": ("$a\\;0.01^p$", lambda a: _of_training(curves.exponential(a, 0.01))),
    "natural_exponential": ("$a\\,e^{-3 p}$", lambda a: _of_training(curves.natural_exponential(a, 3.0))),
    "cosine": ("$a/2\\;(1 + \\cos\\,\\pi p)$", curves.cosine),
    "cosine_restarts": (
        "3 cosines, each twice as long",
        lambda a: cycles.cosine_restarts(a, cycles=3, growth=2.0),
    ),
    "warmup": ("up over a tenth, then $a$", lambda a: curves.warmup(0.1, curves.constant(a))),
    "warmup_cosine": ("up over a tenth, then cosine", lambda a: curves.warmup(0.1, curves.cosine(a))),
    "triangular": ("$a/10$ to $a$, 4 cycles", lambda a: cycles.triangular(a / 10, a, 1 / 8)),
    "triangular2": ("$a/10$ to $a$, the height halves", lambda a: cycles.triangular2(a / 10, a, 1 / 8)),
    "exp_range": (
        "$a/10$ to $a$, the height falls as $0.1^p$",
        lambda a: _of_training(cycles.exp_range(a / 10, a / 10 + 0.9 * a * 0.1 ** (-1 / 8), 1 / 8, 0.1)),
    ),
    "one_cycle": ("$a/10$ to $a$ and back over 0.9, then to 0", lambda a: cycles.one_cycle(a)[0]),
}


def curve(name, value):
    """A learning-rate curve by name.

    | name | over progress p, for a highest value a |
    |---|---|
    | `constant` | a |
    | `step` | a, from p = 0.5 a/10, from p = 0.75 a/100 |
    | `linear` | a (1 - p) |
    | `polynomial` | a (1 - p)² |
    | `inverse_time` | a / (1 + 9p): ends at a/10 |
    | `exponential` | a 0.01^p: ends at a/100 |
    | `natural_exponential` | a exp(-3p): ends at a/20 |
    | `cosine` | a/2 (1 + cos πp) |
    | `cosine_restarts` | three cosines, each twice as long as the one before |
    | `warmup`, `warmup_cosine` | up from 0 over a tenth, then constant or cosine |
    | `triangular` | a/10 to a and back, four times |
    | `triangular2` | the same, the height halves from cycle to cycle |
    | `exp_range` | the same, the height falls as 0.1^p |
    | `one_cycle` | a/10 to a and back over 0.9, then to 0 (the rate alone: `one_cycle` has the momentum too) |

    Args:
        name: one of the table.
        value: the highest value, above 0.

    Returns:
        A curve; it needs no number of steps.

    Raises:
        ValueError: an unknown name, or a value of 0 or less.

    Example:
        >>> round(float(curve("warmup_cosine", 0.4)(0.55)), 6)
        0.2
    """
    if name not in PRESETS:
        raise ValueError(f"there is no curve {name!r}. What works: {', '.join(PRESETS)}")
    if not value > 0:
        raise ValueError(f"a learning-rate curve has a highest value above 0. Received: value={value!r}")
    _, make = PRESETS[name]
    return make(value)
