"""The picture of a language model: a text whose symbols are coloured by how much each surprised the model."""

from pathlib import Path

import numpy as np

from zoo.language_scores import surprises
from zoo.serving.strings import text_of

ACROSS, DOWN = 72, 14
# Nats beyond which all are as dark: one in 400.
MOST = 6.0
SHOWN = {"\n": "↵", "\t": "→", " ": ""}


def draw(folder, model, data):
    """Draws `surprise.png`: the beginning of the test text, or of the validation text.

    Args:
        folder: a path.
        model: a `zoo.language_model.LanguageModel`.
        data: its `zoo.Data`, as `zoo.data.text` makes it.

    Returns:
        The paths of the pictures.
    """
    from zoo.report import save

    part = data.test or data.validation
    raw = part.text_symbols[: ACROSS * DOWN]
    pieces = model.symbols.pieces(text_of(model.symbols, raw))
    return [save(surprise(pieces, surprises(model, raw)), Path(folder) / "surprise.png")]


def surprise(pieces, nats):
    """A text, each piece on a ground that is the darker the less likely the model held it.

    Args:
        pieces: the symbols of a text, a list of strings.
        nats: what each but the first cost, -log of its likelihood.

    Returns:
        A matplotlib figure.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.4), layout="constrained")
    axes = figure.subplots()
    glyphs = _glyphs()
    cells = np.full((DOWN, ACROSS), np.nan)
    row = column = 0
    for piece, cost in zip(pieces, [np.nan, *nats], strict=False):
        if column + len(piece) > ACROSS:
            row, column = row + 1, 0
        if row == DOWN:
            break
        cells[row, column : column + len(piece)] = cost
        for place, character in enumerate(piece[:ACROSS], column):
            shown = SHOWN.get(character, character if ord(character) in glyphs else "·")
            ink = "white" if cost > 0.7 * MOST else "black"
            axes.text(place, row, shown, family="monospace", size=9, ha="center", va="center", color=ink)
        column += len(piece)
        if piece == "\n":
            row, column = row + 1, 0
    image = axes.imshow(cells[: row + 1], cmap="YlOrRd", vmin=0, vmax=MOST, aspect="auto")
    axes.axis("off")
    bar = figure.colorbar(image, ax=axes, shrink=0.8, pad=0.01)
    bar.set_label("nats: -log of the likelihood given")
    axes.set_title(f"How much each symbol surprised the model: {np.mean(nats):.2f} nats on average")
    return figure


def _glyphs():
    """The code points that the font has."""
    from matplotlib import font_manager

    return set(font_manager.get_font(font_manager.findfont("monospace")).get_charmap())
