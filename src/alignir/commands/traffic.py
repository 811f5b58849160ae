"""How much traffic would an A/B test need to order these systems?

Prints tau_b between the systems' order by sampled users and by exact
expectations, over the number of sessions that each system gets for each query,
and draws it with --out. The interval is where 95% of the draws lie. No model
is asked.

examples:
  alignir traffic
  alignir traffic user_model=pbm --sessions 10,100,1000 --out traffic.png
"""

from argparse import ArgumentParser
from dataclasses import replace

from alignir.commands import options, output


def arguments(prog: str) -> ArgumentParser:
    parser = options.parser(prog, __doc__)
    options.add_settings(parser, "user_model=pbm")
    parser.add_argument(
        "--sessions",
        default="1,3,10,30,100,300,1000",
        metavar="N,N,...",
        help="sessions for each system and query (default: %(default)s)",
    )
    options.add_draws(parser, 20, "independent draws of each number of sessions")
    options.add_enough(parser)
    output.add_out(parser, "the figure", without="none is drawn")
    options.add_format(parser)
    return parser


def run(args) -> int:
    import pandas as pd

    from alignir.alignment.tau import against_exact
    from alignir.config import composed_cell
    from alignir.errors import InputError
    from alignir.experiment.inputs import read_inputs
    from alignir.figures.curves import traffic_figure
    from alignir.formatting import counted
    from alignir.progress import bar
    from alignir.tables import table, traffic
    from alignir.users.simulated import Simulated

    sizes = options.numbers("--sessions", args.sessions)
    options.check_from("--draws", args.draws, 2)
    output.check_out(args.out, output.FIGURES)
    cell = composed_cell(args.settings)
    if not isinstance(cell.user_model, Simulated):
        raise InputError(f"user_model={cell.names['user_model']} does not simulate users, so it cannot be sampled")
    inputs = read_inputs(cell, to_ask=False)
    qrels, runs, scale = inputs.dataset.qrels, inputs.runs, inputs.dataset.scale
    pages = len(runs.systems) * len(runs.query_ids)
    exact = replace(cell.user_model, sessions=None).measure(qrels, runs, scale)
    curves = []
    with bar("sampling", args.draws * sum(sizes) * pages, "sessions", after=2) as advance:
        for size in sizes:
            draws = []
            for online in replace(cell.user_model, sessions=size).draw(qrels, runs, args.draws, scale):
                draws.append(online)
                advance(size * pages)
            curves.append(against_exact(exact, draws).assign(sessions=size))
    curves = pd.concat(curves, ignore_index=True)
    sizes_of = f"{counted(len(runs.systems), 'system')}, {counted(len(runs.query_ids), 'query')}"
    title = f"{cell.called['dataset']}, {cell.called['user_model']}: {sizes_of}"
    output.draw(lambda: traffic_figure(curves, args.enough, title, cell.heads), args.out, "traffic")
    table.show([traffic.table(curves, title, args.enough, cell.heads)], args.format)
    return 0
