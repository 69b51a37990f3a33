"""The picture of `zoo bench`: what recipes reach against what one image costs their networks."""

from zoo.report import panels

# Panels side by side; more stand in rows below. Letters of a line of the legend, at its size, to the inch.
ACROSS = 2
LETTERS = 13
MARKERS = "osD^vPX<>p"
COSTS = {"macs": "multiply-adds of one image", "parameters": "parameters", "ms": "time of one image, ms"}


def costs(rows, cost="macs"):
    """Accuracy on test images against cost, a panel for each set of images, a point for each recipe.

    Args:
        rows: a list of dicts with `recipe`, `data`, `accuracy` and `deviation` (in percent, None of a single run), and
            `macs`, `parameters` and `inference_1` (images a second, one a call). Rows without accuracy or without the
            cost are left out.
        cost: "macs", "parameters" or "ms", on a logarithmic axis.

    Returns:
        A matplotlib figure. Recipes stand in the legends in the order of their cost.
    """
    points = [(row, _cost(row, cost)) for row in rows if row.get("accuracy") is not None]
    points = sorted(((row, found) for row, found in points if found), key=lambda pair: pair[1])
    sets = sorted({row["data"] for row, _ in points})
    longest = max(len(row["recipe"]) for row, _ in points)
    across = min(ACROSS, len(sets))
    figure, axes = panels(across, -(-len(sets) // across), 4.2 + longest / LETTERS, 3.6)
    for axis in axes[len(sets) :]:
        axis.axis("off")
    for axis, data in zip(axes, sets, strict=False):
        here = [(row, found) for row, found in points if row["data"] == data]
        for number, (row, found) in enumerate(here):
            axis.errorbar(
                found,
                row["accuracy"],
                yerr=row["deviation"],
                fmt=MARKERS[number % len(MARKERS)],
                color=f"C{number % 10}",
                markeredgecolor="white",
                markersize=8,
                capsize=3,
                label=row["recipe"],
            )
        axis.set_xscale("log")
        axis.set_xlim(here[0][1] / 5, here[-1][1] * 5)
        axis.set_title(data.replace("_", " "))
        axis.set_xlabel(COSTS[cost])
        axis.set_ylabel("accuracy on test images, %")
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)
    figure.suptitle("accuracy against cost; bars are standard deviations over seeds")
    return figure


def _cost(row, cost):
    if cost == "ms":
        return 1000 / row["inference_1"] if row.get("inference_1") else None
    return row.get(cost)
