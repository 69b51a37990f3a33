"""Streaming from shards: memory over a set that memory need not hold, and speed against the same set in memory.

python benchmarks/streaming.py memory --gib 20
python benchmarks/streaming.py speed --csv streaming.csv

The first writes shards of as many GiB into a folder that is removed afterwards, and goes through them once in a process
that watches its own resident memory (on Linux). The second trains ResNet-20 on CIFAR-10 through `zoo.train`, from
memory and from the prepared set's shards, in processes that stay and take turns.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import rounds
import workers

PACKAGES = ["tensorflow", "keras"]
CONTENDERS = ("memory", "streamed", "streamed, decoded images cached")
BATCH = 128
# Pixels of a side, and bytes of a file: as many as those of a photograph, so that the disk is read as for photographs.
SIDE, LENGTH = 128, 100_000
# Batches after which a process has what it needs, at most, and seconds between two looks at its memory.
WARM, LOOK = 50, 0.25


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="what", required=True)
    memory = commands.add_parser("memory", help="resident memory while a large set is gone through")
    memory.add_argument("--gib", type=float, default=1.0, help="size of the shards")
    memory.add_argument("--shards", type=int, default=64, help="number of files")
    memory.add_argument("--buffer", type=int, default=10_000, help="images of the shuffle buffer")
    memory.add_argument("--folder", help="where the shards are written for a while; by default where the system says")
    speed = commands.add_parser("speed", help="images a second in training, against the set in memory")
    speed.add_argument("--rounds", type=int, default=5, help="turns of each contender")
    speed.add_argument("--seconds", type=float, default=10.0, help="how long each turn is measured")
    speed.add_argument("--patience", type=float, default=rounds.PATIENCE, help="seconds to wait for a quiet machine")
    speed.add_argument("--precision", default="float32", help="of zoo.train")
    speed.add_argument("--csv", help="file to write the table to")
    arguments = parser.parse_args()
    show_memory(arguments) if arguments.what == "memory" else show_speed(arguments)


def show_memory(arguments):
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        began = time.monotonic()
        count = write(folder, arguments.gib * 2**30, arguments.shards)
        print(f"{count:,} images, {arguments.gib:g} GiB, written in {time.monotonic() - began:.0f} s", flush=True)
        command = [sys.executable, __file__, "watched", folder, str(arguments.buffer)]
        said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found = json.loads(said.splitlines()[-1])
    print(f"indexed in {found['indexed']:.0f} s; {found['images']:,} images in {found['seconds']:.0f} s")
    print(
        f"resident memory: {found['first']:.0f} MiB after the first batches, {found['last']:.0f} MiB at the end, "
        f"{found['most']:.0f} MiB at most between"
    )
    print(f"{rounds.machine()}.")


def write(folder, size, shards):
    """Writes shards of JPEG images, all of the same pixels, with bytes of their own behind the image's end.

    Args:
        folder: where; it exists.
        size: bytes, in all.
        shards: number of files.

    Returns:
        The number of images.
    """
    import numpy as np
    from PIL import Image
    from tensorflow import io as files
    from tensorflow import train

    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    Image.fromarray(pixels).save(file, "jpeg", quality=90)
    content = file.getvalue().ljust(LENGTH - 8, b"\0")
    each = -(-int(size) // LENGTH // shards)
    for shard in range(shards):
        with files.TFRecordWriter(f"{folder}/{shard:05d}.tfrecord") as writer:
            for k in range(each):
                own = content + (shard * each + k).to_bytes(8, "big")
                image = train.Feature(bytes_list=train.BytesList(value=[own]))
                label = train.Feature(int64_list=train.Int64List(value=[k % 10]))
                features = train.Features(feature={"image": image, "label": label})
                writer.write(train.Example(features=features).SerializeToString())
    return each * shards


def watch(folder, buffer):
    """Goes through shards once, as an epoch of training does, and prints what memory it took on the way."""
    from zoo.data import Stream, shards_sources

    began = time.monotonic()
    with contextlib.redirect_stdout(sys.stderr):
        parts, _ = shards_sources.load(folder, named=False, buffer=int(buffer))
    stream = Stream(parts["train"], BATCH, seed=0)
    indexed, began = time.monotonic() - began, time.monotonic()
    seen, looks, done = 0, [], threading.Event()

    def look():
        while not done.wait(LOOK):
            looks.append(resident())

    watcher = threading.Thread(target=look)
    for number, (x, _) in enumerate(stream.open().take(stream.steps)):
        seen += len(x)
        if number == min(WARM, stream.steps // 4):
            looks.append(resident())
            watcher.start()
    done.set()
    watcher.join()
    looks.append(resident())
    result = dict(indexed=indexed, images=seen, seconds=time.monotonic() - began)
    print(json.dumps(result | dict(first=looks[0], last=looks[-1], most=max(looks))))


def resident():
    """MiB of memory that this process has resident."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def show_speed(arguments):
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            name: [sys.executable, __file__, "worker", name, arguments.precision, folder] for name in CONTENDERS
        }
        found = workers.take_turns(commands, arguments)
    if CONTENDERS[0] not in found:
        raise SystemExit("training from memory did not get to an answer")
    rows = rounds.table(found, CONTENDERS[0], precision=arguments.precision)
    for row in rows:
        row["share of memory's"] = round(1 / row.pop("zoo / this"), 3)
    rounds.show(rows, arguments.csv)


def recipe(epochs=1000, streaming=False, cache: "str | None" = None):
    """What the workers train through `zoo.train`: ResNet-20 on CIFAR-10 with its recipe's augmentation.

    Args:
        epochs: passes over the images, at most.
        streaming: whether the images are read from the set's shards.
        cache: as `zoo.data.images` has it.
    """
    import keras
    from clock import Steps

    import zoo
    from zoo.data import crop, flip, images

    data = images("cifar10", BATCH, augment=[crop(4), flip()], validation=0, streaming=streaming, cache=cache)
    model = zoo.build("resnet20")
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return zoo.Recipe(model, data, epochs, [Steps()], objective=("accuracy", "max"))


def work(name, precision, folder):
    """What a worker does: it trains, and measures when it is its turn."""
    from clock import Steps

    import zoo

    Steps.after = workers.Turns(BATCH, PACKAGES)
    options = dict(streaming=name != CONTENDERS[0], cache="memory" if name == CONTENDERS[2] else None)
    quiet = dict(export=False, pictures=False, verbose=0, precision=precision)
    zoo.train(__file__, folder=Path(folder) / name, **options, **quiet)


if __name__ == "__main__":
    if sys.argv[1:2] == ["worker"]:
        workers.begin()
        work(*sys.argv[2:])
    elif sys.argv[1:2] == ["watched"]:
        watch(*sys.argv[2:])
    else:
        main()
