"""The course's table of convergence as experiments: which way of learning is tried where, and what theory says of it.

Sutton, Barto 2018, Reinforcement learning, chapter 11; Tsitsiklis, Van Roy 1997, An analysis of temporal-difference
learning; Baird 1995, Residual algorithms. `zoo.convergence` lets the agents of the cells learn.

Where off-policy TD(0) with a linear function diverges, gamma^2 E[rho^2] is above 1 for the ratio rho of importance
sampling: below it, gamma P is a contraction in the norm of the behaviour's states, by Jensen's inequality. The product
of ratios along an episode then has a variance that grows without bound. So Monte Carlo's cell has Baird's star with a
behaviour that is nearer to the policy which is valued; with the book's behaviour it does not get there either.
"""

import itertools
from dataclasses import dataclass, field

KINDS = ("table", "linear", "neural")
# What theory says.
YES, CHATTERS, NO = "converges", "chatters", "no guarantee"
WALK, BAIRD, SPIRAL = "zoo/RandomWalk-v0", "zoo/Baird-v0", "zoo/Spiral-v0"
# Monte Carlo's star off the policy: cut where the discount 0.9 has left 1 / 38 000.
SHORT = f"{BAIRD}?max_episode_steps=100"
STAR, CAR, POLE = "zoo/Star-v0", "MountainCar-v0?max_episode_steps=1000", "CartPole-v1"
# The policy that is valued: of the walk and the spiral, and of the star.
EVEN, SOLID = (0.5, 0.5), (0.0, 1.0)
# Policies that act: near the first, of the book's figure 11.2, and near the second.
UNEVEN, DASHED, MOSTLY_SOLID = (0.6, 0.4), (6 / 7, 1 / 7), (0.1, 0.9)


@dataclass(frozen=True)
class Cell:
    """A cell of the table.

    Args:
        part: "on-policy" and "off-policy" value a policy, "control" looks for the best one.
        method: "MC", "TD(0)", "TD(λ)", "Sarsa" or "Q-learning".
        kind: one of `KINDS`.
        theory: `YES`, `CHATTERS` (around the best values) or `NO`.
        env: the environment's name.
        rate: the learning rate.
        size: of a point of the curve: a dict of `episodes` or `steps`, see `zoo.online.Online`.
        options: of `QLearner.compile`.
        explore: whether epsilon falls from 1 to 0 over the run.
    """

    part: str
    method: str
    kind: str
    theory: str
    env: str
    rate: float
    size: dict
    options: dict = field(default_factory=dict)
    explore: bool = False

    @property
    def name(self):
        return f"{self.part} {self.method} {self.kind}"

    @property
    def quantity(self):
        """What its curve shows: "error", or for control of what has no table "return"."""
        return "return" if self.env in (CAR, POLE) else "error"


MONTE_CARLO = dict(trace=1.0, update="episode")
LAMBDA = 0.4


def _valuing():
    """The cells of prediction: by row, and in a row by column."""
    ways = {"MC": MONTE_CARLO, "TD(0)": dict(trace=0.0), "TD(λ)": dict(trace=LAMBDA)}
    for part, (method, way) in itertools.product(("on-policy", "off-policy"), ways.items()):
        off, late = part == "off-policy", method == "MC"
        way = dict(rule="evaluation", **way)
        even = way | (dict(gamma=1.0, behaviour=UNEVEN, followed=EVEN) if off else dict(gamma=1.0, behaviour=EVEN))
        rate = 0.005 if late else 0.02
        yield Cell(part, method, "table", YES, WALK, rate, dict(episodes=50), even)

        star = way | dict(gamma=0.99, behaviour=DASHED, followed=SOLID if off else None)
        env, rate, size = BAIRD, 0.01 if off else 0.02, dict(steps=50 if off else 250)
        if late:
            rate, size = 4e-4, dict(episodes=2)
        if off and late:
            star |= dict(gamma=0.9, behaviour=MOSTLY_SOLID)
            env, rate, size = SHORT, 1e-3, dict(episodes=5)
        yield Cell(part, method, "linear", NO if off and not late else YES, env, rate, size, star)

        rate, size = (0.1, dict(episodes=100)) if late else (0.01, dict(episodes=20))
        yield Cell(part, method, "neural", YES if late else NO, SPIRAL, rate, size, even)


def _control():
    """The cells of control."""
    ways = {
        "MC": dict(rule="sarsa", **MONTE_CARLO),
        "Sarsa": dict(rule="sarsa", trace=0.0),
        "Q-learning": dict(rule="q_learning", trace=0.0),
    }
    for method, way in ways.items():
        late = method == "MC"
        rate, size = 0.1, dict(episodes=25)
        yield Cell("control", method, "table", YES, WALK, rate, size, way | dict(gamma=0.9), explore=True)

        if method == "Q-learning":
            star = way | dict(gamma=0.99, epsilon=1.0)
            yield Cell("control", method, "linear", NO, STAR, 0.01, dict(steps=250), star)
        else:
            car = way | dict(gamma=1.0, epsilon=0.0)
            rate = 0.002 if late else 0.0625
            yield Cell("control", method, "linear", CHATTERS, CAR, rate, dict(episodes=5), car)

        pole = way | dict(gamma=0.99, epsilon=0.1)
        yield Cell("control", method, "neural", NO, POLE, 0.003, dict(episodes=20), pole)


CELLS = (*_valuing(), *_control())
