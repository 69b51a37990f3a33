"""Where texts come from: Python's own reference, files and folders, and the sets of TensorFlow Datasets."""

import codecs
import functools
import re
from pathlib import Path

import numpy as np

from zoo.data import prepared, tfds
from zoo.data.ops import has_tensorflow
from zoo.errors import ZooError, require, suggest

PYDOC = "pydoc"
_PARTS = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}


def whole(source):
    """Texts to write on from.

    Args:
        source: "pydoc", a name of TFDS, or the path of a file or of a folder of .txt files, as `zoo.data.text` has it.

    Returns:
        A dict from "train" and, where the source brings such parts, "validation" and "test" to a string.

    Raises:
        ZooError: no such source, an empty file, a folder without .txt files, a file that is not UTF-8, or a set without
            one text in each example.
    """
    if source == PYDOC:
        return {"train": _pydoc()}
    path = _path(source)
    if path is None:
        if not has_tensorflow():
            return _prepared_texts(source)
        return tfds.read_set(source, functools.partial(_texts, source))
    files = [path] if path.is_file() else _listed(path, path.rglob("*"))
    if not files:
        there = [file.name for file in _visible(path)]
        found = f"only {', '.join(there[:5])}{', ...' if len(there) > 5 else ''}" if there else "nothing"
        raise ZooError(f"{path} has no .txt file, {found}. Put texts in UTF-8 there, or name a file")
    return {"train": "\n".join(map(read, files))}


def labelled(source, classes=None):
    """Texts with a class each.

    Args:
        source: a name of TFDS, or the path of a folder of class folders of .txt files, as `zoo.data.reviews` has it.
        classes: names of the classes to read, in the order of their labels; None takes all.

    Returns:
        `(parts, labels)`: parts maps "train" and, where the source brings such parts, "validation" and "test" to
        (list of strings, int32 array of labels); labels are the names of the classes.

    Raises:
        ZooError: as `whole`; a set without one text and one class in each example, a class without texts, or a class
            that the source does not have.
    """
    path = _path(source)
    if path is None:
        read_set = functools.partial(tfds.read_set, source, functools.partial(_examples, source))
        parts, labels = read_set() if has_tensorflow() else _prepared_examples(source)
    else:
        parts, labels = _folders(path)
    names = tuple(labels if classes is None else classes)
    for name in names:
        if name not in labels:
            listed = ", ".join(map(repr, labels[:20])) + (", ..." if len(labels) > 20 else "")
            raise ZooError(f"{str(source)!r} has no class {name!r}.{suggest(name, labels)} Its classes: {listed}")
    if len(names) < 2 or len(set(names)) < len(names):
        raise ZooError(f"{str(source)!r}: a classifier needs two or more different classes. Received: {names}")
    new = [names.index(name) if name in names else None for name in labels]
    found = {}
    for part, (texts, y) in parts.items():
        kept = [(text, new[label]) for text, label in zip(texts, y, strict=True) if new[label] is not None]
        if not kept:
            raise ZooError(f"the {part} texts of {str(source)!r} have none of the classes {', '.join(names)}")
        texts = [_text(text, source) if path is None else read(text) for text, _ in kept]
        found[part] = texts, np.array([label for _, label in kept], "int32")
    return found, names


def read(path):
    """The text of a file.

    Args:
        path: a file in UTF-8; a byte order mark is left out, and the two characters that end a line on Windows are one.

    Returns:
        A string.

    Raises:
        ZooError: an empty file, or bytes that are not UTF-8, with the offset of the first, counted from 0.
    """
    text = _text(Path(path).read_bytes(), path)
    if not text:
        raise ZooError(f"{path} is empty: there is nothing to learn from. Fill or remove it")
    return text


