"""The demo collection and the rankings of its systems, which forks of a process that imports this need not make."""

from alignir.config import composed_cell

cell = composed_cell(["model=lexical"])
cell.systems(cell.dataset())
