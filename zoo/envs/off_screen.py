"""Drawing without a window."""

import contextlib
import os

import gymnasium

from zoo.errors import ZooError

DRIVER = "SDL_VIDEODRIVER"


@contextlib.contextmanager
def no_window():
    """While it is open, SDL, with which pygame draws, looks for no screen; a driver that the user chose stays."""
    if DRIVER in os.environ:
        yield
        return
    os.environ[DRIVER] = "dummy"
    try:
        yield
    finally:
        del os.environ[DRIVER]


class OffScreen(gymnasium.Wrapper):
    """Draws where there is no screen, and says what is missing when it cannot be drawn.

    Args:
        env: an environment whose `render` gives arrays or text.
    """

    def render(self):
        try:
            with no_window():
                return super().render()
        except gymnasium.error.DependencyNotInstalled as error:
            raise ZooError(
                f"{self.unwrapped.spec.id} cannot be drawn: {error}. "
                "What the zoo's environments are drawn with comes with `pip install keras-zoo[rl]`"
            ) from error
