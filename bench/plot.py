"""
The plot of docs/benchmarks.md, light and dark: how long `pulumi up` takes for how many models. Part of `make pictures`.

It is drawn of the page's own tables, so that the two never differ.
"""

from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt
from matplotlib.ticker import NullLocator

DOCS = Path(__file__).resolve().parent.parent / "docs"
THEMES = {  # ink, grid, paper, and the lines
    "light": ("#1f2328", "#d0d7de", "#ffffff", ("#59636e", "#953800", "#0550ae")),
    "dark": ("#e6edf3", "#30363d", "#0d1117", ("#9198a1", "#e3b341", "#79c0ff")),
}
# Where a line's label stands, seen from the line's end: before it, or behind it.
BEFORE = {"xytext": (-10, 0), "ha": "right"}
BEHIND = {"xytext": (10, 0), "ha": "left"}


def rows(head: str, *first: str) -> list[list[str]]:
    """Return the rows of the table whose first line begins with *head*: those that begin with *first*."""
    text = (DOCS / "benchmarks.md").read_text()
    table = text[text.index(f"| {head} |") :].split("\n\n")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return [row for row in cells if tuple(row[: len(first)]) == first]


def lines() -> list[tuple[str, dict[str, object], list[tuple[int, float]]]]:
    """Return for each line its label, where that stands, and the seconds by the number of models."""
    trivial = [row for row in rows("models, 2 s each | -p") if row[1] == "256"]
    singles, fleets = rows("model, s | single resources", "2"), rows("model, s | one fleet of", "2")
    return [
        ("a trivial resource\nfor each model, -p 256", BEFORE, [(int(r[0]), float(r[2])) for r in trivial]),
        ("an UndeployedModel\nfor each model, -p 256", BEHIND, [(int(r[1]), float(r[2])) for r in singles]),
        ("one UndeployedModels\nfor all models", BEHIND, [(int(r[1]), float(r[2])) for r in fleets]),
    ]


def draw(theme: str) -> None:
    """Draw the plot in the colours of *theme*."""
    ink, grid, paper, colours = THEMES[theme]
    figure, axes = plt.subplots(figsize=(8, 4.2), facecolor=paper)
    axes.set_facecolor(paper)
    for (label, place, points), colour in zip(lines(), colours, strict=True):
        axes.plot(*zip(*points, strict=True), marker="o", linewidth=2, color=colour)
        how = {"textcoords": "offset points", "va": "center", "color": colour, "weight": "bold", "zorder": 1.9}
        axes.annotate(label, points[-1], bbox={"facecolor": paper, "edgecolor": "none", "pad": 1}, **how, **place)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.8, 100000)
    axes.set_ylim(3.5, 170)
    axes.set_xticks([1, 16, 64, 200, 1000, 5000])
    axes.set_yticks([5, 10, 20, 50, 100])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter("{x:g}")
    axes.set_xlabel("models that take 2 seconds each", color=ink)
    axes.set_ylabel("seconds of pulumi up", color=ink)
    axes.grid(visible=True, color=grid)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=ink)
    for spine in axes.spines.values():
        spine.set_color(grid)
    figure.savefig(DOCS / "pictures" / f"bench-{theme}.svg", bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    """Draw it in both."""
    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.family": "sans-serif"})
    for theme in THEMES:
        draw(theme)


if __name__ == "__main__":
    main()
