"""`Online`: an agent that learns from each step as it happens, with eligibility traces, under `Model.fit`.

Sutton, Barto 2018, Reinforcement learning, chapters 6 and 12.
"""

import keras
import numpy as np

from zoo import online_steps, watching
from zoo.errors import ZooError, require
from zoo.online_gymnasium import Played
from zoo.seeding import check_seed

TALLIES = ("train_return", "episodes")


class Online(keras.callbacks.Callback):
    """Runs the loop of one agent inside the training step: act, take the step, learn from it.

    The model is compiled with a `trace`. A step of Keras is a number of episodes, or of steps in the environment; the
    optimizer moves the weights after each step in the environment (or after each episode), and schedules set their
    variable before each step of Keras. Where the environment is written in tensor ops, XLA compiles all of it as one
    function; any other is asked from the graph, which is slower, and nothing else differs.

    The time limit of an environment cuts an episode off: the last state is worth what the network says, and the traces
    end. At the start of an epoch an episode begins; one that was under way is left, as if it were cut off. So the state
    of a run between two epochs is that of its weights, and one that was stopped goes on as if it had not been.

    Args:
        env: an environment's name; see `zoo.envs.make`.
        episodes: whole number >= 1, episodes of a step of Keras.
        steps: whole number >= 1, steps in the environment of a step of Keras: give one of the two.
        seed: integer of actions and environments; None takes the seed of `zoo.seeding.seed_everything`.
        engine: "gymnasium" acts in gymnasium's own environment, "tensor" in its twin in tensor ops, "auto" in the twin
            where there is one.

    Attributes:
        taken: numpy array (actions,): how often each action was taken in the epoch.
        variables: what is held between two steps of Keras.

    Raises:
        ZooError: no such environment, both or neither of `episodes` and `steps`; while training: a model that is not
            compiled for it, or an environment that raises.

    Logs of an epoch: `loss` (half the mean squared temporal difference), `td_error` (its mean size), `gradient_norm`
    (of the weights' step at rate 1), `train_return` (mean return of the episodes that ended in it), `episodes` (ended
    so far), and those of `zoo.watching`.

    Example:
        >>> import zoo
        >>> from zoo.data.experience import of
        >>> model = zoo.build("q_table", states=6, actions=2, initial=1.0)
        >>> model.compile(keras.optimizers.SGD(0.5), rule="sarsa", trace=0.9, gamma=0.8)
        >>> world = Online("zoo/Corridor-v0", episodes=5, seed=0)
        >>> data = of("zoo/Corridor-v0", steps=2, batch_size=1, acting=world)
        >>> history = model.fit(data.train.open(), steps_per_epoch=2, callbacks=[world], verbose=0, shuffle=False)
        >>> history.history["episodes"], history.history["train_return"]
        ([10.0], [1.0])
    """

    def __init__(self, env, episodes=None, steps=None, seed=None, engine="auto"):
        super().__init__()
        from zoo import envs

        if (episodes is None) == (steps is None):
            raise ZooError(f"give one of episodes and steps. Received: episodes={episodes!r}, steps={steps!r}")
        for name, value in (("episodes", episodes), ("steps", steps)):
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(value is None or whole, name, value, "a whole number >= 1")
        self.env, self.episodes, self.steps, self.seed = env, episodes, steps, check_seed(seed)
        self.spec = envs.describe(env)
        self.twin = envs.twin(env, engine)
        self.compiled = self.twin is not None
        if not self.compiled:
            self.twin = Played(env)
        shapes = {
            "state": ((1, *self.twin.state_shape), self.twin.state_dtype),
            "action": ((1,), "int32"),
            "elapsed": ((), "int32"),
            "earned": ((), "float32"),
        }
        self.held = {name: _variable(name, *each) for name, each in shapes.items()}
        self.tallies = {name: _variable(name, (), "float32") for name in TALLIES}
        self.counts = _variable("counts", (self.spec.actions,), "float32")
        self.updates = _variable("updates", (), "int64")
        self.traces, self.pending = [], []
        self.finished = 0

    @property
    def variables(self):
        return [*self.held.values(), *self.traces, *self.pending, self.updates]

    @property
    def taken(self):
        return keras.ops.convert_to_numpy(self.counts.value)

    def on_train_begin(self, logs=None):
        from zoo.playing import check_fits

        model = self.model
        check_fits(model, self.spec)
        settings = model.settings
        if settings["trace"] is None:
            raise ZooError(
                "Online learns from each step as it happens: compile the model with trace, such as trace=0.0"
            )
        self._policies(settings)
        shapes = [weight.shape for weight in model.network.trainable_variables]
        self.traces = [_variable("trace", shape, "float32") for shape in shapes]
        late = settings["update"] == "episode"
        self.pending = [_variable("pending", shape, "float32") for shape in shapes] if late else []
        model.world = self
        model.updates_per_step = 1
        self._jit_compile = model.jit_compile
        if not self.compiled:
            model.jit_compile = False  # XLA cannot call Python
        # A function of an earlier fit holds an earlier world.
        model.make_train_function(force=True)

    def on_epoch_begin(self, epoch, logs=None):
        for each in (*self.held.values(), *self.traces, *self.pending, *self.tallies.values(), self.counts):
            each.assign(np.zeros(each.shape, each.dtype))

    def on_train_batch_end(self, batch, logs=None):
        if not self.compiled:
            self.twin.check()

    def on_epoch_end(self, epoch, logs=None):
        totals = {name: float(each.numpy()) for name, each in self.tallies.items()}
        self.finished += int(totals["episodes"])
        logs["train_return"] = watching.mean(totals["train_return"], totals["episodes"])
        logs["episodes"] = float(self.finished)
        logs.update(watching.values(self.model, self.env))

    def on_train_end(self, logs=None):
        self.model.world = None
        self.model.jit_compile = self._jit_compile
        if not self.compiled:
            self.twin.close()

    def get_state(self):
        """For a checkpoint: counts; what is held begins anew with each epoch."""
        return {"updates": int(self.updates.numpy()), "finished": self.finished}

    def set_state(self, state):
        """Puts back what `get_state` gave."""
        self.updates.assign(state["updates"])
        self.finished = state["finished"]

    def train(self, model, data):
        """One step of Keras; `QLearner.train_step` calls it.

        Args:
            model: the `QLearner`.
            data: a pair of int64: epoch and step.

        Returns:
            The logs.
        """
        import tensorflow as tf

        epoch, step = (tf.cast(number, "int64") for number in data)
        sums = online_steps.run(self, model, (self.seed * 2**31 + epoch, step * 2**31))
        for name, each in self.tallies.items():
            each.assign_add(sums[name])
        self.counts.assign_add(sums["actions"])
        found = {"loss": model._loss_tracker, **model.trackers}
        for name, tracker in found.items():
            tracker.update_state(sums[name] / keras.ops.cast(sums["steps"], "float32"))
        return {name: tracker.result() for name, tracker in found.items()}

    def _policies(self, settings):
        """The policies of an evaluation as tensors: of every state alike (actions,), or (states, actions)."""
        self.behaviour = self.followed = None
        if settings["rule"] != "evaluation":
            return
        uniform = np.full(self.spec.actions, 1 / self.spec.actions)
        given = {name: settings[name] for name in ("behaviour", "followed")}
        found = {name: uniform if each is None else self._checked(name, each) for name, each in given.items()}
        self.behaviour = keras.ops.convert_to_tensor(found["behaviour"], "float32")
        if given["followed"] is not None:
            never = (found["followed"] > 0) & (found["behaviour"] == 0)
            require(not never.any(), "behaviour", given["behaviour"], "above 0 wherever followed is")
            self.followed = keras.ops.convert_to_tensor(found["followed"], "float32")

    def _checked(self, name, given):
        shapes = [(self.spec.actions,)]
        if self.spec.states is not None:
            shapes.append((self.spec.states, self.spec.actions))
        works = f"probabilities that sum to 1, of shape {' or '.join(map(str, shapes))}"
        try:
            found = np.array(given, "float64")
        except ValueError:
            require(False, name, given, works)
        require(found.shape in shapes and (found >= 0).all(), name, given, works)
        require(np.allclose(found.sum(-1), 1, atol=1e-6), name, given, works)
        return found


def _variable(name, shape, dtype):
    return keras.Variable("zeros", shape, dtype, trainable=False, name=name)
