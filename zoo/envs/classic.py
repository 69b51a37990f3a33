"""Gymnasium's classic control in tensor operations: CartPole, MountainCar and Acrobot."""

import math

from keras import ops

from zoo.envs.tensor_environment import TensorEnvironment


class CartPole(TensorEnvironment):
    """A pole on a cart that is pushed left or right; an episode ends when it falls or leaves the track.

    Barto, Sutton, Anderson 1983, Neuronlike adaptive elements that can solve difficult learning control problems, with
    the constants and the Euler step of 0.02 s of gymnasium's CartPole. A state is position (m), velocity, angle (rad)
    and angular velocity.

    Args:
        env: its name.
        limit: steps after which the caller cuts an episode.
        sutton_barto_reward: whether a step pays 0 and the fall -1; else every step pays 1, the last one too.
    """

    actions = 2
    shape = state_shape = (4,)
    reset_draws = 4

    def __init__(self, env, limit, sutton_barto_reward=False):
        super().__init__(env, limit)
        self._rewards = (0.0, -1.0) if sutton_barto_reward else (1.0, 1.0)

    def reset(self, draws):
        return ops.convert_to_tensor(draws) * 0.1 - 0.05

    def step(self, state, action, draws):
        state = ops.convert_to_tensor(state)
        x, speed, angle, turning = ops.unstack(state, 4, axis=-1)
        force = ops.cast(ops.where(ops.equal(action, 1), 10.0, -10.0), state.dtype)
        cos, sin = ops.cos(angle), ops.sin(angle)
        # Masses 1 kg and 0.1 kg, half the pole 0.5 m.
        push = (force + 0.05 * turning * turning * sin) / 1.1
        angular = (9.8 * sin - cos * push) / (0.5 * (4 / 3 - 0.1 * cos * cos / 1.1))
        linear = push - 0.05 * angular * cos / 1.1
        x, speed = x + 0.02 * speed, speed + 0.02 * linear
        angle, turning = angle + 0.02 * turning, turning + 0.02 * angular
        terminated = ops.logical_or(ops.abs(x) > 2.4, ops.abs(angle) > 12 * 2 * math.pi / 360)
        reward = ops.cast(ops.where(terminated, self._rewards[1], self._rewards[0]), "float32")
        return ops.stack([x, speed, angle, turning], axis=-1), reward, terminated

    def observe(self, state):
        return ops.cast(state, "float32")


class MountainCar(TensorEnvironment):
    """A car in a valley, too weak to drive straight up; every step pays -1 until it is on the right hill.

    Moore 1990, Efficient memory-based learning for robot control; Sutton, Barto 2018, Reinforcement learning, example
    10.1. A state is position and velocity.

    Args:
        env: its name.
        limit: steps after which the caller cuts an episode.
        goal_velocity: least velocity at the goal.
    """

    actions = 3
    shape = state_shape = (2,)
    reset_draws = 1

    def __init__(self, env, limit, goal_velocity=0.0):
        super().__init__(env, limit)
        self._goal_velocity = goal_velocity

    def reset(self, draws):
        position = ops.convert_to_tensor(draws)[:, 0] * 0.2 - 0.6
        return ops.stack([position, ops.zeros_like(position)], axis=-1)

    def step(self, state, action, draws):
        state = ops.convert_to_tensor(state)
        position, speed = ops.unstack(state, 2, axis=-1)
        thrust = ops.cast(action, state.dtype) - 1
        speed = ops.clip(speed + 0.001 * thrust - 0.0025 * ops.cos(3 * position), -0.07, 0.07)
        position = ops.clip(position + speed, -1.2, 0.6)
        stopped = ops.logical_and(position <= -1.2, speed < 0)
        speed = ops.where(stopped, ops.zeros_like(speed), speed)
        terminated = ops.logical_and(position >= 0.5, speed >= self._goal_velocity)
        reward = ops.full(ops.shape(position), -1.0, "float32")
        return ops.stack([position, speed], axis=-1), reward, terminated

    def observe(self, state):
        return ops.cast(state, "float32")


class Acrobot(TensorEnvironment):
    """Two links on a bar, a torque at the joint between them; every step pays -1 until the tip is above the line.

    Sutton 1996, Generalization in reinforcement learning, with the equations of Sutton, Barto 1998 and the fourth-order
    Runge-Kutta step of 0.2 s of gymnasium's Acrobot. A state is the two angles and their velocities; what is seen of
    the angles is their cosines and sines.

    Args:
        env: its name.
        limit: steps after which the caller cuts an episode.
    """

    actions = 3
    shape = (6,)
    state_shape = (4,)
    reset_draws = 4

    def reset(self, draws):
        return ops.convert_to_tensor(draws) * 0.2 - 0.1

    def step(self, state, action, draws):
        state = ops.convert_to_tensor(state)
        torque = ops.cast(action, state.dtype) - 1
        time = 0.2
        first = _slope(state, torque)
        second = _slope(state + time / 2 * first, torque)
        third = _slope(state + time / 2 * second, torque)
        fourth = _slope(state + time * third, torque)
        state = state + time / 6 * (first + 2 * second + 2 * third + fourth)
        one, two, turn_one, turn_two = ops.unstack(state, 4, axis=-1)
        one, two = _wrap(one), _wrap(two)
        turn_one = ops.clip(turn_one, -4 * math.pi, 4 * math.pi)
        turn_two = ops.clip(turn_two, -9 * math.pi, 9 * math.pi)
        terminated = -ops.cos(one) - ops.cos(one + two) > 1.0
        reward = ops.cast(ops.where(terminated, 0.0, -1.0), "float32")
        return ops.stack([one, two, turn_one, turn_two], axis=-1), reward, terminated

    def observe(self, state):
        one, two, turn_one, turn_two = ops.unstack(state, 4, axis=-1)
        seen = [ops.cos(one), ops.sin(one), ops.cos(two), ops.sin(two), turn_one, turn_two]
        return ops.cast(ops.stack(seen, axis=-1), "float32")


def _slope(state, torque):
    """The state's derivative: both links 1 m and 1 kg with the centre of mass at 0.5 m and inertia 1."""
    one, two, turn_one, turn_two = ops.unstack(state, 4, axis=-1)
    cos, sin = ops.cos(two), ops.sin(two)
    d1 = 3.5 + cos
    d2 = 1.25 + 0.5 * cos
    # cos(angle - pi / 2) is the sine.
    phi2 = 4.9 * ops.sin(one + two)
    phi1 = -0.5 * turn_two * turn_two * sin - turn_two * turn_one * sin + 14.7 * ops.sin(one) + phi2
    pull = torque + d2 / d1 * phi1 - 0.5 * turn_one * turn_one * sin - phi2
    second = pull / (1.25 - d2 * d2 / d1)
    first = -(d2 * second + phi1) / d1
    return ops.stack([turn_one, turn_two, first, second], axis=-1)


def _wrap(angle):
    """Whole turns taken off until the angle is in -pi..pi."""
    turn = 2 * math.pi
    over = ops.maximum(ops.ceil((angle - math.pi) / turn), 0)
    under = ops.maximum(ops.ceil((-math.pi - angle) / turn), 0)
    return angle - turn * over + turn * under
