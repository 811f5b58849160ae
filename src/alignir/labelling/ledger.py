"""The ledger: every answer an LLM gave, on disk as it arrives, so that no pair is paid for twice.

    ledger/<model>-<prompt>-<key>/judge.json                what decides an answer beside the texts of the pair
    ledger/<model>-<prompt>-<key>/<time>-<random>.parquet   a chunk of answers, written whole or not at all

An answer's key is the sha256 of the texts that its prompt was filled with, mostly query and passage. Reading an answer
(what label it gives) is not stored: a better reader re-reads the responses without a model.
"""

import contextlib
import hashlib
import json
import logging
import re
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from alignir.data.fields import MAIN
from alignir.errors import InputError
from alignir.files import written_whole

log = logging.getLogger(__name__)

ANSWERS = pa.schema(  # and p0, p1, ... of a judge that gives probabilities of its grades
    [
        ("key", pa.string()),
        ("response", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("output_tokens", pa.int32()),
        ("cut", pa.bool_()),
    ]
)


def pair_key(*texts: str) -> str:
    """The key of a pair's texts, in hex: the same texts are the same pair, in whatever dataset."""
    # Not as bytes: numpy cuts zero bytes off the end of those, and one key in 256 would never be found again.
    *first, last = texts
    whole = "".join(f"{len(text)} {text}" for text in first) + last
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def pair_keys(pairs: pd.DataFrame, fields: Sequence[str] = MAIN) -> list[str]:
    """The key of each row of `pairs`, which has the `fields` that a prompt is filled with."""
    return [pair_key(*texts) for texts in zip(*(pairs[field] for field in fields), strict=True)]


def judge_key(judge: dict) -> str:
    """The key of a judge, in hex: the same questions put to the same model are the same judge."""
    # a prompt's text decides, not its name, nor the form in which a free answer is read
    aside = ("name", "form") if judge["prompt"].get("decoding") == "free" else ("name",)
    prompt = {key: value for key, value in judge["prompt"].items() if key not in aside}
    decisive = json.dumps({**judge, "prompt": prompt}, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(decisive.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Chapter:
    """One judge's part of a ledger."""

    judge: dict
    answers: pd.DataFrame  # by key
    bytes: int  # on disk
    aside: int  # files that were set aside


@dataclass(frozen=True)
class Ledger:
    """A folder of answers."""

    folder: Path

    def chapter(self, judge: dict) -> Path:
        """The folder of one judge: `judge` holds everything that decides an answer beside the texts of a pair."""
        key = judge_key(judge)
        names = re.sub(r"[^\w.]+", "_", f"{Path(judge['model']['name']).name}-{judge['prompt']['name']}")
        known = sorted(Path(self.folder).glob(f"*-{key}"))  # perhaps under another name of the same prompt
        return known[0] if known else Path(self.folder) / f"{names}-{key}"

    def load(self, judge: dict) -> pd.DataFrame:
        """The answers of a judge by key, one a pair; of several the first that was written.

        A file that is no whole chunk of answers is named in the log and set aside as `*.aside`, never read.
        """
        return self._load(self.chapter(judge))

    def _load(self, folder: Path) -> pd.DataFrame:
        chunks = [chunk for file in sorted(folder.glob("*.parquet")) if (chunk := _read(file)) is not None]
        table = pa.concat_tables(chunks, promote_options="default") if chunks else ANSWERS.empty_table()
        return table.to_pandas().drop_duplicates("key").set_index("key")

    def chapters(self) -> Iterator[Chapter]:
        """Everything it holds, judge by judge."""
        for file in sorted(Path(self.folder).glob("*/judge.json")):
            try:
                judge = json.loads(file.read_text(encoding="utf-8"))
            except ValueError as error:
                raise InputError(f"{file}: expected the JSON of a judge, found something else: {error}") from error
            files = list(file.parent.glob("*.parquet"))
            size = sum(each.stat().st_size for each in files)
            yield Chapter(judge, self._load(file.parent), size, len(list(file.parent.glob("*.aside"))))

    def append(self, judge: dict, answers: pd.DataFrame) -> None:
        """Write a chunk of answers (ANSWERS' columns, perhaps p0, p1, ...): on disk when this returns."""
        by_grade = [(name, pa.float32()) for name in answers if name not in ANSWERS.names]
        table = pa.Table.from_pandas(answers, schema=pa.schema([*ANSWERS, *by_grade]), preserve_index=False)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
        folder = self.chapter(judge)
        if not (folder / "judge.json").is_file():
            folder.mkdir(parents=True, exist_ok=True)
            with written_whole(folder / "judge.json") as file:
                file.write_bytes(json.dumps(judge, indent=1, ensure_ascii=False).encode())
        with written_whole(folder / f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.parquet") as file:
            file.write_bytes(sink.getvalue())


def _read(file: Path) -> pa.Table | None:
    try:
        table = pq.read_table(file, partitioning=None, page_checksum_verification=True)
        fields = list(table.schema.remove_metadata())
        by_grade = fields[len(ANSWERS) :]
        if fields[: len(ANSWERS)] == list(ANSWERS) and all(_of_a_grade(field) for field in by_grade):
            return table.replace_schema_metadata(None)
        problem = f"expected the columns {', '.join(ANSWERS.names)}, found {', '.join(table.schema.names)}"
    except pa.ArrowInvalid as error:
        problem = str(error).splitlines()[0]
    except OSError as error:
        if error.errno is not None:  # the disk's trouble, not the file's: whole chunks must stay where they are
            raise InputError(f"{file}: cannot be read: {error}") from error
        problem = str(error).splitlines()[0]  # parquet's own complaints about its bytes come as OSError too
    aside = file.with_name(file.name + ".aside")
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        file.replace(aside)
    log.warning("%s is no whole chunk of answers and was set aside as %s: %s", file, aside.name, problem)
    return None


def _of_a_grade(field: pa.Field) -> bool:
    return field.type == pa.float32() and re.fullmatch("p[0-9]+", field.name) is not None
