"""Collections come through ir_datasets by their ids: its own code reads stand-ins in its own forms, nothing is fetched.

The stand-ins lie where ir_datasets keeps its downloads. All texts are ours.
"""

import gzip
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from alignir.data import irds
from alignir.errors import InputError

pytest.importorskip("ir_datasets")


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def lines(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def vaswani(home: Path) -> None:
    """Upper and lower case as it comes, texts over several lines, qrels that name relevant documents only."""
    write(home / "docs.txt", "1\nradio waves in\nthin air\n   /\n2\nvalves\n   /\n3\nnobody judged this\n   /\n")
    write(home / "queries.txt", "1\nHOW DO WAVES TRAVEL\n/\n2\nVALVES IN\nAMPLIFIERS\n/\n")
    write(home / "qrels.txt", "1\n      1     2\n   /\n2\n      2\n   /\n")


def cranfield(home: Path) -> None:
    docs = ".I 1\n.T\nwings\n.A\nsomebody\n.B\nj. 1\n.W\nlift of a wing .\n.I 2\n.T\nheat\n.A\n.B\n.W\nhot air .\n"
    write(home / "docs.txt", docs)
    write(home / "queries.txt", ".I 001\n.W\nhow do wings lift\n.I 002\n.W\nwhat is hot\n")
    write(home / "qrels.txt", "1 1 3\n1 2 -1\n2 2 2\n")


def antique(home: Path) -> None:
    write(home / "collection.tsv", "a_0\tBecause it is blue .\na_1\tI do not know\n")
    write(home / "test" / "queries.txt", "11\twhy is it blue?\n12\tis it?\n")
    write(home / "test" / "qrels", "11 U0 a_0 3\n11 Q0 a_1 1\n12 U0 a_1 2\n")


def scifact(home: Path) -> None:
    corpus = lines(
        {"_id": "4", "title": "Cells", "text": "They divide.", "metadata": {}},
        {"_id": "5", "title": "", "text": "Bones grow.", "metadata": {}},
    )
    home.mkdir(parents=True)
    with zipfile.ZipFile(home / "source.zip", "w") as file:
        file.writestr("scifact/corpus.jsonl", corpus)
        file.writestr("scifact/queries.jsonl", lines({"_id": "1", "text": "Cells divide.", "metadata": {}}))
        file.writestr("scifact/qrels/test.tsv", "query-id\tcorpus-id\tscore\n1\t4\t1\n1\t5\t0\n")
    write(home / "irds_version.txt", "v2")


def nano_scifact(home: Path) -> None:
    home.mkdir(parents=True)
    pd.DataFrame({"_id": ["4", "5"], "text": ["Cells divide.", "Bones grow."]}).to_parquet(home / "corpus.parquet")
    pd.DataFrame({"_id": ["1"], "text": ["Do cells divide?"]}).to_parquet(home / "queries.parquet")
    pd.DataFrame({"query-id": ["1"], "corpus-id": ["4"]}).to_parquet(home / "qrels.parquet")


def codec(home: Path) -> None:
    docs = lines(
        {"id": "a", "title": "Tea", "contents": "It was taxed.", "url": "http://x/a"},
        {"id": "b", "title": "Coffee", "contents": "It was not.", "url": "http://x/b"},
    )
    write(home / "v1" / "comets_documents.jsonl", docs)
    topic = {"Query": "Why was tea taxed?", "Domain": "history", "Guidelines": "Causes, not dates."}
    write(home / "v1" / "topics.json", json.dumps({"history-1": topic}))
    write(home / "v1" / "document.qrels", "history-1 0 a 3\nhistory-1 0 b 0\n")


def robust(home: Path) -> None:
    """TREC's disks: SGML in 2,295 files, of which ours is the only one that is not empty."""
    for number in range(2294):
        write(home / "corpus" / "FBIS" / f"FB{number}", "")
    document = "<DOC>\n<DOCNO> LA-1 </DOCNO>\n<HEADLINE>\nPears\n</HEADLINE>\n<TEXT>\nA harvest.\n</TEXT>\n</DOC>\n"
    write(home / "corpus" / "LATIMES" / "LA1", document + document.replace("LA-1", "LA-2").replace("Pears", "Plums"))
    topic = "<top>\n<num> Number: 301\n<title> pears\n<desc> Description:\nWhere do\npears grow?\n"
    write(home / "04.testset.gz", topic + "<narr> Narrative:\nPlums do not count.\n</top>\n")
    write(home / "qrels.robust2004.txt", "301 0 LA-1 2\n301 0 LA-2 0\n")


def passages(home: Path) -> None:
    write(home / "irds_version.txt", "v2")
    write(home / "collection.tsv", "".join(f"{number}\tpassage number {number}\n" for number in range(20)))
    write(home / "trec-dl-2019" / "queries.tsv", "11\tfirst query\n12\tsecond query\n13\tnot judged\n")
    write(home / "trec-dl-2019" / "qrels", "11 Q0 3 3\n11 Q0 4 0\n12 Q0 5 2\n12 Q0 77 1\n")


def nfcorpus(home: Path) -> None:
    write(home / "collection.tsv", "MED-1\thttp://x/1\tTea\tTea is safe .\nMED-2\thttp://x/2\tSalt\tSalt is not .\n")
    write(home / "test" / "queries.titles.tsv", "PLAIN-1\tis tea safe\n")
    write(home / "test" / "queries.all.tsv", "PLAIN-1\tis tea safe and what of salt\n")
    write(home / "test" / "qrels", "PLAIN-1 0 MED-1 3\nPLAIN-1 0 MED-2 1\n")


# What is read of each id, by where ir_datasets keeps its files: (query_id, doc_id, query, passage, relevance), sorted.
IDS = {
    "vaswani": (
        *("vaswani", vaswani),
        [
            ["1", "1", "HOW DO WAVES TRAVEL", "radio waves in\nthin air", 1],
            ["1", "2", "HOW DO WAVES TRAVEL", "valves", 1],
            ["2", "2", "VALVES IN\nAMPLIFIERS", "valves", 1],
        ],
    ),
    "cranfield": (
        *("cranfield", cranfield),
        [
            ["1", "1", "how do wings lift", "wings lift of a wing .", 3],
            ["1", "2", "how do wings lift", "heat hot air .", 0],
            ["2", "2", "what is hot", "heat hot air .", 2],
        ],
    ),
    "antique/test": (
        *("antique", antique),
        [
            ["11", "a_0", "why is it blue?", "Because it is blue .", 3],
            ["11", "a_1", "why is it blue?", "I do not know", 1],
            ["12", "a_1", "is it?", "I do not know", 2],
        ],
    ),
    "beir/scifact/test": (
        *("beir/scifact", scifact),
        [["1", "4", "Cells divide.", "Cells They divide.", 1], ["1", "5", "Cells divide.", "Bones grow.", 0]],
    ),
    "nano-beir/scifact": ("nano-beir/scifact", nano_scifact, [["1", "4", "Do cells divide?", "Cells divide.", 1]]),
    "codec": (
        *("codec", codec),
        [
            ["history-1", "a", "Why was tea taxed?", "Tea It was taxed.", 3],
            ["history-1", "b", "Why was tea taxed?", "Coffee It was not.", 0],
        ],
    ),
    "disks45/nocr/trec-robust-2004": (
        *("disks45", robust),
        [["301", "LA-1", "pears", "Pears A harvest.", 2], ["301", "LA-2", "pears", "Plums A harvest.", 0]],
    ),
    "msmarco-passage/trec-dl-2019/judged": (
        *("msmarco-passage", passages),
        [
            ["11", "3", "first query", "passage number 3", 3],
            ["11", "4", "first query", "passage number 4", 0],
            ["12", "5", "second query", "passage number 5", 2],
            ["12", "77", "second query", None, 1],  # the collection has no such document
        ],
    ),
    "nfcorpus/test": (
        *("nfcorpus", nfcorpus),
        [
            ["PLAIN-1", "MED-1", "is tea safe", "Tea Tea is safe .", 3],
            ["PLAIN-1", "MED-2", "is tea safe", "Salt Salt is not .", 1],
        ],
    ),
}
READ = """
import json, sys
from alignir.data.from_ir_datasets import from_ir_datasets
found = {}
for name in sys.argv[1:]:
    dataset = from_ir_datasets(name, name)
    pairs = dataset.pairs().merge(dataset.qrels).sort_values(["query_id", "doc_id"])
    found[name] = json.loads(pairs.to_json(orient="values"))
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """ir_datasets' folder of downloads, with every stand-in."""
    folder = tmp_path_factory.mktemp("ir_datasets")
    for place, lay, _ in IDS.values():
        lay(folder / place)
    return folder


def read(home: Path, script: str, *arguments: str) -> str:
    """What a process prints that finds ir_datasets' downloads there."""
    alone = {"IR_DATASETS_DL_TRIES": "1", "IR_DATASETS_DL_TIMEOUT": "1"}
    environment = {**os.environ, **alone, "IR_DATASETS_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_nine_collections_are_read_by_their_ids(home):
    found = json.loads(read(home, READ, *IDS))
    for name, (_, _, expected) in IDS.items():
        assert found[name] == expected, name


def test_only_judged_documents_are_fetched_until_somebody_searches(home):
    script = """
from alignir.data.from_ir_datasets import from_ir_datasets
dataset = from_ir_datasets("dl", "msmarco-passage/trec-dl-2019/judged")
assert sorted(dataset.passages.index) == ["3", "4", "5"]
beyond = dataset.pairs(dataset.qrels.assign(doc_id=["19", "4", "99", "0"]))
assert beyond["passage"].fillna("").tolist() == ["passage number 19", "passage number 4", "", "passage number 0"]
assert len(dataset.collection) == 20
assert dataset.of(["11"]).collection is dataset.collection, "read once"
print("read")
"""
    assert read(home, script) == "read"


def test_texts_can_be_made_of_named_fields_and_all_fields_are_there(home):
    script = """
from alignir.data.from_ir_datasets import from_ir_datasets
robust = "disks45/nocr/trec-robust-2004"
dataset = from_ir_datasets("robust", robust, query=["title", "narrative"], passage=["body"])
assert dataset.queries.to_dict() == {"301": "pears Plums do not count."}, dataset.queries
assert dataset.passages["LA-1"] == "A harvest."
assert dataset.query_fields.loc["301"].to_dict() == {
    "title": "pears", "description": "Where do\\npears grow?", "narrative": "Plums do not count."}
assert dataset.passage_fields.loc["LA-2"].to_dict() == {"title": "Plums", "body": "A harvest."}
codec = from_ir_datasets("codec", "codec")
assert codec.passage_fields.loc["a", "url"] == "http://x/a"
assert codec.query_fields.loc["history-1", "guidelines"] == "Causes, not dates."
print("read")
"""
    assert read(home, script) == "read"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("id='vaswanni'", "ir_datasets has no collection vaswanni: did you mean vaswani"),
        ("id='antique'", "antique has no queries and no qrels; take one of antique/test, antique/test/non-offensive, "),
        ("id='codec', query=['narrative']", "expected the field narrative, found query_id, query, domain, guidelines"),
        ("id='lotte/science/dev/forum'", "ir_datasets cannot give lotte/science/dev/forum: "),
    ],
)
def test_what_cannot_be_read_is_one_line(home, settings, message):
    script = f"""
import json
from alignir.data.from_ir_datasets import from_ir_datasets
from alignir.errors import InputError
try:
    from_ir_datasets("x", {settings})
except InputError as error:
    print(json.dumps(str(error)))
"""
    said = json.loads(read(home, script))
    assert message in said
    assert "\n" not in said


def test_what_could_not_be_had_is_not_looked_for_again_and_waiting_is_told(monkeypatch, capsys):
    tries = []

    def fetch(name: str) -> None:
        with irds.told(name):
            tries.append(name)
            time.sleep(0.2)
            raise RuntimeError("All download sources failed.")

    monkeypatch.setattr(irds, "PATIENCE", 0.05)
    for _ in range(36):  # the cells of a sweep
        with pytest.raises(InputError, match="cannot give lost: All download sources failed"):
            fetch("lost")
    assert tries == ["lost"]
    assert (
        "ir_datasets reads lost, and downloads what it lacks of it. With the files at hand" in capsys.readouterr().err
    )
    monkeypatch.setattr(irds, "NOT_AGAIN", 0)
    with pytest.raises(InputError):
        fetch("lost")
    assert len(tries) == 2
