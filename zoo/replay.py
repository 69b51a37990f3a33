"""`Replay`: what happened, kept to be learned from again (Lin 1992; Mnih et al. 2015).

Each observation is kept once: what follows one stands in the next row. That halves the memory, and for stacked frames
takes a fourth of the half: 84 x 84 frames of bytes take 7.1 GB a million (`benchmarks/replay_memory.py`).
"""

import numpy as np

from zoo.errors import ZooError, require


class Replay:
    """A ring of rows, each one step of several environments that are played side by side.

    A row holds what was seen, the action, and what came of it. What was seen last in an episode has a row too, which is
    void: nothing was done there.

    Args:
        capacity: steps that are kept, over all environments, an integer.
        count: environments, >= 1.
        shape: of one observation, or of one frame of it where `stack` > 1, its last axis being 1.
        dtype: of observations.
        gamma: discount of a step.
        n_step: steps whose rewards are added up before the value of what follows counts, >= 1 (Sutton 1988).
        stack: frames that make an observation, >= 1.
        priority: 0 draws all alike; otherwise the power of a temporal difference that a transition is drawn in
            proportion to, alpha of Schaul et al. 2016, Prioritized experience replay, equation 1.

    Attributes:
        size: rows that hold something.

    Raises:
        ZooError: a number out of range.

    Example:
        >>> replay = Replay(100, 1, (), "int32", gamma=0.5)
        >>> for state in range(4):
        ...     replay.add([state], [0], [1.0], [state == 3], [False])
        >>> drawn = replay.draw((2,), np.random.default_rng(0))
        >>> bool((drawn["next"] == drawn["observation"] + 1).all())
        True
    """

    def __init__(self, capacity, count, shape, dtype, gamma=0.99, n_step=1, stack=1, priority=0.0):
        for name, value in (("capacity", capacity), ("count", count), ("n_step", n_step), ("stack", stack)):
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(whole, name, value, "a whole number >= 1")
        self.rows = capacity // count
        least = n_step + stack + 1
        require(self.rows >= least, "capacity", capacity, f"at least {least * count}: {least} steps of {count}")
        number = isinstance(priority, int | float) and not isinstance(priority, bool) and 0 <= priority <= 1
        require(number, "priority", priority, "a number in 0 <= priority <= 1")
        self.count, self.gamma, self.n_step, self.stack, self.priority = count, gamma, n_step, stack, priority
        table = (self.rows, count)
        # Zeros that nobody wrote to take no memory.
        self.held = {
            "observation": np.zeros((*table, *shape), dtype),
            "action": np.zeros(table, "int32"),
            "reward": np.zeros(table, "float32"),
            "terminated": np.zeros(table, bool),
            "void": np.zeros(table, bool),
            "age": np.zeros(table, "uint8"),
        }
        if priority:
            self.held["priority"] = np.zeros(table, "float32")
        self.added = 0
        self._age = np.zeros(count, "uint8")
        self._largest = 1.0

    @property
    def size(self):
        return min(self.added, self.rows)

    @property
    def nbytes(self):
        """Bytes of a full ring."""
        return sum(array.nbytes for array in self.held.values())

    @property
    def failures(self):
        """Share of the transitions that ended an episode by what the environment says, not by its time limit."""
        taken = ~self.held["void"][: self.size]
        return float(self.held["terminated"][: self.size].sum() / max(taken.sum(), 1))

    def add(self, observation, action, reward, terminated, void):
        """Adds a row.

        Args:
            observation: (count, *shape), what was seen; of stacked frames the newest.
            action, reward, terminated: (count,), what was done there and what came of it.
            void: (count,) whether the episode was over and nothing was done.
        """
        row = self.added % self.rows
        new = dict(observation=observation, action=action, reward=reward, terminated=terminated, void=void)
        for name, values in new.items():
            self.held[name][row] = values
        self.held["age"][row] = self._age
        self._age = np.where(void, 0, np.minimum(self._age + 1, self.stack - 1)).astype("uint8")
        if self.priority:
            self.held["priority"][row] = np.where(void, 0, self._largest)
        self.added += 1

    def draw(self, shape, random, beta=1.0):
        """Draws transitions, with replacement.

        Args:
            shape: of the draw: (n,), or (rounds, n).
            random: a `numpy.random.Generator`.
            beta: 0..1, how far weights undo the preference of prioritised replay (equation 2 there).

        Returns:
            A dict of arrays: `observation`, `action`, `reward` (discounted sum over the steps), `next`, `discount` (by
            which the value of `next` counts), `weight` (0 for a void row) and `place`, for `rate`.

        Raises:
            ZooError: fewer rows than a transition takes.
        """
        # The newest row's outcome has no row yet; stacks begin behind the oldest.
        first = self.stack - 1 if self.added > self.rows else 0
        span = self.size - self.n_step - first
        if span < 1:
            raise ZooError(
                f"a memory of {self.size} rows has no transition of {self.n_step} steps: act for longer before the "
                "first draw (warmup)"
            )
        if self.priority:
            place, chance = self._preferred(shape, random, first, span)
            weight = np.power(np.maximum(chance, 1e-12) * span * self.count, -beta)
            weight = np.where(chance > 0, weight / weight[chance > 0].max(initial=1e-12), 0)
        else:
            place = random.integers(span * self.count, size=shape)
            weight = np.ones(shape)
        rows, column = place // self.count + first, place % self.count
        oldest = self.added - self.size
        return self._transitions((rows + oldest) % self.rows, column, weight)

    def rate(self, place, errors):
        """Gives transitions the priority of their temporal difference.

        Args:
            place: as `draw` gave it.
            errors: the differences' sizes, of the same shape; 0 of void rows.
        """
        rows, columns = place
        taken = ~self.held["void"][rows, columns]
        new = np.power(errors + 1e-6, self.priority)
        self.held["priority"][rows, columns] = np.where(taken, new, 0)
        self._largest = max(self._largest, float(new.max()))

    def get_state(self):
        """For a checkpoint: what was written, and where the next row goes."""
        held = {name: array[: self.size] for name, array in self.held.items()}
        return {"held": held, "added": self.added, "age": self._age, "largest": self._largest}

    def set_state(self, state):
        """Puts back what `get_state` gave."""
        for name, array in state["held"].items():
            self.held[name][: len(array)] = array
        self.added, self._age, self._largest = state["added"], state["age"], state["largest"]

    def _preferred(self, shape, random, first, span):
        """Places drawn in proportion to their priority, and the chance that each had."""
        rows = (np.arange(first, first + span) + self.added - self.size) % self.rows
        sums = np.cumsum(self.held["priority"][rows].ravel(), dtype="float64")
        # A draw holds the batches of a round: one pass over the ring serves them all, and no tree is needed.
        place = np.minimum(np.searchsorted(sums, random.random(shape) * sums[-1], side="right"), len(sums) - 1)
        return place, np.diff(sums, prepend=0)[place] / sums[-1]

    def _transitions(self, rows, column, weight):
        held, gamma = self.held, self.gamma
        reward, discount = np.zeros(rows.shape, "float32"), np.ones(rows.shape, "float32")
        going, end = np.ones(rows.shape, bool), rows
        for _ in range(self.n_step):
            reward += np.where(going, discount * held["reward"][end, column], 0)
            after = np.where(going, (end + 1) % self.rows, end)
            over = held["terminated"][end, column]
            discount = np.where(going, discount * np.float32(gamma), discount)
            discount = np.where(going & over, 0, discount)
            going = going & ~over & ~held["void"][after, column]
            end = after
        weight = np.where(held["void"][rows, column], 0, weight).astype("float32")
        return {
            "observation": self._seen(rows, column),
            "action": held["action"][rows, column],
            "reward": reward,
            "next": self._seen(end, column),
            "discount": discount.astype("float32"),
            "weight": weight,
            "place": (rows, column),
        }

    def _seen(self, rows, column):
        frames = self.held["observation"]
        if self.stack == 1:
            return frames[rows, column]
        age = self.held["age"][rows, column]
        back = [np.minimum(steps, age) for steps in reversed(range(self.stack))]
        return np.concatenate([frames[(rows - steps) % self.rows, column] for steps in back], axis=-1)
