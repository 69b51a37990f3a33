"""Maps of grid worlds: which state is where, and what stands there."""

from dataclasses import dataclass

import numpy as np

# Wider and higher maps are not drawn.
WIDEST = 40


@dataclass(frozen=True)
class Map:
    """A map, whose cells are states.

    Args:
        title: what it is of.
        states: integers (rows, columns): the state of each cell.
        letters: strings (rows, columns): what is written into a cell.
        ends: booleans (rows, columns): where nothing is done, for the episode has ended, or nobody can be.
        walls: pairs (row, column) of cells that have a wall on their right.
    """

    title: str
    states: np.ndarray
    letters: np.ndarray
    ends: np.ndarray
    walls: tuple = ()


def maps(env):
    """The maps of an environment.

    Args:
        env: an environment's name; see `zoo.envs.make`.

    Returns:
        A list of `Map`: of Taxi, one for each place where the passenger waits and one for each where it is taken; of
        the frozen lake, the cliff, the corridor and the random walk one; of any other environment, and where the map
        is more than 40 cells wide or high, none.
    """
    from zoo import envs

    made = envs.make(env)
    made.close()
    inner = made.unwrapped
    reader = READERS.get(type(inner).__name__)
    found = reader(inner) if reader else []
    return [each for each in found if max(each.states.shape) <= WIDEST]


def _lake(inner):
    letters = np.array([[cell.decode() for cell in row] for row in inner.desc])
    return [
        Map(
            "",
            np.arange(letters.size).reshape(letters.shape),
            np.where(letters == "F", "", letters),
            np.isin(letters, ["H", "G"]),
        )
    ]


def _cliff(inner):
    states = np.arange(np.prod(inner.shape)).reshape(inner.shape)
    letters = np.where(inner._cliff, "C", "")
    letters.flat[inner.start_state_index] = "S"
    letters.flat[-1] = "G"
    return [Map("", states, letters, inner._cliff | (letters == "G"))]


def _taxi(inner):
    rows, columns = inner.max_row + 1, inner.max_col + 1
    drawn = np.array([[cell.decode() for cell in row] for row in inner.desc])
    walls = tuple(
        (row, column) for row in range(rows) for column in range(columns - 1) if drawn[row + 1, 2 * column + 2] == "|"
    )
    places = [drawn[row + 1, 2 * column + 1] for row, column in inner.locs]
    letters = np.full((rows, columns), "", "U1")
    for name, place in zip(places, inner.locs, strict=True):
        letters[place] = name
    aboard = len(places)
    found = []
    for passenger in (*range(aboard), aboard):
        for target in range(aboard) if passenger == aboard else [(passenger + 1) % aboard]:
            states = np.array(
                [[inner.encode(row, column, passenger, target) for column in range(columns)] for row in range(rows)]
            )
            where = "aboard" if passenger == aboard else f"waits at {places[passenger]}"
            nowhere = np.zeros((rows, columns), bool)
            found.append(Map(f"{where}, to {places[target]}", states, letters, nowhere, walls))
    return found


def _row(inner):
    letters = np.array([list(inner.letters.replace("-", " "))])
    return [Map("", np.arange(letters.size)[None], np.char.strip(letters), letters == "T")]


READERS = {
    "FrozenLakeEnv": _lake,
    "CliffWalkingEnv": _cliff,
    "TaxiEnv": _taxi,
    "Corridor": _row,
    "RandomWalk": _row,
}
