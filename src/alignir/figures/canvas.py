"""Canvas: what all figures have in common: their size and letters in print, their colours and marks, their files."""

import re
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path

from alignir.errors import InputError
from alignir.figures.svg import slim
from alignir.files import written_whole

WIDTH = 7.0  # inches, as wide as the text of a page: nothing is shrunk in print
HALF = 3.5  # of a figure that has one panel
LETTERS, TITLE = 8, 9  # points
# Okabe and Ito's colours, which colour-blind people tell apart, without the yellow that paper does not show
BLACK, ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)
MARKS = "os^DvPX"  # beside a colour, for print in grey
FAINT, UNKNOWN = "#B0B0B0", "#D9D9D9"
OUTSIDE = {
    "marker": "x",
    "color": "black",
    "s": 36,
    "linewidths": 1.2,
    "clip_on": False,
    "zorder": 4,
}  # of what is at an edge
PER_INCH = 15  # letters of LETTERS points


def blank(width: float, height: float, layout: str | None = "constrained"):
    """A figure without panels, of so many inches; without a layout where everything in it is given its place."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # no window, whatever the machine
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout, dpi=150)
    FigureCanvasAgg(figure)
    return figure


def panels(
    names: Iterable, height: float, title: str, most: int, x: str, y: str = "", more: float = 0.6, share=(True, True)
):
    """A figure and {name: its panel}, at most `most` in a row, each `height` inches high; `more` is for labels.

    Two rows of two rather than three and one; a panel alone is half as wide as the page. `x` stands below the lowest
    panels, `y` at the left of all; `share` as matplotlib's sharex and sharey.
    """
    names = list(names)
    rows = -(-len(names) // most)
    columns = -(-len(names) // rows)
    width = HALF if columns == 1 and most > 1 else WIDTH
    title = wrapped(title, width - 0.3, TITLE)
    figure = blank(width, height * rows + more + 0.15 * title.count("\n"))
    places = figure.subplots(rows, columns, sharex=share[0], sharey=share[1], squeeze=False).ravel()
    for panel in places:
        dress(panel)
    for panel in places[len(names) :]:
        panel.remove()
    for panel in places[len(names) - columns : len(names)]:  # nothing stands below them
        panel.tick_params(labelbottom=True)
        panel.set_xlabel(x, fontsize=LETTERS)
    figure.supylabel(y, fontsize=LETTERS)
    figure.suptitle(title, fontsize=TITLE)
    return figure, dict(zip(names, places, strict=False))


def dress(panel) -> None:
    panel.tick_params(labelsize=LETTERS)
    panel.spines[["top", "right"]].set_visible(False)


def looks(names: Iterable) -> dict:
    """{name: its colour and mark}."""
    pairs = zip(cycle(COLOURS), cycle(MARKS), strict=False)
    return {name: {"color": colour, "marker": mark} for name, (colour, mark) in zip(names, pairs, strict=False)}


def legend_below(figure, panel, columns: int, note: str = "") -> None:
    """The legend of a panel at the foot of the figure, with a note above it."""
    handles, names = panel.get_legend_handles_labels()
    look = {"frameon": False, "fontsize": LETTERS, "title_fontsize": LETTERS}
    title = wrapped(note, figure.get_figwidth() - 0.3)
    figure.legend(handles, names, loc="outside lower center", ncols=columns, title=title or None, **look)


def note_below(figure, text: str) -> None:
    """A note at the foot of a figure, under all of its panels; nothing where it is empty."""
    if text:
        figure.supxlabel(wrapped(text, figure.get_figwidth() - 0.3), fontsize=LETTERS)


def wrapped(text: str, inches: float, size: float = LETTERS) -> str:
    """The text in lines of about so many inches, broken after a space, or after _ - = in a long name."""
    width, lines = max(4, int(inches * PER_INCH * LETTERS / size)), [""]
    for word in re.findall(r"\S+\s*", text):
        whole = len(word.rstrip()) <= width
        for part in [word] if whole else re.findall(r"[^_=-]+[_=-]*\s*|[_=-]+\s*", word):
            if lines[-1] and len(lines[-1]) + len(part.rstrip()) > width:
                lines.append("")
            lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def ink(colour) -> str:
    """Letters that can be read on this colour: white on dark ones, by the luminance of Rec. 709."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(colour)
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5 else "black"


def shortened(name: str, inches: float) -> str:
    """A name in so many inches: without its middle where it is longer, since systems' names differ at the ends."""
    width = max(5, int(inches * PER_INCH))
    return name if len(name) <= width else f"{name[: width // 2]}…{name[-(width - width // 2 - 1) :]}"


def span(values) -> str:
    """`0.09 to 0.15`, or one number where all are the same in two digits.

    >>> span([0.15, 0.09]), span([0.154, 0.151])
    ('0.09 to 0.15', '0.15')
    """
    return " to ".join(dict.fromkeys(f"{each:.2f}" for each in (min(values), max(values))))


def compact(count: float, whole: int = 100_000) -> str:
    """A count in few letters: 9,260, and thousands from `whole` on: 123k."""
    if count < whole:
        return f"{count:,.0f}"
    return f"{count / 1000:.1f}k" if count < 9950 else f"{count / 1000:,.0f}k"


def log_scale(panel, steps: tuple[int, ...] = (1, 2, 5)) -> None:
    """A logarithmic x axis with 1, 2, 5, 10, 20, ... written out."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(subs=steps))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.10g}"))


def save(figure, path: Path) -> None:
    """Write a figure in the form that the file's ending names; the same figure gives the same bytes.

    Letters in an SVG stay letters, so that they can be found and edited.
    """
    from matplotlib import rc_context

    kind, kinds = path.suffix[1:].lower(), figure.canvas.get_supported_filetypes()
    if kind not in kinds:
        raise InputError(f"{path}: expected a name that ends in one of {', '.join(sorted(kinds))}")
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind)
    if figure.get_layout_engine() is not None:  # takes long, and is needed once for all forms
        figure.draw_without_rendering()
        figure.set_layout_engine(None)  # with "none" every form would be drawn twice
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "alignir"}), written_whole(path) as whole:
        figure.savefig(whole, format=kind, metadata=undated, dpi=300)
        if kind == "svg":
            whole.write_bytes(slim(whole.read_bytes()))
