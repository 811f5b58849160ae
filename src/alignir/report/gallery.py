"""Gallery: the figures that recorded runs give together, each under its name."""

import re
from collections.abc import Callable, Iterable, Iterator

from alignir.report import label_figures, system_figures
from alignir.report.figure import Figure
from alignir.tracking.recordings import Recordings

MADE: dict[str, Callable[[Recordings], Iterator[Figure]]] = {
    "judges": system_figures.judges,
    "labels": label_figures.labels,
    "confusion": label_figures.confusion,
    "calibration": label_figures.calibration,
    "scores": system_figures.scores,
    "ranks": system_figures.ranks,
    "top": system_figures.top,
    "cost": system_figures.cost,
    "size": system_figures.size,
    "online": system_figures.online,
    "tau": system_figures.taus,
}


def drawings(recordings: Recordings, kinds: Iterable[str]) -> dict[str, Callable[[], object]]:
    """{name: how to draw it} of these kinds: a figure for each dataset or setting that was recorded.

    Where a kind has several, its name is followed by what tells them apart: dataset, users, page. A kind that the runs
    cannot fill, as calibration without probabilities, has none.
    """
    found: dict[str, Callable[[], object]] = {}
    for kind in kinds:
        of_kind = list(MADE[kind](recordings))
        names = _apart([figure.place for figure in of_kind])
        for figure in of_kind:
            name = "-".join([kind, *map(_slug, names[figure.place])])
            while name in found:  # names that differ in signs only
                name += "-"
            found[name] = figure.draw
    return found


def _apart(places: list[tuple[str, ...]]) -> dict[tuple[str, ...], list[str]]:
    """{place: those of its parts that tell it from the other places, as few as do}."""
    parts: dict[tuple[str, ...], list[str]] = {place: [] for place in places}
    for number, values in enumerate(zip(*places, strict=True)):
        told = len({tuple(found) for found in parts.values()}) == len(parts)
        if len(set(values)) > 1 and not told:
            for place in places:
                parts[place].append(place[number])
    return parts


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
