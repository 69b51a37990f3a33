"""The process in which `zoo bench` measures one model: `python -m zoo.benching_worker SPECIFICATION`.

What is found is written to a file as soon as it is, a JSON object a line, so that a process that is ended for its time
or its memory leaves what it had.
"""

import json
import os
import statistics
import sys
import time
from pathlib import Path

# Rounds of which the median counts.
ROUNDS = 3
# What a doubled batch must bring; the search ends behind two in a row that bring less: one may have been disturbed.
GAIN = 1.05
LARGEST = 2**14
# Seconds of work that a call into the graph should hold in training, and steps at most.
CALL, STEPS = 0.05, 32


def main(specification):
    """Measures.

    Args:
        specification: a dict: `model`, `recipes` (whose networks are measured beside it), `batches` (sizes, or None for
            a search), `seconds` (a round), `precision`, and `to`, the file.
    """
    from zoo.importing import import_keras

    import_keras()
    import keras

    from zoo import registry

    bare = _peak()
    with open(specification["to"], "a", encoding="utf-8") as file:

        def say(**found):
            print(json.dumps(found), file=file, flush=True)

        entry = registry.entry(specification["model"])
        model, precision = _model(entry, specification["precision"])
        say(precision=precision, input=_shapes(model), parameters=_parameters(model), macs=_macs(model))
        if keras.backend.backend() != "tensorflow":
            say(note="MACs are counted on Keras' TensorFlow backend alone")
        timing = specification["batches"], specification["seconds"], bare
        _inference(model, *timing, say)
        _training(model, entry, *timing, say)
        for name in specification["recipes"]:
            _of_recipe(name, entry.name, specification["seconds"], say)


def _model(entry, precision):
    """The model under the precision that `zoo train` would choose, and that precision."""
    import keras

    from zoo import execution, registry

    policy, _ = execution.precision(precision)
    keras.config.set_dtype_policy(policy)
    model = registry.build(entry.name)
    chosen, _ = execution.precision(precision, model)
    if chosen != policy:
        keras.config.set_dtype_policy(chosen)
        model = registry.build(entry.name)
    keras.config.set_dtype_policy("float32")
    model.jit_compile = execution.jit_compile("auto", model)[0]
    return model, chosen


def _parameters(model):
    import keras

    return int(sum(keras.ops.size(weight) for weight in model.trainable_weights))


def _shapes(model):
    """The shape of one example of each input, in words."""
    from zoo.benching_subjects import inputs

    return " and ".join(" x ".join(map(str, array.shape[1:])) or "1" for array in inputs(model, 1))


def _macs(model):
    import keras

    from zoo.benching_subjects import inputs

    if keras.backend.backend() != "tensorflow":
        return None
    from zoo.multiply_adds import multiply_adds

    return multiply_adds(model, inputs(model, 1))


def _inference(model, batches, seconds, bare, say):
    from zoo.benching_subjects import inputs

    def rate(size):
        return _rate(model, inputs(model, size), seconds)

    _search(rate, "inference", batches, bare, say)


def _of_recipe(name, model, seconds, say):
    """Cost of the network of a recipe that trains this model, at one example a call."""
    from zoo.benching_subjects import built, inputs
    from zoo.errors import ZooError

    try:
        network = built(name).model
    except ZooError:
        return
    if network.name == model:
        rate = _rate(network, inputs(network, 1), seconds)
        say(recipe=name, input=_shapes(network), parameters=_parameters(network), macs=_macs(network), inference_1=rate)


def _training(model, entry, batches, seconds, bare, say):
    from zoo import benching_subjects as subjects
    from zoo.errors import ZooError

    try:
        subjects.stream(model, entry.task, 1)
    except ZooError as error:
        say(note=f"training is not measured: {error}")
        return
    ways = subjects.compilations(model, entry)
    for whose, compiled in ways:
        try:
            compiled()
            model.jit_compile = subjects.execution.jit_compile("auto", model)[0]
            fit = Training(model, entry.task, seconds)
            fit(1)
        except (ValueError, TypeError, KeyError):  # the recipe builds the model with other outputs
            if whose == ways[-1][0]:
                raise
            continue
        say(compiled=whose)
        _search(fit, "training", batches, bare, say)
        return


class Training:
    """Examples a second in `model.fit`, by the batch.

    Args:
        model: a compiled model.
        task: its task.
        seconds: of a round.
    """

    def __init__(self, model, task, seconds):
        self.model, self.task, self.seconds = model, task, seconds
        model.steps_per_execution = None

    def __call__(self, size):
        from zoo.benching_fit import Rounds
        from zoo.benching_subjects import execution, stream
        from zoo.data.feeding import feed

        wanted = max(1, min(STEPS, int(CALL * 3e10 / (size * execution.operations(self.model)))))
        # Another number is another graph, which takes longer to make than it gains if it is near.
        if self.model.steps_per_execution is None or 4 * wanted < self.model.steps_per_execution:
            self.model.steps_per_execution = wanted
            self.model.train_function = None
        rounds = Rounds(size, self.seconds, ROUNDS)
        batches = feed(stream(self.model, self.task, size))
        self.model.fit(batches, steps_per_epoch=2**30, shuffle=False, verbose=0, callbacks=[rounds])
        return statistics.median(rounds.rates)


def _search(rate, what, batches, bare, say):
    """Measures growing batches, and says of each how many examples a second there are, and what memory was taken.

    Args:
        rate: function of a batch size that returns examples a second.
        what: "inference" or "training".
        batches: sizes; None doubles from 1 until that brings less than 5 % twice, or memory is short.
        bare, say: as in `main`.
    """
    best, in_vain, held = 0, 0, _peak()
    for size in batches or (2**power for power in range(LARGEST.bit_length())):
        if not batches and 2 * (_peak() - held) > 0.8 * _free():
            say(note=f"{what}: memory is short at a batch of {size}")
            return
        try:
            now = rate(size)
        except Exception as error:
            if "exhausted" not in f"{type(error).__name__} {error}".lower() and not isinstance(error, MemoryError):
                raise
            say(note=f"{what}: out of memory at a batch of {size}")
            return
        say(what=what, batch=size, rate=now, mib=max(0, _peak() - bare) / 2**20)
        in_vain = in_vain + 1 if now < GAIN * best else 0
        best = max(best, now)
        if not batches and in_vain == 2:
            return


def _rate(model, arrays, seconds):
    """Examples a second in inference, the median of some rounds."""
    import keras

    batch = keras.tree.pack_sequence_as(model.input, arrays)
    for _ in range(3):  # the first one compiles; the second may, for another size
        model.predict_on_batch(batch)
    rates = []
    for _ in range(ROUNDS):
        began, count = time.perf_counter(), 0
        while (now := time.perf_counter()) - began < seconds or not count:
            model.predict_on_batch(batch)
            count += 1
        rates.append(len(arrays[0]) * count / (now - began))
    return statistics.median(rates)


def _peak():
    """The most memory that this process has used so far, in bytes; 0 where that is not known."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _free():
    """Bytes of memory that can be had; infinity where the machine does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return float("inf")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
