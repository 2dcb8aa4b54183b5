"""The plot of docs/benchmarks.md, light and dark: how long `pulumi up` takes for how many models."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
THEMES = {"light": ("#1f2328", "#d0d7de", "#ffffff"), "dark": ("#e6edf3", "#30363d", "#0d1117")}
COLOURS = ("#8b949e", "#d29922", "#2f81f7")


def draw(title: str, lines: Mapping[str, Mapping[int, float]]) -> None:
    """Draw *lines* (for each name the seconds by the number of models), the slowest first."""
    mpl.rcParams.update({"svg.hashsalt": "bench", "svg.fonttype": "none", "font.family": "sans-serif"})
    for theme, (ink, grid, paper) in THEMES.items():
        figure, axes = plt.subplots(figsize=(8, 4.2), facecolor=paper)
        axes.set_facecolor(paper)
        for (name, seconds), colour in zip(lines.items(), COLOURS, strict=True):
            axes.plot(list(seconds), list(seconds.values()), marker="o", linewidth=2, color=colour, label=name)
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:g}")
        axes.set_xlabel("models", color=ink)
        axes.set_ylabel("seconds of pulumi up", color=ink)
        axes.set_title(title, color=ink)
        axes.grid(visible=True, color=grid)
        axes.tick_params(which="both", colors=ink)
        for spine in axes.spines.values():
            spine.set_color(grid)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=3, frameon=False, labelcolor=ink)
        figure.savefig(PICTURES / f"bench-{theme}.svg", bbox_inches="tight", metadata={"Date": None})
        plt.close(figure)
