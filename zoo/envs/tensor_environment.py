"""What an environment in tensor operations is."""


class TensorEnvironment:
    """A gymnasium environment as functions of tensors: many at once, no hidden state, no random operation inside.

    One step equals gymnasium's from the same state. All chance comes in as `draws`, uniform in [0, 1), so that the
    functions can stand in a loop of one compiled graph, with static shapes. The time limit is the caller's.

    Args:
        env: its name.
        limit: steps after which the caller cuts an episode.

    Attributes:
        env, limit: as given.
        actions: number of actions.
        shape, dtype: of an observation; () and "int32" where states are counted.
        state_shape, state_dtype: of one state.
        reset_draws, step_draws: uniform numbers that one reset and one step take; 0 where nothing is random.
    """

    actions = 0
    shape = ()
    dtype = "float32"
    state_shape = ()
    state_dtype = "float32"
    reset_draws = 0
    step_draws = 0

    def __init__(self, env, limit):
        self.env = env
        self.limit = limit

    def reset(self, draws):
        """States at the start of an episode.

        Args:
            draws: float (n, reset_draws), uniform in [0, 1).

        Returns:
            (n, *state_shape), of the dtype of `draws` where states are real numbers.
        """
        raise NotImplementedError

    def step(self, state, action, draws):
        """One step.

        Args:
            state: (n, *state_shape); computed in its own dtype.
            action: int32 (n,).
            draws: float (n, step_draws), uniform in [0, 1).

        Returns:
            The states after it, the rewards, float32 (n,), and whether the episodes ended, bool (n,).
        """
        raise NotImplementedError

    def observe(self, state):
        """What is seen of a state: (n, *shape)."""
        raise NotImplementedError
