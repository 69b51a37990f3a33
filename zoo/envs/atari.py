"""Atari games as deep Q-learning sees them.

Mnih et al. 2015, Human-level control through deep reinforcement learning, methods; Machado et al. 2018, Revisiting the
Arcade Learning Environment.
"""

import gymnasium
import numpy as np
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation, TransformObservation

ENTRY = "ale_py.env:AtariEnv"
SKIP = 4
STACK = 4
FRAMES = 108_000  # half an hour of play


def load():
    """Registers the games of ale_py, quietly."""
    import ale_py

    # The first emulator would print a banner.
    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)


def is_screen(spec, options):
    """Whether an environment is an Atari game that is seen, not one whose memory is read (`obs_type=ram`)."""
    return spec.entry_point == ENTRY and options.get("obs_type") != "ram"


def options_of(options):
    """What the emulator is made with: each frame, as grey values, unless its name says otherwise."""
    return {"obs_type": "grayscale", **options, "frameskip": 1}


def preprocess(env, stacked):
    """Wraps an emulator that gives each frame.

    An action is held for 4 frames; what is seen is the maximum of the last two, since sprites flicker, in grey, at
    84 x 84 pixels. A game begins after 1 to 30 frames of doing nothing, and ends when it is over, not with a life.

    Args:
        env: the environment.
        stacked: whether an observation is the last 4 of these pictures, the newest last, or one.

    Returns:
        An environment of uint8 (84, 84, 4) or (84, 84, 1).
    """
    env = AtariPreprocessing(env, frame_skip=SKIP, grayscale_newaxis=not stacked)
    if not stacked:
        return env
    env = FrameStackObservation(env, STACK)
    space = gymnasium.spaces.Box(0, 255, (*env.observation_space.shape[1:], STACK), np.uint8)
    return TransformObservation(env, lambda frames: np.moveaxis(frames, 0, -1), space)
