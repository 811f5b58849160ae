"""How many answers are read right, how many stay unread, and how many are read wrong? By kind, the faults below.

    python scripts/bench/reader.py ANSWERS

ANSWERS has an answer a line, as JSON: form, finish_reason, response, label (null: none), kind, and `or_none` where no
label is as good. Without it, shared/cases/answers.jsonl is read, of $ALIGNIR_SHARED or beside the checkout. Exits with
1 if an answer is read wrong.
"""

import argparse
import json
import os
import sys
from collections import Counter
from pathlib import Path

OUTCOMES = ("right", "unread", "wrong")


def beside_the_checkout() -> Path | None:
    """The collected answers, of $ALIGNIR_SHARED or of the nearest folder that has a shared/; None without either."""
    own = os.environ.get("ALIGNIR_SHARED")
    folders = [Path(own)] if own else [folder / "shared" for folder in Path(__file__).resolve().parents]
    return next((file for folder in folders if (file := folder / "cases" / "answers.jsonl").is_file()), None)


def read_cases(file: Path) -> list[dict]:
    """Each case with `outcome`, and with the label and status that were read as `read`."""
    from alignir.labelling.answers import read

    cases = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            case = json.loads(line)
            found = read(case["response"], case["form"], case["finish_reason"])
            right = found[0] == case["label"] or (found[0] is None and case.get("or_none", False))
        except (ValueError, KeyError, TypeError) as error:
            raise SystemExit(f"{file}:{number}: expected a JSON object with response, form ...: {error!r}") from None
        outcome = "right" if right else "unread" if found[0] is None else "wrong"
        cases.append({"kind": case["form"], **case, "read": found, "outcome": outcome})
    return cases


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("answers", nargs="?", type=Path, default=beside_the_checkout(), metavar="ANSWERS")
    file = parser.parse_args().answers
    if file is None or not file.is_file():
        parser.error(f"no file {file or 'shared/cases/answers.jsonl'}: name one, or set ALIGNIR_SHARED")
    cases = read_cases(file)
    counts = Counter((case["kind"], case["outcome"]) for case in cases)
    counts.update(("all", case["outcome"]) for case in cases)
    kinds = [*dict.fromkeys(case["kind"] for case in cases), "all"]
    width = max(map(len, kinds))
    print(" " * width, *(f"{outcome:>7}" for outcome in OUTCOMES))
    for kind in kinds:
        print(f"{kind:{width}}", *(f"{counts[kind, outcome]:7}" for outcome in OUTCOMES))
    for case in cases:
        if case["outcome"] != "right":
            print(f"{case['outcome']}, {case['label']} expected, {case['read']} read: {case['response']!r}")
    return int(counts["all", "wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
