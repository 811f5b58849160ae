"""How long do `alignir tables`, `figures` and `report` take over a large experiment, and how large is the page?

    python scripts/bench/recorded.py
    python scripts/bench/recorded.py --judges 6 --users 10
    python scripts/bench/recorded.py --judges 4 --users 1 --systems 3 --queries 4 --keep FOLDER

Records a sweep of judges (files of noisy labels, word overlap, and the scripted model under two prompts) with several
user models over a made-up collection in a temporary folder, then runs each command in a process of its own. Time is
that of the processor (user and system), which other programs do not change much.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

USERS = ("dbn", "pbm", "sdbn", "cascade", "dcm", "ccm", "ubm", "informational", "navigational", "perfect")
COMMANDS = {
    "tables": ("tables", "--out", "tables.md", "--format", "markdown"),
    "report": ("report", "--out", "report"),
    "figures": ("figures", "--out", "figures"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judges", type=int, default=20, help="at least 4 (default: 20)")
    parser.add_argument(
        "--users", type=int, default=3, help="user models, at most 10, each a run of each judge (default: 3)"
    )
    parser.add_argument("--systems", type=int, default=46)
    parser.add_argument("--queries", type=int, default=43)
    parser.add_argument("--command", choices=COMMANDS, action="append", help="(default: tables and report)")
    parser.add_argument("--keep", type=Path, help="a folder to record in, or to read again if it has been recorded in")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.keep or Path(temporary)
        if not (folder / "mlruns").exists():
            write(folder, args)
            record(folder, args.judges, USERS[: args.users])
        show(folder, args.command or ["tables", "report"])
    return 0


def write(folder: Path, args) -> None:
    """A collection with graded passages, systems that find the better ones more or less often, and judges' labels."""
    import numpy as np

    rng = np.random.default_rng(0)
    data = folder / "data"
    (data / "runs").mkdir(parents=True)
    words = [f"word{number}" for number in range(400)]
    queries = {f"q{number}": rng.choice(words, 4) for number in range(args.queries)}
    (data / "queries.tsv").write_text("".join(f"{query}\t{' '.join(text)}\n" for query, text in queries.items()))
    grades, passages = {}, []
    for query, text in queries.items():
        for number in range(30):
            grade = int(rng.choice(4, p=[0.5, 0.2, 0.2, 0.1]))
            own = rng.choice(text, 2 * grade) if grade else []
            grades[query, f"{query}d{number}"] = grade
            passages.append(f"{query}d{number}\t{' '.join([*rng.choice(words, 20), *own])}\n")
    (data / "passages.tsv").write_text("".join(passages))
    (data / "qrels.txt").write_text("".join(f"{query} 0 {doc} {grade}\n" for (query, doc), grade in grades.items()))
    for system, noise in enumerate(np.linspace(0.5, 4, args.systems)):
        lines = [f"{query} Q0 {doc} 0 {grade + noise * rng.normal():.4f} t\n" for (query, doc), grade in grades.items()]
        (data / "runs" / f"system-{system:02}.run").write_text("".join(lines))
    for judge in range(args.judges - 3):
        noisy = {pair: np.clip(round(grade + 0.1 * judge * rng.normal()), 0, 3) for pair, grade in grades.items()}
        labels = "".join(f"{query} 0 {doc} {grade}\n" for (query, doc), grade in noisy.items())
        (folder / f"judge-{judge:02}.qrels").write_text(labels)


def record(folder: Path, judges: int, users: tuple[str, ...]) -> None:
    labels = ",".join(f"judge-{judge:02}.qrels" for judge in range(judges - 3))
    for choices in (
        ["model=replay", f"model.labels={labels}"],
        ["model=lexical"],
        ["model=scripted", "prompt=zeshot,basic"],
    ):
        settings = ["dataset=folder", "dataset.path=data", "bootstrap.B=20", "floor.shuffles=1"]
        alignir(folder, "-m", *choices, f"user_model={','.join(users)}", *settings)


def show(folder: Path, commands: list[str]) -> None:
    from alignir.tables import table

    lines = []
    for command in commands:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        alignir(folder, *COMMANDS[command])
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        out = folder / COMMANDS[command][2]
        files = [out] if out.is_file() else list(out.iterdir())
        size = sum(file.stat().st_size for file in files) / 1e6
        lines.append([command, f"{cpu:.1f}", f"{wall:.1f}", f"{size:.2f}", f"{after.ru_maxrss / 1e6:.2f}"])
    columns = ["command", "s of processor", "s of clock", "MB written", "GB at peak"]
    print(table.render([table.Table("Recorded runs", columns, lines)], "rich"), end="")


def alignir(folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "alignir", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
