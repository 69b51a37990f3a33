"""What small environments with finitely many states share: a table of transitions, and a row of squares to see."""

import gymnasium
import numpy as np

PIXELS = 1024
SQUARE = 32
GREY, DARK, BLUE, GREEN = (225, 225, 225), (110, 110, 110), (31, 119, 180), (160, 205, 160)


class Row(gymnasium.Env):
    """Draws itself as a row of squares, one of them marked.

    Attributes:
        letters: a string, one character a square, for `render_mode="ansi"`; "T" ends an episode.
    """

    metadata = {"render_modes": ["rgb_array", "ansi"], "render_fps": 4}

    def _mark(self):
        """The square that is marked, or None."""
        raise NotImplementedError

    def render(self):
        mark = self._mark()
        if self.render_mode == "ansi":
            return "".join("x" if at == mark else letter for at, letter in enumerate(self.letters))
        if self.render_mode is None:
            gymnasium.logger.warn("render needs a render_mode: 'rgb_array' or 'ansi'")
            return None
        side = max(4, min(SQUARE, PIXELS // len(self.letters)))
        squares = np.full((side, len(self.letters), side, 3), 255, np.uint8)
        for at, letter in enumerate(self.letters):
            squares[1:-1, at, 1:-1] = GREEN if letter == "T" else GREY
        if mark is not None:
            inner = slice(side // 4, side - side // 4)
            squares[inner, mark, inner] = DARK if self.letters[mark] == "T" else BLUE
        return squares.reshape(side, -1, 3)


class Finite(Row):
    """An environment that is a table of transitions, as gymnasium's toy text environments are.

    Args:
        P: dict from state to dict from action to a list of (probability, next state, reward, terminated).
        initial: probability of each state at the start, (states,).
        letters: see `Row`.
        render_mode: None, "rgb_array" or "ansi".
        features: what is seen of each state, float32 (states, numbers), or None where the state itself is seen.

    Attributes:
        P, features: as given.
        initial_state_distrib: `initial`.
        s: the state.
        action_names: of the class.
    """

    action_names = ()

    def __init__(self, P, initial, letters, render_mode=None, features=None):
        self.P = P
        self.initial_state_distrib = np.asarray(initial, "float64")
        self.letters = letters
        self.render_mode = render_mode
        self.features = features
        self.action_space = gymnasium.spaces.Discrete(len(self.action_names))
        if features is None:
            self.observation_space = gymnasium.spaces.Discrete(len(P))
        else:
            self.observation_space = gymnasium.spaces.Box(features.min(0), features.max(0), dtype=np.float32)
        self.s = None

    def _seen(self):
        return int(self.s) if self.features is None else self.features[self.s].copy()

    def _mark(self):
        return self.s

    def _drawn(self, probabilities):
        passed = np.cumsum(probabilities) <= self.np_random.random()
        return int(min(passed.sum(), len(passed) - 1))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.s = self._drawn(self.initial_state_distrib)
        return self._seen(), {}

    def step(self, action):
        outcomes = self.P[self.s][int(action)]
        probability, self.s, reward, terminated = outcomes[self._drawn([outcome[0] for outcome in outcomes])]
        return self._seen(), float(reward), bool(terminated), False, {"prob": probability}
