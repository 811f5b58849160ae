"""Fit user models to a session log, and say how well they predict the clicks of
sessions that they have not seen.

The log is a csv, tsv or parquet table as user_model=log reads it; alignir
import-log makes one from other forms. With qrels= the parameters are by grade,
else by query-document pair. Each model is written as a YAML that user_model=
takes, into conf/user_model of the working folder.

examples:
  alignir fit user_model=all log=LOG.parquet
  alignir fit user_model=dbn log=LOG.parquet qrels=DATA/qrels.txt name=mine
  alignir model=lexical user_model=mine
"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from alignir.commands import options

SETTINGS = {
    "user_model": (None, "dbn, sdbn, cascade, dcm, ccm, pbm or ubm, several with commas, or all (required)"),
    "log": (None, "the session log (required)"),
    "qrels": ("", "TREC qrels with the grades 0-3 of the results; unjudged ones count as 0 (default: none)"),
    "depth": ("10", "ranks that users see"),
    "shrinkage": (
        "",
        "weight of the mean of all grades or pairs in each, in examinations (default: 0 by grade, 5 by pair, "
        "where held-out clicks of the CLARA2 log are predicted best)",
    ),
    "held_out": ("0.2", "share of the sessions kept to measure on; the written parameters come from all of them"),
    "seed": ("0", "of the choice of those"),
    "out": ("conf/user_model", "the folder to write to"),
    "name": ("", "of the YAML and of the user model (default: MODEL_fitted)"),
}


def arguments(prog: str) -> ArgumentParser:
    told = {key: f"{text} (default: {default})" if default else text for key, (default, text) in SETTINGS.items()}
    parser = options.parser(prog, __doc__, options.listed("settings", {f"{key}=": text for key, text in told.items()}))
    parser.add_argument("settings", nargs="+", metavar="KEY=VALUE", help="the settings below (required)")
    options.add_format(parser, "how the table is printed")
    return parser


def run(args) -> int:
    return fit(settings_of(args.settings), args.format)


def settings_of(arguments: list[str]) -> dict[str, Any]:
    from alignir.errors import InputError, one_of

    given: dict[str, Any] = {key: default for key, (default, _) in SETTINGS.items()}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or key not in SETTINGS:
            raise one_of("setting", argument, [f"{key}=" for key in SETTINGS])
        given[key] = value or SETTINGS[key][0]
    for key in ("user_model", "log"):
        if not given[key]:
            _, text = SETTINGS[key]
            raise InputError(f"{key}= has no value: it is {text}")
    for key, kind in (("depth", int), ("shrinkage", float), ("held_out", float), ("seed", int)):
        try:
            given[key] = kind(given[key]) if given[key] else None
        except ValueError:
            raise InputError(f"{key}={given[key]}: expected a number") from None
    if not 0 < given["held_out"] < 1 or given["depth"] < 1 or min(given["shrinkage"] or 0, given["seed"]) < 0:
        raise InputError("expected held_out between 0 and 1, depth from 1, shrinkage and seed from 0")
    return given


def fit(given: dict, form: str) -> int:
    import numpy as np

    from alignir.data import trec
    from alignir.errors import InputError, one_of
    from alignir.progress import bar
    from alignir.tables.table import Table, show
    from alignir.users import fitting, session_log
    from alignir.users.goodness_of_fit import constant, happened, log_likelihood, perplexity
    from alignir.users.pages import pages_by_grade, pages_by_pair

    names = list(fitting.MODELS) if given["user_model"] == "all" else given["user_model"].split(",")
    for name in names:
        if name not in fitting.MODELS:
            raise one_of("user_model", name, [*fitting.MODELS, "all"])
    if given["name"] and len(names) > 1:
        raise InputError("name= names one user model, and several are fitted")
    log = session_log.read_log(given["log"])
    qrels = trec.read_qrels(given["qrels"]) if given["qrels"] else None
    sessions = log["session_id"].unique()
    chosen = np.random.default_rng(given["seed"]).permutation(sessions)[: round(given["held_out"] * len(sessions))]
    if not 0 < len(chosen) < len(sessions):
        raise InputError(
            f"{given['log']}: {len(sessions)} sessions are too few to hold {given['held_out']} of them out"
        )
    apart = log["session_id"].isin(chosen)

    def pages(part, like=None):
        if qrels is not None:
            return pages_by_grade(part, qrels, given["depth"])
        return pages_by_pair(part, given["depth"], None if like is None else like.pairs)

    everything, seen = pages(log), pages(log[~apart])
    unseen = pages(log[apart], seen)
    shrinkage = given["shrinkage"] if given["shrinkage"] is not None else (0.0 if qrels is not None else 5.0)

    rows = []
    for title, by_rank in (("constant CTR", False), ("CTR by rank", True)):
        chances = np.broadcast_to(constant(seen, by_rank), unseen.kinds.shape)
        likelihood = happened(chances, unseen).sum(axis=1)
        rows.append([title, *numbers(likelihood, perplexity(chances, unseen))])
    fitted = {}
    with bar("fitting", 2 * len(names), "fits", after=2) as advance:
        for name in names:
            model = fitting.fit(name, seen, shrinkage)
            chances = model.expect(unseen.kinds).clicks
            rows.append([name, *numbers(log_likelihood(model, unseen), perplexity(chances, unseen))])
            advance(1)
            fitted[name] = fitting.fit(name, everything, shrinkage)
            advance(1)
    size = f"{len(seen.kinds):,} sessions, {len(unseen.kinds):,} held out"
    by = "grade" if qrels is not None else f"query-document pair ({len(everything.pairs):,}), shrinkage {shrinkage:g}"
    columns = ["user model", "ln likelihood", "perplexity", *(f"@{rank}" for rank in range(1, given["depth"] + 1))]
    notes = [
        "of the held-out sessions: mean ln P(clicks of a session); perplexity of the clicks, on average and by rank",
        "cascade allows one click; P of a session with more is taken for 1e-12",
    ]
    show([Table(f"Fit to {given['log']}: {size}, by {by}", columns, rows, notes)], form)
    for name, model in fitted.items():
        file = write(model, everything, log, qrels, given["name"] or f"{name}_fitted", Path(given["out"]))
        print(f"written to {file}: use it with user_model={file.stem}")
    return 0


def numbers(likelihood, perplexity) -> list[str]:
    import numpy as np

    return [f"{likelihood.mean():.4f}", f"{np.nanmean(perplexity):.4f}", *(f"{value:.4f}" for value in perplexity)]


def write(model, pages, log, qrels, name: str, folder: Path) -> Path:
    """`name`.yaml in the folder, which user_model=`name` reads there, and `name`.parquet with the pairs, if any."""
    from dataclasses import fields

    import yaml

    from alignir.files import written_whole
    from alignir.users import fitting
    from alignir.users.click_models import PBM, UBM

    folder.mkdir(parents=True, exist_ok=True)
    settings = {"name": name, "depth": pages.kinds.shape[1]}
    parameters = {field.name: getattr(model, field.name) for field in fields(model)}
    if pages.pairs is not None:
        by_pair = {key: parameters[key] for key in ("attraction", "satisfaction") if key in parameters}
        table = pages.pairs.assign(**{key: values[:-1] for key, values in by_pair.items()})
        parameters |= {key: values[-1:] for key, values in by_pair.items()}
        settings["pairs"] = str((folder / f"{name}.parquet").absolute())
        with written_whole(folder / f"{name}.parquet") as file:
            table.to_parquet(file)
    settings["model"] = {"_target_": f"alignir.{type(model).__name__}", **plain(parameters)}
    if isinstance(model, (PBM, UBM)):
        settings["metrics"] = {"success": "dwell"}  # clicks do not tell satisfaction here
    dwell = fitting.dwell_by_grade(log, qrels) if qrels is not None else None
    if dwell is not None:
        settings["dwell"] = plain({"mean": dwell.mean, "sigma": dwell.sigma})
    head = f"# {type(model).__name__}, fitted by alignir fit to {len(pages.kinds):,} sessions"
    body = yaml.safe_dump(settings, sort_keys=False, default_flow_style=None, width=120, allow_unicode=True)
    with written_whole(folder / f"{name}.yaml") as file:
        file.write_text(f"{head}\ndefaults: [simulated, _self_]\n{body}", encoding="utf-8")
    return folder / f"{name}.yaml"


def plain(value):
    """Lists and rounded numbers, as YAML writes them."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else float(f"{value:.6g}")
