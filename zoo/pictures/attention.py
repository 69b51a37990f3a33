"""Where a model that writes a text from a text looked, and what it writes wrong."""

import numpy as np

from zoo.report import panels, save
from zoo.transduction_scores import wanted

SHOWN = 4
MISTAKES = 20
# Inches that the colour bar takes, and a character.
BAR, CHARACTER = 1.2, 0.22
# A dollar would begin a formula.
FONT = dict(fontfamily="monospace", fontsize=9, parse_math=False)


def draw(folder, model, data):
    """Draws the pictures of a run of a model that writes a text from a text.

    Args:
        folder: the run folder.
        model: the trained model.
        data: the run's `zoo.Data`; the texts are of its test part, or of the validation part.

    Returns:
        The paths of the pictures: `attention.png` of a model with attention, of texts of different lengths, and
        `mistakes.png`.
    """
    texts, answers = wanted(model, data.test or data.validation)
    drawn = []
    if model.attentive:
        by_length = sorted(dict.fromkeys(texts), key=len)
        places = np.linspace(0, len(by_length) - 1, min(SHOWN, len(by_length))).astype(int)
        figure = alignments([(by_length[place], *model.attend(by_length[place])) for place in places])
        drawn.append(save(figure, folder / "attention.png"))
    return [*drawn, save(mistakes(texts, answers, model.transduce(texts)), folder / "mistakes.png")]


def alignments(examples):
    """Where a decoder looked: a row for each character that was written, a column for each that was read.

    Bahdanau, Cho, Bengio 2015, figure 3.

    Args:
        examples: a list of triples: the text that was read, the text that was written, and the weights (written, read)
            of its characters.

    Returns:
        A matplotlib figure.
    """
    across, down = (max(len(example[number]) for example in examples) for number in (0, 1))
    width, height = CHARACTER * across, CHARACTER * max(2, down)
    if height > width:  # side by side
        figure, axes = panels(len(examples), 1, max(1.2, width) + 0.7, height + 0.9)
        figure.set_figwidth(figure.get_figwidth() + BAR)
    else:
        figure, axes = panels(1, len(examples), max(4.0, width) + BAR, height + 0.9)
    for axis, (read, written, weights) in zip(axes, examples, strict=True):
        if not written:
            axis.axis("off")
            axis.set_title("".join(["nothing for\n", *_visible(_cut(read, 20))]), fontsize=9, parse_math=False)
            continue
        image = axis.imshow(weights, cmap="viridis", vmin=0, vmax=1, aspect="equal")
        axis.set_xticks(range(len(read)), _visible(read), **FONT)
        axis.set_yticks(range(len(written)), _visible(written), **FONT)
        axis.tick_params(length=0, labeltop=True, labelbottom=False)
        axis.xaxis.set_label_position("top")
        axis.set_xlabel("read", loc="left")
        axis.set_ylabel("written", loc="top")
        # A character is as large in every panel.
        axis.set_xlim(-0.5, across - 0.5)
        axis.set_ylim(down - 0.5, -0.5)
        axis.spines[:].set_visible(False)
    drawn = [axis for axis in axes if axis.images]
    if drawn:
        figure.colorbar(image, ax=drawn, label="weight", shrink=0.3)
        for axis in drawn:
            axis.set_anchor("NW")  # behind the colour bar, which sets its own
    return figure


def mistakes(texts, answers, written):
    """Answers that are wrong: what was read, what was written, what is right.

    Args:
        texts, answers, written: lists of strings.

    Returns:
        A matplotlib figure.
    """
    rows = [row for row in zip(texts, written, answers, strict=True) if row[1] != row[2]]
    shown = [("read", "written", "right"), *rows[:MISTAKES]]
    lines = [[_cut(text) for text in row] for row in shown]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in lines)
    figure, (axis,) = panels(1, 1, max(4.0, 0.08 * sum(widths) + 0.6), 0.155 * len(lines) + 0.1)
    axis.axis("off")
    if rows:
        axis.text(0, 1, text, va="top", transform=axis.transAxes, **FONT)
    said = f"{len(rows[:MISTAKES])} of {len(rows)} wrong answers" if rows else "no wrong answer"
    axis.set_title(f"{said} to {len(texts)} texts")
    return figure


def _visible(text):
    """The characters of a text as labels; what is blank has a sign."""
    return ["␣" if character.isspace() else character for character in text]


def _cut(text, most=60):
    text = "".join(_visible(text)).replace("␣", " ")
    return text if len(text) <= most else f"{text[: most - 1]}…"
