"""`text`: a text to learn to write on, symbol by symbol."""

import re

from zoo.data import text_sources
from zoo.data.text_stream import ORDERS, TextStream
from zoo.errors import ZooError, choose, require
from zoo.recipe import Data
from zoo.seeding import check_seed


def text(
    source="pydoc",
    length=64,
    batch_size=64,
    order="random",
    level="character",
    words=None,
    characters=None,
    validation=0.05,
    test=0.05,
    shifted=True,
    seed=None,
):
    """Slices of a text, each with the text one symbol further on, as training, validation and test streams.

    A language model says at each symbol what the next one is. In training it sees slices of the text, and gradients go
    back to the beginning of a slice and no further (backpropagation through time, truncated). `order` decides what the
    state is at that beginning:

    - "random": slices in another order each epoch. Each begins with a state of zeros, for what a batch had before has
      nothing to do with it. Batches are as different from each other as can be. The first symbols of a slice are
      guessed from next to nothing, so that the loss is higher than that of a text that is read through, the more so the
      shorter the slices are; and nothing further back than `length` symbols is ever learned from.
    - "consecutive": row b of a batch goes on where row b of the batch before it ended. A model built with
      `carry=batch_size` keeps each row's state from batch to batch, zeros at the beginning of an epoch: what was read
      long ago can be made use of, though gradients end at the slice as before, and the loss is that of reading. Batches
      that follow each other are alike. (Without `carry` each slice begins with zeros here, too.)

    In both, the slices of an epoch begin at an offset that is drawn anew for each epoch, if `shifted`.

    Args:
        source: one of
            - "pydoc": Python's own language reference, which comes with Python: 465 000 characters in Python 3.11;
            - the name of a set of TensorFlow Datasets with one text in each example, such as "tiny_shakespeare". It
              keeps the parts that it brings, and works offline when it is in the folder that TFDS_DATA_DIR names;
            - the path of a text file in UTF-8, or of a folder: its .txt files, sorted, also those in folders in it,
              with a line break between two.
            A bare word that is both a name and a folder means the name; write `./word` for the folder.
        length: symbols of a slice, >= 1.
        batch_size: slices a batch, >= 1.
        order: "random" or "consecutive".
        level: what a symbol is: "character" (a Unicode code point) or "word" (a run of letters, digits and underscores,
            or any other single character, blanks and line breaks included).
        words: at level "word", how many of the most frequent words the vocabulary has; the others are unknown. None
            takes all.
        characters: how much of the text to take, in characters from its beginning, before it is split (of a set that
            brings parts of its own, of the training part); None takes all.
        validation, test: shares of the text at its end, the test part last, 0 <= share < 1; 0 leaves the part out. A
            source that brings the part keeps that.
        shifted: whether slices begin elsewhere in each epoch. Without, each epoch has the same slices, and a short text
            is learned by heart sooner.
        seed: integer for order and offsets; None takes the current seed.

    Returns:
        A `zoo.Data` of `zoo.data.TextStream`s with elements (raw int32 `(batch, length)`, target int32
        `(batch, length)`): raw are code points or, at level "word", places in the vocabulary; the target at i is the
        place of the symbol after raw's i. Place 1 is a symbol that the vocabulary does not have. `statistics` has
        `vocabulary` (of the training part alone: a string of characters, or a tuple of words), `level` and `length`;
        `stream.text_symbols` is the raw text of a part in one piece. `labels` is None.

    Raises:
        ZooError: an unknown source, an empty file, a folder without .txt files, bytes that are not UTF-8, a part that
            is shorter than one slice ("consecutive": than one batch of them), or a value out of range.

    Example:
        >>> data = zoo.data.text("pydoc", length=32, batch_size=16, seed=0)
        >>> raw, target = data.train.batch(epoch=0, step=0)
        >>> first = "".join(map(chr, raw[0]))
        >>> [data.statistics["vocabulary"][place - 2] for place in target[0, :-1]] == list(first[1:])
        True
    """
    from zoo import symbols

    choose("order", order, ORDERS)
    choose("level", level, symbols.LEVELS)
    for name, value in (("length", length), ("batch_size", batch_size), ("words", words), ("characters", characters)):
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        optional = name in ("words", "characters")
        require(whole or (optional and value is None), name, value, f"a whole number >= 1{', or None' * optional}")
    if words is not None and level != "word":
        raise ZooError(f"words={words} is a number of words, which level={level!r} does not have. Leave it out")
    seed = check_seed(seed)
    parts = text_sources.whole(source)
    parts |= _split(parts["train"][:characters], level, _shares(validation, test, parts))
    if not parts["train"]:
        raise ZooError(f"{str(source)!r}: nothing is left to train on. A longer text works, or smaller shares")
    vocabulary = symbols.vocabulary_of(parts["train"], level, words)
    layer = symbols.symbols(vocabulary)
    streams = {}
    for name, part in parts.items():
        raw = layer.encode(part)
        _check_length(name, source, len(raw), level, length, batch_size, order)
        places = raw if level == "word" else layer.indices(raw)
        streams[name] = TextStream(raw, places, length, batch_size, seed, order, shifted)
    return Data(**streams, statistics={"vocabulary": vocabulary, "level": level, "length": length})


def _shares(validation, test, brought):
    """The shares to split off for the parts that the source does not bring."""
    shares = {name: share for name, share in (("validation", validation), ("test", test)) if name not in brought}
    for name, share in shares.items():
        number = isinstance(share, int | float) and not isinstance(share, bool)
        require(number and 0 <= share < 1, name, share, "a share in 0 <= share < 1")
    if sum(shares.values()) >= 1:
        raise ZooError(f"validation and test leave nothing to train on: their shares are {validation} and {test}")
    return shares


def _split(whole, level, shares):
    """A text in parts, in the order of time; of words none is cut in two."""
    parts, end = {}, len(whole)
    for name in ("test", "validation"):
        if shares.get(name):
            begin = _before(whole, level, end, round(len(whole) * shares[name]))
            parts[name], end = whole[begin:end], begin
    return {"train": whole[:end], **dict(reversed(parts.items()))}


def _before(whole, level, end, count):
    """Where the last `count` characters before an end begin, or the first word after that."""
    begin = end - count
    if level == "word" and begin < end and re.match(r"\w", whole[max(begin - 1, 0)]):
        return re.compile(r"\w*").match(whole, begin, end).end()
    return begin


def _check_length(part, source, count, level, length, batch_size, order):
    """Refuses a part with less than one slice, or of consecutive ones less than one batch of them."""
    rows = batch_size if order == "consecutive" else 1
    needed = rows * length + 1
    if count >= needed:
        return
    symbols = {"character": "characters", "word": "words and characters between them"}[level]
    slices = f"one slice of {length}" if order == "random" else f"{rows} slices of {length} side by side"
    works = ["a longer text"] if part == "train" else ["a longer text", f"a larger share for {part}"]
    if count > length:
        works.insert(0, f"batch_size={(count - 1) // length}")
    elif count > 1:
        works.insert(0, f"length={count - 1}" if order == "random" else f"length={count - 1} with batch_size=1")
    raise ZooError(
        f"the {part} part of {str(source)!r} has {count} {symbols}; {slices}, and what comes after, are {needed}. "
        f"What works: {', '.join(works)}"
    )
