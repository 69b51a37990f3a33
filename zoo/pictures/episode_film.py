"""The film of episodes: frames with a strip below them that says the episode, the step and the return; GIF or MP4."""

import importlib.util
from dataclasses import dataclass

import numpy as np

from zoo.errors import ZooError
from zoo.pictures.film import gif

SUFFIXES = (".gif", ".mp4")
# Frames are reduced, or enlarged by a whole number, until their longer side comes near to so many pixels.
LONGER = 420
STRIP = 22
PAPER, INK = "#e6e6e6", "black"
# A file has at most so many frames and bytes: beyond, each second frame is left out, as often as it takes.
FRAMES = 1200
BYTES = 4 * 2**20
# Seconds for which the end of an episode is held; and the shortest that viewers of GIF files keep to.
HELD = 1.5
SHORTEST = 0.02
# Frames from which the colours of a GIF are taken.
TASTED = 12


@dataclass
class Shot:
    """One episode's part of a film.

    Args:
        frames: uint8 arrays (height, width, 3), all of one size, evenly spread.
        seconds: how long each stays; the last one `HELD` seconds longer.
    """

    frames: list
    seconds: float


def check(path):
    """Refuses a file that no film can be written to.

    Args:
        path: a `pathlib.Path`.

    Raises:
        ZooError: another suffix than .gif and .mp4, or .mp4 where the package that writes it is missing.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ZooError(f"an episode is recorded into a .gif or an .mp4 file. Received: record={str(path)!r}")
    if suffix == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise ZooError(
            f"an .mp4 file needs the package imageio-ffmpeg, which is not installed: pip install imageio-ffmpeg. A "
            f".gif file works without it. Received: record={str(path)!r}"
        )


def shot(episode, number, of, fps):
    """Prepares an episode's frames.

    Args:
        episode: a `zoo.playing.Episode` with frames.
        number, of: which episode it is, from 1, of how many.
        fps: steps that are shown in a second.

    Returns:
        A `Shot`, of at most its share of the frames that a file may have.
    """
    most = max(2, FRAMES // of)
    every = max(1, -(-len(episode.frames) // most), int(np.ceil(SHORTEST * fps - 1e-9)))
    # Backwards, so that the end is there.
    shown = range(len(episode.frames) - 1, -1, -every)[::-1]
    returns = np.concatenate([[0.0], np.cumsum(episode.rewards)])
    frames = []
    for step in shown:
        words = f"episode {number}/{of}", f"step {step}", f"return {returns[step]:g}"
        frames.append(_with_strip(episode.frames[step], words))
    return Shot(frames, every / fps)


def write(shots, path):
    """Writes episodes, one after the other, into one file of at most some megabytes.

    Args:
        shots: a list of `Shot`, all of frames of one size.
        path: a `pathlib.Path` that ends in .gif or .mp4.

    Returns:
        The path.
    """
    writer = _gif if path.suffix.lower() == ".gif" else _mp4
    while True:
        writer(shots, path)
        if path.stat().st_size <= BYTES or max(len(each.frames) for each in shots) < 3:
            return path
        shots = [Shot(each.frames[::-1][::2][::-1], 2 * each.seconds) for each in shots]


def _gif(shots, path):
    frames = [frame for each in shots for frame in each.frames]
    times = [
        each.seconds + HELD * (index == len(each.frames) - 1) for each in shots for index in range(len(each.frames))
    ]
    tasted = np.linspace(0, len(frames) - 1, min(TASTED, len(frames))).round().astype(int)
    palette = np.concatenate([frames[index] for index in tasted])
    return gif(frames, path, colours=["white", PAPER, INK], times=times, palette=palette)


def _mp4(shots, path):
    import imageio_ffmpeg

    # All frames stay equally long here: the fastest episode sets how long, the others repeat theirs.
    shortest = min(each.seconds for each in shots)
    height, width = (side - side % 2 for side in shots[0].frames[0].shape[:2])
    film = imageio_ffmpeg.write_frames(str(path), (width, height), fps=1 / shortest, macro_block_size=2)
    film.send(None)
    for each in shots:
        for index, frame in enumerate(each.frames):
            seconds = each.seconds + HELD * (index == len(each.frames) - 1)
            for _ in range(max(1, round(seconds / shortest))):
                film.send(np.ascontiguousarray(frame[:height, :width]))
    film.close()


def _with_strip(frame, words):
    """A frame as the film has it: its size, and a strip below that tells the words: (height, width, 3)."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(np.ascontiguousarray(frame)).convert("RGB")
    longest = max(picture.size)
    if longest > LONGER:
        size = tuple(max(1, round(side * LONGER / longest)) for side in picture.size)
        picture = picture.resize(size, Image.Resampling.BOX)
    elif LONGER // longest > 1:
        picture = picture.resize(tuple(LONGER // longest * side for side in picture.size), Image.Resampling.NEAREST)
    width, height = picture.size
    # Small pictures that are high, or wide, are not as wide as their words.
    font = ImageFont.load_default(14)
    room = max(width, LONGER * 3 // 5)
    whole = Image.new("RGB", (room, height + STRIP), PAPER)
    whole.paste(picture, ((room - width) // 2, 0))
    drawing = ImageDraw.Draw(whole)
    for word, place, anchor in zip(words, (4, room // 2, room - 4), ("lm", "mm", "rm"), strict=True):
        drawing.text((place, height + STRIP // 2), word, INK, font, anchor)
    return np.asarray(whole)
