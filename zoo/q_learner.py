"""`QLearner`: a network from an observation to the value of each action, and how it learns from what happens.

Watkins 1989, Learning from delayed rewards; Mnih et al. 2015, Human-level control through deep reinforcement learning.
A table, a linear function of features and a deep network are the same agent; the network is the difference.
"""

import keras
import numpy as np
from keras import ops

from zoo import playing, policies, q_steps
from zoo.errors import ZooError, choose, require, require_tensorflow

LOSSES = ("huber", "squared")
POLICIES = ("epsilon_greedy", "boltzmann")
RULES = ("q_learning", "sarsa", "expected_sarsa", "evaluation")
UPDATES = ("step", "episode")
TRACES = ("accumulating", "replacing")


@keras.saving.register_keras_serializable("zoo")
class QLearner(keras.Model):
    """A Functional model from raw observations to action values, trained by `fit` as any other.

    Its graph is the network's. What training alone needs hangs on the side: the target network, a frozen copy with
    which the values of the next observation are estimated (Mnih et al. 2015, algorithm 1), and while a fit runs the
    `world`, the callback that acts.

    `fit` takes what `zoo.data.experience` gives, or transitions of your own: observations, and a dict with `action`
    int32 (n,), `reward` float32 (n,), `next` observations and `discount` float32 (n,), the factor gamma^k by which the
    value of `next` counts, 0 where the episode had ended.

    Args:
        network: a Functional model named "network" from an observation (n, *shape) to float32 (n, actions). With one
            output it values states, and its `rule` is "evaluation".
        name: the model's.

    Attributes:
        network: the network that the optimizer moves.
        target: the frozen copy.
        actions: number of actions.
        epsilon, temperature: `keras.Variable`s of the two policies; `callbacks.Schedule("epsilon", ...)` drives one.
        settings: a dict of what `compile` was given, but for the optimizer.
        updates_per_step: gradient steps in one step of Keras, by which schedules know how far training is.

    Example:
        >>> import numpy as np, zoo
        >>> model = zoo.build("dqn", observation_shape=(4,), actions=2, hidden=(8,))
        >>> model.compile(keras.optimizers.Adam(1e-3), gamma=0.9)
        >>> ones = np.ones((6, 4), "float32")
        >>> happened = dict(action=np.zeros(6, "int32"), reward=np.ones(6), next=ones, discount=np.zeros(6))
        >>> history = model.fit(ones, happened, epochs=2, verbose=0)
        >>> sorted(history.history)
        ['gradient_norm', 'loss', 'td_error']
    """

    def __init__(self, network, name="q_learner", **kwargs):
        given = network.inputs[0]
        observation = keras.Input(given.shape[1:], dtype=given.dtype, name="observation")
        values = network(observation)
        if len(values.shape) != 2:
            raise ZooError(f"a network of action values gives (n, actions). Received one that gives {values.shape}")
        super().__init__(observation, values, name=name, **kwargs)
        self.target = type(network).from_config(network.get_config())
        self.target.trainable = False
        self.target.set_weights(network.get_weights())
        one = dict(shape=(), dtype="float32", trainable=False)
        self.epsilon = keras.Variable(keras.initializers.Constant(0.1), name="epsilon", **one)
        self.temperature = keras.Variable(keras.initializers.Constant(1.0), name="temperature", **one)
        self.world = None
        self.updates_per_step = 1
        self._functions = {}

    @property
    def network(self):
        """The network that is trained, called, saved and exported."""
        return next(layer for layer in self.layers if isinstance(layer, keras.Model))

    @property
    def actions(self):
        return self.outputs[0].shape[-1]

    def compile(
        self,
        optimizer="adam",
        loss="huber",
        *,
        gamma=0.99,
        double=False,
        target_every=1,
        tau=1.0,
        rule="q_learning",
        policy="epsilon_greedy",
        epsilon=0.1,
        temperature=1.0,
        trace=None,
        update="step",
        traces="accumulating",
        behaviour=None,
        followed=None,
        **execution,
    ):
        """Sets how the agent learns and explores.

        Args:
            optimizer: a `keras.optimizers.Optimizer` or its name.
            loss: of a temporal difference: "huber" (quadratic up to 1, then linear) or "squared" (half the square).
            gamma: 0 <= number <= 1, the discount of a step.
            double: whether the network chooses the next action and the target values it (van Hasselt et al. 2016).
            target_every: whole number >= 1, gradient steps between two updates of the target.
            tau: 0 < number <= 1, the share of the network in the target's update: 1 copies it, less is Polyak's
                average.
            rule: what the next observation is worth: "q_learning" (of the best action), "sarsa" (of the action that is
                taken), "expected_sarsa" (on average over the policy), or "evaluation" (a network of one output: of the
                state).
            policy: "epsilon_greedy" or "boltzmann" (softmax of the values over the temperature).
            epsilon: 0 <= number <= 1, share of random actions.
            temperature: number > 0, in units of value.
            trace: None learns from a memory of transitions; a number 0 <= lambda <= 1 learns from each transition as it
                happens, with eligibility traces of that decay (Sutton, Barto 2018, chapter 12). There is no target
                network then, and the loss is the squared one: `loss`, `double`, `target_every`, `tau` are of memories.
            update: with a trace, when its increments are added to the weights: each "step" or at the end of the
                "episode": the sum of the forward view's increments, with lambda 1 of Monte Carlo's.
            traces: "accumulating", or "replacing" for networks whose gradients are 0 or 1, tables and tiles: what is
                visited again begins anew.
            behaviour: probabilities of the actions with which an "evaluation" acts: (actions,), the same in all states,
                or (states, actions). None takes all alike.
            followed: probabilities of the policy that it evaluates, likewise; its transitions are weighted by
                importance sampling. None is `behaviour`.
            **execution: `run_eagerly`, `steps_per_execution`, `jit_compile` (by default where observations are vectors
                or states) and `auto_scale_loss` of Keras.

        Raises:
            ZooError: a value that is not named above.
        """
        require_tensorflow("agents learn")
        choose("loss", loss, LOSSES)
        choose("rule", rule, RULES)
        choose("policy", policy, POLICIES)
        choose("update", update, UPDATES)
        choose("traces", traces, TRACES)
        shares = dict(gamma=gamma, epsilon=epsilon, **({} if trace is None else {"trace": trace}))
        for key, value in shares.items():
            require(_number(value) and 0 <= value <= 1, key, value, f"a number in 0 <= {key} <= 1")
        require(_number(tau) and 0 < tau <= 1, "tau", tau, "a number in 0 < tau <= 1")
        require(_number(temperature) and temperature > 0, "temperature", temperature, "a number > 0")
        whole = isinstance(target_every, int) and not isinstance(target_every, bool) and target_every >= 1
        require(whole, "target_every", target_every, "a whole number >= 1")
        if (rule == "evaluation") != (self.actions == 1):
            raise ZooError(
                f"rule='evaluation' values states, with a network of one output; the others value actions. Received: "
                f"rule={rule!r}, and a network of {self.actions} outputs"
            )
        if trace is None and rule in ("sarsa", "evaluation"):
            raise ZooError(f"rule={rule!r} learns from each transition as it happens: give trace, such as trace=0.0")
        # Keras leaves XLA out on a CPU, where a step of many small ones needs it most.
        quick = self._is_small() and not execution.get("run_eagerly")
        super().compile(optimizer, **{"jit_compile": True if quick else "auto", **execution})
        self.settings = dict(loss=loss, gamma=gamma, double=double, target_every=target_every, tau=tau, rule=rule)
        self.settings |= dict(policy=policy, epsilon=epsilon, temperature=temperature, trace=trace, update=update)
        self.settings |= dict(traces=traces, behaviour=behaviour, followed=followed)
        self._functions = {}
        self.epsilon.assign(epsilon)
        self.temperature.assign(temperature)
        self.optimizer.build(self.trainable_variables)
        self.trackers = {name: keras.metrics.Mean(name=name) for name in ("td_error", "gradient_norm")}

    def get_config(self):
        return {"network": keras.saving.serialize_keras_object(self.network), "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        network = keras.saving.deserialize_keras_object(config["network"], custom_objects=custom_objects)
        return cls(network, config["name"])

    def get_compile_config(self):
        if not self.compiled:
            return None
        return {"optimizer": keras.saving.serialize_keras_object(self.optimizer), **self.settings}

    def compile_from_config(self, config):
        self.compile(**{key: keras.saving.deserialize_keras_object(value) for key, value in config.items()})

    def values(self, observation):
        """The values of a batch of observations, by a compiled function that is much faster than `predict`.

        Args:
            observation: (n, *shape); each n is compiled once.

        Returns:
            A float32 array (n, actions).
        """

        def values(seen):
            return ops.cast(self.network(seen, training=False), "float32")

        return self._answer(values, self._seen(observation))

    def choose(self, observation, draws):
        """The actions that the policy of `compile` takes, with epsilon and temperature as they are now.

        Args:
            observation: (n, *shape).
            draws: float32 (n, 2), uniform in [0, 1).

        Returns:
            An int32 array (n,).
        """

        def chosen(seen, draws):
            values = ops.cast(self.network(seen, training=False), "float32")
            return policies.choose(self, values, draws)

        return self._answer(chosen, self._seen(observation), ops.convert_to_tensor(draws))

    def _is_small(self):
        """Whether XLA pays on a CPU: for dense networks, whose steps are mostly overhead; not for convolutions."""
        return len(self.inputs[0].shape) < 4

    def _seen(self, observation):
        return ops.convert_to_tensor(observation, self.inputs[0].dtype)

    def _answer(self, function, *tensors):
        import tensorflow as tf

        key = (function.__name__, *tensors[0].shape)
        if key not in self._functions:
            quick = self.jit_compile if self.compiled else self._is_small()
            specs = [tf.TensorSpec(each.shape, each.dtype) for each in tensors]
            # Each shape by itself: a tf.function that is called with several warns of it, and takes longer to choose.
            self._functions[key] = tf.function(function, jit_compile=quick).get_concrete_function(*specs)
        return self._functions[key](*tensors).numpy()

    def evaluate(self, x=None, *args, return_dict=False, **kwargs):
        """As Keras' own on transitions; on `zoo.data.Episodes` it plays them greedily.

        Returns:
            For episodes a dict: `return`, their mean, `return_deviation`, their standard deviation, and `length`.
        """
        spec = getattr(x, "element_spec", None)
        if not (isinstance(spec, dict) and "seeds" in spec):
            return super().evaluate(x, *args, return_dict=return_dict, **kwargs)
        [element] = list(x.as_numpy_iterator())
        played = playing.play(self, element["env"].decode(), element["seeds"])
        totals = np.array([episode.total for episode in played])
        length = float(np.mean([episode.length for episode in played]))
        return {"return": float(totals.mean()), "return_deviation": float(totals.std()), "length": length}

    def train_step(self, data):
        if getattr(self.world, "train", None) is not None:
            return self.world.train(self, data)
        return q_steps.train(self, data)

    def test_step(self, data):
        return q_steps.test(self, data)


def _number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)