def _text(content, where):
    """The string of the bytes of a text."""
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    try:
        text = content[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        place = start + error.start
        raise ZooError(
            f"{where} is not UTF-8: byte 0x{content[place]:02x} at offset {place} ({error.reason}). Save it as UTF-8; "
            "of a text in Latin-1, `iconv -f latin1 -t utf-8 FILE` makes one"
        ) from None
    if "\0" in text:
        place = content.index(0)
        raise ZooError(
            f"{where} is no text in UTF-8: it has a zero byte at offset {place}, as UTF-16 and binary files have. Save "
            "it as UTF-8"
        )
    return text.replace("\r\n", "\n")


def _pydoc():
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


def _path(source):
    """The path that a source means, or None where it means a set of TFDS. A bare word that is both means the set."""
    text = str(source)
    require(isinstance(source, str | Path) and text, "source", source, f"{PYDOC!r}, the name of a set, or a path")
    path = Path(source).expanduser()
    said = path.is_absolute() or text.startswith((".", "~")) or path.suffix.lower() == ".txt"
    if said or (path.exists() and not re.fullmatch(r"\w+", text)):
        if not path.exists():
            raise ZooError(f"there is no file or folder {path}")
        return path
    known = tfds.names()
    if re.split("[/:]", text)[0] in known:
        return None
    if path.exists():
        return path
    raise ZooError(
        f"there is no text named {text!r}.{suggest(text, [*known, PYDOC])} Texts come from {PYDOC!r} (Python's own "
        "language reference), sets of TensorFlow Datasets by name, and files or folders by path"
    )


def _visible(folder):
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _listed(folder, paths):
    """The text files among some paths below a folder, sorted; hidden ones and those in hidden folders are left out."""
    texts = (path for path in paths if path.suffix.lower() == ".txt" and path.is_file())
    return sorted(path for path in texts if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _folders(root):
    """The files and labels of `root/CLASS/*.txt`, or `root/train/CLASS/*.txt` with `root/test/...` beside it."""
    if root.is_file():
        raise ZooError(f"{root} is a file. Texts with classes are in a folder of class folders: FOLDER/CLASS/text.txt")
    inside = {path.name: path for path in _visible(root) if path.is_dir()}
    found = {part: [inside[name] for name in names if name in inside] for part, names in _PARTS.items()}
    folders = {part: paths[0] for part, paths in found.items() if paths} if found["train"] else {"train": root}
    labels = tuple(path.name for path in _visible(folders["train"]) if path.is_dir())
    if not labels:
        raise ZooError(
            f"{folders['train']} has no class folders. Put the texts into one folder for each class, as "
            f"{folders['train'] / 'CLASS' / 'text.txt'}"
        )
    parts = {}
    for part, folder in folders.items():
        texts, y = [], []
        for path in (path for path in _visible(folder) if path.is_dir()):
            if path.name not in labels:
                raise ZooError(f"class {path.name!r} of {folder} has no folder in {folders['train']}")
            files = _listed(path, path.iterdir())
            if not files:
                raise ZooError(f"{path} is empty: it has no .txt file. Fill or remove it")
            texts += files
            y += [labels.index(path.name)] * len(files)
        parts[part] = texts, y
    return parts, labels


def _features(builder):
    """Names of a set's texts and of its classes, and all its features."""
    import tensorflow_datasets as tensorflow_sets

    features = dict(builder.info.features) if hasattr(builder.info.features, "items") else {}
    kinds = tensorflow_sets.features.Text, tensorflow_sets.features.ClassLabel
    return [[key for key, feature in features.items() if isinstance(feature, kind)] for kind in kinds], features


def _texts(name, builder):
    """What `whole` reads from a set of TFDS; the texts of a part are joined by line breaks."""
    (texts, _), features = _features(builder)
    if len(texts) != 1:
        raise ZooError(f"{name!r} is no set of texts: it has not one text in each example, but {', '.join(features)}")
    examples = {part: builder.as_dataset(split=part).as_numpy_iterator() for part in tfds.splits(builder, name)}
    return {part: "\n".join(_text(each[texts[0]], name) for each in found) for part, found in examples.items()}


def _examples(name, builder):
    """What `labelled` reads from a set of TFDS: the bytes of texts, their labels, and the classes' names."""
    (texts, classes), features = _features(builder)
    if len(texts) != 1 or len(classes) != 1:
        raise ZooError(
            f"{name!r} has not one text and one class in each example. Its features: {', '.join(sorted(features))}"
        )
    parts = {}
    for part in tfds.splits(builder, name):
        batches = builder.as_dataset(split=part).batch(256).as_numpy_iterator()
        pairs = [(batch[texts[0]], batch[classes[0]]) for batch in batches]
        parts[part] = [text for some, _ in pairs for text in some], np.concatenate([some for _, some in pairs])
    return parts, tuple(features[classes[0]].names)


def _prepared_texts(name):
    """As `_texts`, without TensorFlow."""
    found = prepared.Prepared(name)
    (text,) = found.only("Text")
    return {part: "\n".join(_text(each[text][0], name) for each in found.examples(part)) for part in found.parts}


def _prepared_examples(name):
    """As `_examples`, without TensorFlow."""
    found = prepared.Prepared(name)
    text, label = found.only("Text", "ClassLabel")
    parts = {}
    for part in found.parts:
        pairs = [(each[text][0], each[label][0]) for each in found.examples(part)]
        parts[part] = [text for text, _ in pairs], np.array([label for _, label in pairs])
    return parts, found.classes(label)
