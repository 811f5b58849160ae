"""View: what people see of an experiment in MLflow: which columns its runs have, and at which address."""

import json
import shlex
import time

from alignir.tracking import stores

LOCAL = "http://127.0.0.1:5000"  # where `mlflow ui` serves a file or database
KEY = "alignir"  # of the view, in the address and among the experiment's tags
# Of a run's params and metrics, those that are compared first, in this order.
PARAMS = ("model", "prompt", "dataset", "user_model", "assumption")
METRICS = ("tau_b", "ci_low", "ci_high", "kappa", "missing", "tau_b/clicks", "price")
WIDTHS = {"attributes": 330, "params": 110, "metrics": 90}  # pixels
DESCRIPTION = """\
**Look first at `tau_b`**, 95% interval `ci_low` to `ci_high`: does a judge order the systems as the baseline labels do?

- Judges whose intervals overlap may be equally good: `alignir tables` tests it.
- `tau_b/clicks` and the like: does it order them as users would, by the `user_model` under the `assumption`? Of \
`sar`, `zrr` and `first_click` lower is better, so that a good judge is negative there.
- `missing` is the share of pairs without a label, `failed` counts requests to ask again: of many, distrust the tau.
- `kappa`: do single labels agree? That need not go with tau. `bias` above 0: the judge is too mild.

A run is one cell: a judge (`model`, `prompt`), a dataset, systems, queries and users. Sorted by time, the cells of a \
sweep lie under it. A run's page begins with its numbers in words. Among its artifacts are `labels.json` (labels \
beside their texts), `alignment.csv` (every tau), `figures/`, and `recorded.json` (all else).
"""


def runs_address(store: str, experiment_id: str) -> str:
    """Where a browser shows the runs of an experiment with the columns above; `store` is the tracking URI.

    A file or database is served at this address by `mlflow ui`.

    >>> runs_address("sqlite:///mlruns/mlflow.db", "1").partition("#")
    ('http://127.0.0.1:5000/', '#', '/experiments/1/runs?workflowType=machine_learning&viewStateShareKey=alignir')
    """
    server = stores.shown(store).rstrip("/") if store.startswith(("http://", "https://")) else LOCAL
    return f"{server}/#/experiments/{experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={KEY}"


def serving(store: str) -> str:
    """The command that serves the runs of a file or database at that address; empty where a server has them.

    >>> serving("sqlite:///other.db"), serving("http://host:5000")
    ('mlflow ui --backend-store-uri sqlite:///other.db', '')
    >>> serving("sqlite:///our runs.db")
    "mlflow ui --backend-store-uri 'sqlite:///our runs.db'"
    """
    if store.startswith(("http://", "https://")):
        return ""
    file = stores.file_of(store)
    if file is not None and (near := stores.near(file)) != file:
        store = f"sqlite:///{near}"
    return f"mlflow ui --backend-store-uri {shlex.quote(stores.shown(store))}"


def offer(client, experiment_id: str) -> None:
    """Give the experiment its description, where nobody has written one, and the view of its runs."""
    there = client.get_experiment(experiment_id).tags
    if "mlflow.note.content" not in there:
        client.set_experiment_tag(experiment_id, "mlflow.note.content", DESCRIPTION)
    name, now = f"mlflow.sharedViewState.{KEY}", int(time.time() * 1000)
    if json.loads(there.get(name, "{}")).get("state") != _state():
        view = {"name": "judges compared", "createdAt": now, "updatedAt": now, "state": _state()}
        client.set_experiment_tag(experiment_id, name, json.dumps(view))


def _state() -> str:
    """What MLflow's page of runs keeps of itself when a person shares a view of it: all cells, the highest tau first.

    In any order but that of time, its default, cells stand beside the run of their sweep and not folded away under it.
    """
    columns = [f"metrics.`{name}`" for name in METRICS] + [f"params.`{name}`" for name in PARAMS]
    order = ["attributes.`Run Name`", *columns]
    state = {
        "selectedColumns": columns,
        "columnOrder": order,
        "columnWidths": {column: WIDTHS[column.partition(".")[0]] for column in order},
        "orderByKey": columns[0],
        "orderByAsc": False,
    }
    return json.dumps(state)
