"""What does a ledger of the paper's size cost? Writes and loads made-up answers, and prints size, time and memory.

python scripts/bench/ledger.py --answers 1250000
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1_250_000)
    parser.add_argument(
        "--words", type=int, default=40, help="in an answer: an explanation, then the label (default: 40)"
    )
    args = parser.parse_args()

    import numpy as np
    import pandas as pd

    from alignir.labelling.labels import CHUNK
    from alignir.labelling.ledger import ANSWERS, Ledger, pair_key
    from alignir.tables import table

    judge = {"model": {"name": "bench"}, "prompt": {"name": "bench", "text": "$query $passage"}}
    rng = np.random.default_rng(0)
    vocabulary = np.array([f"word{number}" for number in range(5000)])
    with tempfile.TemporaryDirectory() as folder:
        ledger, writing = Ledger(Path(folder)), 0.0
        for first in range(0, args.answers, CHUNK):
            size = min(CHUNK, args.answers - first)
            words = rng.choice(vocabulary, (size, args.words))
            grades = rng.integers(0, 4, size)
            frame = pd.DataFrame(
                {
                    "key": [pair_key("query", str(number)) for number in range(first, first + size)],
                    "response": [" ".join(row) + f"\n{grade}" for row, grade in zip(words, grades, strict=True)],
                    "finish_reason": "stop",
                    "prompt_tokens": 450,
                    "output_tokens": args.words,
                    "cut": False,
                }
            ).reindex(columns=ANSWERS.names)
            start = time.perf_counter()
            ledger.append(judge, frame)
            writing += time.perf_counter() - start
        chapter = ledger.chapter(judge)
        size = sum(file.stat().st_size for file in chapter.glob("*.parquet"))
        files = len(list(chapter.glob("*.parquet")))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        answers = ledger.load(judge)
        loading = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    row = [f"{len(answers):,}", f"{files:,}", f"{size / 1e6:,.0f}", f"{writing:.1f}", f"{loading:.1f}"]
    row += [f"{before / 1e6:.2f}", f"{peak / 1e6:.2f}"]
    columns = ["answers", "files", "MB on disk", "s writing", "s loading", "GB before", "GB at peak"]
    print(table.render([table.Table("Ledger", columns, [row])], "rich"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
