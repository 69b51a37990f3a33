"""Where a training step spends its time, by kind of operation: TensorFlow's profiler, read without TensorBoard."""

import collections
from pathlib import Path

# Calls that are over before the trace begins.
WARM = 3


class Profiled:
    """What a callback calls after every step: it traces some, and then ends the training.

    Args:
        folder: where the profiler writes.
        steps: how many steps to trace, at least.

    Attributes:
        kinds: afterwards, a list of (kind of operation, milliseconds a step, how often a step). Times of operations
            that run beside each other add up, so that the sum may be more than the step takes.
    """

    def __init__(self, folder, steps):
        self.folder = Path(folder)
        self.steps = steps
        self.calls = self.traced = 0
        self.kinds = None

    def __call__(self, steps=1):
        """Takes the number of steps since the last call; returns whether more are wanted."""
        import tensorflow as tf

        self.calls += 1
        if self.calls == WARM:
            tf.profiler.experimental.start(str(self.folder))
        elif self.calls > WARM:
            self.traced += steps
            if self.traced >= self.steps:
                tf.profiler.experimental.stop()
                self.kinds = kinds(self.folder, self.traced)
                return False
        return True


def kinds(folder, steps):
    """Reads a trace.

    Args:
        folder: where the profiler wrote.
        steps: how many steps it traced.

    Returns:
        `Profiled.kinds`.
    """
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    (file,) = Path(folder).rglob("*.xplane.pb")
    space = xplane_pb2.XSpace.FromString(file.read_bytes())
    host = next(plane for plane in space.planes if plane.name == "/host:CPU")
    milliseconds, count = collections.Counter(), collections.Counter()
    for line in host.lines:
        for event in line.events:
            name = host.event_metadata[event.metadata_id].name
            # "layer/Conv2D:_MklNativeConv2D" is an operation; "Iterator::Map" and "EagerExecute: f" are what calls it.
            operation, _, kind = name.partition(":")
            if kind and kind[0] not in ": ":
                kind = kind.partition("#")[0].removeprefix("_MklNative").removeprefix("_Mkl")
                milliseconds[kind] += event.duration_ps / 1e9 / steps
                count[kind] += 1 / steps
    return [(kind, time, count[kind]) for kind, time in milliseconds.most_common()]
