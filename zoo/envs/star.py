"""Baird's star with an action to each state, on which Q-learning with a linear function diverges."""

from zoo.envs.baird import STATES, Baird


class Star(Baird):
    """Baird's star with seven actions, each of which leads to one state from everywhere.

    To act at random is the behaviour of the book's figure 11.2: six times in seven to one of the first six states. So
    Q-learning, with epsilon 1, learns off its policy. States, features and rewards are those of `zoo.envs.baird.Baird`.

    Args:
        render_mode: None, "rgb_array" or "ansi".
    """

    action_names = tuple(f"to {state}" for state in range(STATES))

    def __init__(self, render_mode=None):
        super().__init__(render_mode)
        self.P = {state: {to: [(1.0, to, 0.0, False)] for to in range(STATES)} for state in range(STATES)}
