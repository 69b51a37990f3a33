"""`reviews`: texts with a class each, cut to one length."""

import dataclasses
import re

import numpy as np

from zoo.data import text_sources
from zoo.data.assemble import from_arrays
from zoo.errors import ZooError, choose, require


def reviews(
    source="imdb_reviews",
    length=200,
    batch_size=64,
    level="word",
    words=10_000,
    *,
    classes=None,
    validation=0.1,
    examples=None,
    seed=None,
):
    """Labelled texts, as training, validation and test streams.

    Args:
        source: a name of TensorFlow Datasets whose examples have one text and one class, such as "imdb_reviews" (a
            download of 80 MB), or the path of a folder of class folders of text files in UTF-8: `FOLDER/CLASS/a.txt`,
            or `FOLDER/train/CLASS/a.txt` with `test` and optionally `validation` beside `train`. A bare word that is
            both a name and a folder means the name; write `./word` for the folder.
        length: symbols of a text, >= 1: longer ones lose their end, shorter ones are filled up with zeros behind.
        batch_size: texts a batch, >= 1.
        level: what a symbol is: "character" (a Unicode code point) or "word" (a run of letters, digits and underscores,
            or any other single character, blanks included: 200 of them are about 100 English words).
        words: at level "word", how many of the most frequent words the vocabulary has; None takes all.
        classes: names of the classes to keep, two or more, in the order that their logits are to have; None keeps them
            all.
        validation: share of the training texts to validate on, 0 <= validation < 1, split by class and by `seed`. A
            source that brings its own validation part keeps that.
        examples: how many training texts to keep, by class and by `seed`; None keeps them all.
        seed: integer for split and order; None takes the current seed.

    Returns:
        A `zoo.Data` with elements (raw int32 `(batch, length)`, label int32 `(batch,)`) and the classes' names in
        `labels`: raw are code points or, at level "word", places in the vocabulary; 0 is padding, the place 1 a word
        that the vocabulary does not have. `statistics` has `vocabulary` (of the training texts alone: a string of
        characters, or a tuple of words), `level` and `length`. A source without a test part has a fifth set aside by a
        fixed seed.

    Raises:
        ZooError: an unknown source, a set that cannot be had, one class only, an empty folder or file, bytes that are
            not UTF-8, or a value out of range.

    Example:
        `zoo.data.reviews("./letters", length=400)` reads `letters/complaint/*.txt` and `letters/praise/*.txt`.
    """
    from zoo import symbols

    choose("level", level, symbols.LEVELS)
    for name, value in (("length", length), ("words", words)):
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
        optional = name == "words"
        require(whole or (optional and value is None), name, value, f"a whole number >= 1{', or None' * optional}")
    parts, labels = text_sources.labelled(source, classes)
    texts, numbers = [], {}
    for part, (found, y) in parts.items():
        numbers[part] = np.arange(len(texts), len(texts) + len(found)), y
        texts += found
    # The vocabulary is of training texts alone: texts are split by their numbers, and become arrays afterwards.
    data = from_arrays(
        numbers["train"],
        batch_size,
        validation=numbers.get("validation", validation),
        test=numbers.get("test"),
        labels=labels,
        seed=seed,
        examples=examples,
    )
    trained = [texts[number] for number in data.train.arrays[0]]
    vocabulary = symbols.vocabulary_of(trained, level, words if level == "word" else None)
    if not vocabulary:
        raise ZooError(f"the training texts of {str(source)!r} are all empty")
    layer = symbols.symbols(vocabulary)
    streams = {}
    for part, stream in data.parts.items():
        x = np.zeros((stream.size, length), "int32")
        for row, number in zip(x, stream.arrays[0], strict=True):
            raw = layer.encode(_beginning(texts[number], level, length))
            row[: len(raw)] = raw
        streams[part] = stream.replaced((x, stream.arrays[1]))
    statistics = {"vocabulary": vocabulary, "level": level, "length": length}
    return dataclasses.replace(data, **streams, statistics=statistics)


def _beginning(text, level, length):
    """The first symbols of a text, without cutting all of it up."""
    return text[:length] if level == "character" else re.match(rf"(?:\w+|\W){{,{length}}}", text).group()
