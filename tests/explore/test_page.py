"""The explorer in a browser: from a judge to a pair, graded blind, whatever stands in its texts."""

import json
import re
import time

import forked
import numpy as np
import pandas as pd
import pytest
from in_browser import chromium, show
from scipy.stats import kendalltau
from sklearn.metrics import cohen_kappa_score

from alignir.data import trec
from alignir.explore.page import policy
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import read_runs

HOSTILE = (
    "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
    "</script><!-- &lt;i&gt; \u2028 {{ 7 * 7 }}"
)
QUERIES, DOCS = [f"q{n}" for n in range(8)], [f"d{n}" for n in range(12)]
SYSTEMS = [f"system-{n}" for n in range(7)]
PAIRS = [(query, doc) for query in QUERIES for doc in DOCS]


@pytest.fixture(scope="module")
def explored(tmp_path_factory):
    """A folder with two recorded judges of 7 systems and 8 queries, hostile in query, passage, answer and name."""
    folder = tmp_path_factory.mktemp("explored")
    data, rng = folder / "DATA", np.random.default_rng(5)
    (data / "runs").mkdir(parents=True)
    grades = rng.integers(0, 4, len(PAIRS))
    queries = {query: f"question {query}" for query in QUERIES} | {"q3": f"q3 {HOSTILE}"}
    passages = {doc: f"text of {doc} & more" for doc in DOCS} | {"d4": f"d4 {HOSTILE}"}
    lines = [json.dumps({"id": doc, "text": text}) for doc, text in passages.items()]
    (data / "passages.jsonl").write_text("\n".join(lines))
    (data / "queries.jsonl").write_text("\n".join(json.dumps({"id": q, "text": text}) for q, text in queries.items()))
    other = (grades + rng.integers(-3, 4, (3, len(PAIRS)))).clip(0, 3)
    for name, values in (("qrels.txt", grades), ("second.txt", other[0]), ("plain.txt", other[1])):
        rows = [f"{query} 0 {doc} {grade}\n" for (query, doc), grade in zip(PAIRS, values, strict=True)]
        (data / name).write_text("".join(rows[:-3] if name == "plain.txt" else rows))
    answered = [
        {"model": "m", "query": queries[query], "passage": passages[doc], "prompt": "", "judgment": int(grade),
         "prediction": f"{HOSTILE} ##final score: {grade}", "result_status": 1}
        for (query, doc), grade in zip(PAIRS, other[2], strict=True)
    ]  # fmt: skip
    (data / "answered.jsonl").write_text("".join(json.dumps(each) + "\n" for each in answered))
    for number, system in enumerate(SYSTEMS):
        scores = grades + (number + 0.5) * rng.normal(size=len(PAIRS))
        found = [f"{q} Q0 {d} 0 {score} t\n" for (q, d), score in zip(PAIRS, scores, strict=True)]
        (data / "runs" / f"{system}.run").write_text("".join(found))
    cell = ["dataset=folder", "dataset.path=DATA", "dataset.second=DATA/second.txt", "model=replay"]
    for name, file in (("plain", "plain.txt"), ("'<b>bold</b>'", "answered.jsonl")):
        judge = [f"model.labels=DATA/{file}", f"model.name={name}", "bootstrap.B=50", "floor.shuffles=1"]
        done = forked.run("-m", "alignir", *cell, *judge, folder=folder)
        assert done.returncode == 0, done.output
    done = forked.run("-m", "alignir", "explore", "--out", "explore.html", folder=folder)
    assert done.returncode == 0, done.output
    assert done.stdout.startswith("explore.html: 2 runs, 0.")
    return folder


@pytest.fixture(scope="module")
def text(explored):
    return (explored / "explore.html").read_text()


@pytest.fixture(scope="module")
def setting(text):
    """The page's data of its one setting."""
    (found,) = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])["settings"]
    return found


@pytest.fixture(scope="module")
def grades(explored):
    """By pair: what the baseline, the second labels and both judges gave."""
    found = {name: trec.read_qrels(explored / "DATA" / f"{name}.txt") for name in ("qrels", "second", "plain")}
    found["<b>bold</b>"] = pd.DataFrame(
        [(*pair, json.loads(line)["judgment"]) for pair, line in
         zip(PAIRS, (explored / "DATA" / "answered.jsonl").read_text().splitlines(), strict=True)],
        columns=["query_id", "doc_id", "relevance"],
    )  # fmt: skip
    return pd.DataFrame({name: each.set_index(["query_id", "doc_id"])["relevance"] for name, each in found.items()})


@pytest.fixture(scope="module")
def browser(explored):
    with chromium(explored) as found:
        yield found


@pytest.fixture
def at(browser, explored):
    """Open a view at a width, light or dark; gives what finds elements in it."""

    def shown(view: str = "", width: int = 1280, dark: bool = False):
        show(browser, f"{(explored / 'explore.html').as_uri()}#{view}", width, dark)
        return lambda selector: browser.find_elements("css selector", selector)

    return shown


def texts(found) -> list[str]:
    return [each.get_property("textContent") for each in found]


def column(find, table: str, number: int) -> list[str]:
    return texts(find(f"{table} tbody td:nth-child({number})"))


def until(holds) -> bool:
    """Whether it does within ten seconds."""
    for _ in range(100):
        if holds():
            return True
        time.sleep(0.1)
    return False


def choose(browser, selector: str, value: str) -> None:
    from selenium.webdriver.support.select import Select

    Select(browser.find_element("css selector", selector)).select_by_visible_text(value)


def test_numbers_of_judges_and_queries_are_those_of_the_runs(explored, setting, grades):
    runs = {run.judge.model: run for run in Recordings(read_runs(f"sqlite:///{explored}/mlruns/mlflow.db", "alignir"))}
    assert [judge["tau_b"] for judge in setting["judges"]] == sorted(j["tau_b"] for j in setting["judges"])[::-1]
    for place, judge in enumerate(setting["judges"]):
        run = runs[judge["name"]]
        scores = run.frame("scores.parquet").pivot_table(index=["labels", "system"], columns="query_id", values="value")
        by_judge, people = (scores.loc[side].loc[setting["systems"]] for side in ("model", "baseline"))
        assert judge["tau_b"] == pytest.approx(run.metrics["tau_b/ndcg_cut_10/baseline"], abs=1e-4)
        assert setting["ranks"][place] == by_judge.mean(axis=1).rank(ascending=False, method="min").tolist()
        assert setting["scores"][place] == by_judge.round(4).to_numpy().tolist()
        for number, query in enumerate(QUERIES):
            without = kendalltau(by_judge.drop(columns=query).mean(axis=1), people.drop(columns=query).mean(axis=1))
            assert setting["without"][place][number] == pytest.approx(without.statistic, abs=1e-4)
            both = grades.loc[query][["qrels", judge["name"]]].dropna()
            kappa = cohen_kappa_score(*both.to_numpy().T)
            assert setting["kappa"][place][number] == pytest.approx(kappa, abs=1e-4)
            assert setting["bias"][place][number] == pytest.approx((both.iloc[:, 1] - both["qrels"]).mean(), abs=1e-4)


def test_pairs_have_everybodys_labels_and_places_the_largest_disagreement_first(explored, setting, grades):
    pairs = setting["pairs"]
    names = [(QUERIES[query], doc) for query, doc in zip(pairs["query"], pairs["doc_id"], strict=True)]
    assert sorted(names) == sorted(PAIRS)
    expected = grades.loc[names]
    as_page = expected.astype(object).where(expected.notna(), None)
    assert pairs["baseline"] == as_page["qrels"].tolist()
    assert pairs["second"] == as_page["second"].tolist()
    for judge, labels in zip(setting["judges"], pairs["labels"], strict=True):
        assert labels == as_page[judge["name"]].tolist()
    assert pairs["spread"] == (expected.max(axis=1) - expected.min(axis=1)).tolist()
    assert pairs["spread"] == sorted(pairs["spread"], reverse=True)
    assert [pairs["weight"][pair] for pair in pairs["worklist"]] == sorted(pairs["weight"], reverse=True)
    for number, system in enumerate(setting["systems"]):
        run = trec.read_run(explored / "DATA" / "runs" / f"{system}.run", system)
        ranks = run.set_index(["query_id", "doc_id"])["rank"].loc[names]
        assert [places[number] for places in pairs["places"]] == ranks.tolist()


def test_data_is_written_so_that_nothing_in_it_ends_the_script(text):
    data = re.search(r'id="data">(.*?)</script>', text)[1]
    assert not re.search("[<>&\u2028\u2029]", data)
    assert text.count("</script>") == 3
    assert "{{" not in text.replace("{{ 7 * 7 }}", "")


def test_the_policy_names_every_script_and_no_other(text):
    scripts = re.findall(r'<script type="module">(.*?)</script>', text, re.S)
    assert len(scripts) == 2
    assert f'content="{policy(*scripts)}"'.replace("'", "&#39;") in text
    assert "http" not in policy(*scripts)
    assert "unsafe-eval" not in policy(*scripts)
    assert "'unsafe-inline'" not in re.search("script-src ([^;]*)", policy(*scripts))[1]


@pytest.mark.parametrize("view", ["judges", "systems", "queries", "pairs", "grade"])
def test_a_script_in_a_query_passage_answer_or_name_stays_text(browser, at, view):
    find = at(view)
    assert browser.title == "alignir explore: alignir"
    assert not find("img, iframe, main script, main b, dialog b")
    assert [each.get_attribute("type") for each in find("script")] == ["application/json", "module", "module"]
    if view in ("queries", "pairs"):
        find("#queries input, #pairs input")[-1 if view == "pairs" else 0].send_keys("document.title")
        assert any(HOSTILE in each for each in texts(find(f"#{view} tbody td")))
    if view == "pairs":
        choose(browser, "#by", "<b>bold</b>")
        find("#pairs tbody button")[0].click()
        answers = texts(find("dialog .answer"))
        assert any(HOSTILE in each for each in answers)
        assert not find("dialog img, dialog script, dialog b")
        assert HOSTILE in texts(find("dialog"))[0]
    assert browser.title == "alignir explore: alignir"
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_the_report_of_the_same_runs_shows_a_script_as_text(browser, explored):
    done = forked.run("-m", "alignir", "report", folder=explored)
    assert done.returncode == 0, done.output
    show(browser, (explored / "report" / "index.html").as_uri())
    assert browser.title == "alignir report: alignir"
    assert browser.find_elements("css selector", "script, main b, iframe") == []
    assert "<b>bold</b>" in browser.find_element("css selector", "#runs ~ div").text
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_nothing_is_loaded_and_nothing_can_be(browser, at):
    at("pairs")
    assert browser.execute_script("return performance.getEntriesByType('resource').map(each => each.name)") == []
    blocked = """
    const done = arguments[0], seen = [];
    document.addEventListener("securitypolicyviolation", event => seen.push(event.effectiveDirective));
    fetch("http://127.0.0.1:9/").catch(() => {});
    new Image().src = "http://127.0.0.1:9/";
    const script = document.createElement("script");
    script.textContent = "document.title = 'taken'";
    document.body.append(script);
    setTimeout(() => done([seen.sort(), document.title]), 300);
    """
    assert browser.execute_async_script(blocked) == [
        ["connect-src", "img-src", "script-src-elem"],
        "alignir explore: alignir",
    ]
    browser.get_log("browser")


def test_judges_are_sorted_by_what_is_asked_for(at, setting):
    find = at("judges")
    by_tau = [judge["name"] for judge in setting["judges"]]
    assert column(find, "#judges", 1) == by_tau
    assert len(find("#judges svg.bar")) == 2
    head = next(each for each in find("#judges th") if each.text.startswith("kappa"))
    head.find_element("css selector", ".dt-column-order").send_keys("\n")
    by_kappa = sorted(setting["judges"], key=lambda judge: -judge["kappa"])
    expected = [judge["name"] for judge in by_kappa]
    assert until(lambda: column(find, "#judges", 1) == expected)  # DataTables sorts when the browser is idle


def test_pairs_are_filtered_by_labels_judge_status_query_and_words(browser, at, grades):
    find = at("pairs")

    def shown() -> int:
        return int(re.search(r"of ([\d,]+)", find("#pairs .dt-info")[0].text)[1])

    people, plain, bold = grades["qrels"], grades["plain"], grades["<b>bold</b>"]
    assert shown() == len(PAIRS)
    choose(browser, "#kind", "3 called 0")
    assert shown() == int(((people == 3) & ((plain == 0) | (bold == 0))).sum())
    choose(browser, "#by", "plain")
    assert shown() == int(((people == 3) & (plain == 0)).sum())
    choose(browser, "#kind", "relevant called not")
    assert shown() == int(((people >= 2) & (plain < 2)).sum())
    find("#clear")[0].click()
    choose(browser, "#status", "absent")
    assert shown() == int(plain.isna().sum()) == 3
    find("#clear")[0].click()
    choose(browser, "#query", "question q5")
    assert shown() == len(DOCS)
    find("#pairs input")[0].send_keys("text of d7")
    assert shown() == 1


def test_a_system_leads_to_the_queries_that_moved_it_and_they_to_a_pair(browser, at, setting):
    find = at("systems")
    moves = np.array(setting["before"][0]) - np.array(setting["ranks"][0])
    assert column(find, "#systems > .host", 4) == [
        f"{moves[setting['systems'].index(name)]:+d}".replace("+0", "0") for name in column(find, "#systems > .host", 1)
    ]
    assert abs(int(column(find, "#systems > .host", 4)[0])) == max(abs(moves))
    name = column(find, "#systems > .host", 1)[0]
    system = setting["systems"].index(name)
    find("#systems > .host tbody button")[0].send_keys("\n")
    assert browser.switch_to.active_element.text.startswith(f"Queries that moved {name} under ")
    by = np.array(setting["scores"][0][system]) - np.array(setting["baseline"]["scores"][system])
    most = int(np.abs(by).argmax())
    assert column(find, "#moved", 4)[0] == f"{by[most]:+.3f}"
    find("#moved tbody button")[0].send_keys("\n")
    assert browser.current_url.endswith("#pairs")
    places = [
        each[system] for each, query in zip(setting["pairs"]["places"], setting["pairs"]["query"], strict=True)
        if query == most and each[system] <= 10
    ]  # fmt: skip
    last = len(find("#pairs thead th"))
    assert column(find, "#pairs", last) == [str(place) for place in sorted(places)] == [str(n) for n in range(1, 11)]
    find("#pairs tbody button")[0].send_keys("\n")
    assert find("dialog[open] h2")
    assert f"In {len(SYSTEMS)} of {len(SYSTEMS)} rankings" in texts(find("dialog h3"))
    first = texts(find("dialog h2"))
    find("dialog .tools button")[1].click()
    assert texts(find("dialog h2")) == first  # the same query's next pair
    browser.switch_to.active_element.send_keys("\ue00c")  # Escape
    assert not find("dialog[open]")


def test_a_judge_leads_to_its_worst_queries_and_they_to_their_pairs(browser, at, setting):
    find = at("judges")
    find("#judges tbody button")[1].click()
    kappas = [float(value) for value in column(find, "#queries", 3)]
    assert kappas == sorted(round(value, 2) for value in setting["kappa"][1])
    find("#queries tbody button")[0].click()
    worst = int(np.argmin(setting["kappa"][1]))
    assert find("#query")[0].get_property("value") == str(worst)
    assert find("#by")[0].get_property("value") == "1"
    assert len(find("#pairs tbody tr")) == len(DOCS)


def test_grades_given_blind_are_kept_and_saved_as_qrels_that_alignir_reads(browser, at, explored, setting, grades):
    find = at("grade")
    assert not [link for link in find("nav a") if link.is_displayed()]
    assert not find(".label")
    worklist, given = setting["pairs"]["worklist"], {}
    for number in range(30):
        pair = worklist[number]
        assert (
            find("#card h3")[0].get_property("textContent")
            == setting["queries"][setting["pairs"]["query"][pair]]["text"]
        )
        grade = number % 4
        given[QUERIES[setting["pairs"]["query"][pair]], setting["pairs"]["doc_id"][pair]] = grade
        if number % 2:
            find("body")[0].send_keys(str(grade))
        else:
            find("button.grade")[grade].click()
    browser.get("about:blank")
    find = at("grade")  # as after the browser was closed
    assert find("#progress")[0].text.startswith("30 grades, pair 31 of 96")
    find("body")[0].send_keys("b")
    assert find("button.grade[aria-pressed=true]")[0].text == str(29 % 4)
    file = explored / "grades.qrels"
    find("#save")[0].click()
    assert until(file.exists)
    saved = trec.read_qrels(file)
    assert saved.set_index(["query_id", "doc_id"])["relevance"].to_dict() == given
    cell = ["dataset=folder", "dataset.path=DATA", "model=replay", "model.labels=DATA/plain.txt"]
    quick = ["bootstrap.B=0", "floor.shuffles=0", "tracking.experiment=graded"]
    done = forked.run("-m", "alignir", *cell, *quick, "dataset.second=grades.qrels", folder=explored)
    assert done.returncode == 0, done.output
    shown = forked.run("-m", "alignir", "tables", "--experiment", "graded", folder=explored).stdout
    assert "second labels" in shown
    budget = ["budget", *cell, "dataset.qrels=grades.qrels", "--human", "10,20", "--draws", "3"]
    done = forked.run("-m", "alignir", *budget, folder=explored)
    assert done.returncode == 0, done.output
    find("#forget")[0].click()
    browser.switch_to.alert.accept()
    assert find("#progress")[0].text.startswith("0 grades, pair 1 of 96")
    find("#unblind")[0].click()
    assert [link.is_displayed() for link in find("nav a")] == [True] * 5


def test_grades_are_taken_where_the_browser_keeps_nothing(browser, at):
    find = at("judges")
    browser.execute_script("Object.defineProperty(window, 'localStorage', {get() { throw new Error('forbidden'); }})")
    find("nav a")[4].click()
    find("body")[0].send_keys("2")
    assert "1 grade, pair 2 of 96; this browser keeps nothing" in find("#progress")[0].text


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_view_fits_the_window_and_follows_the_scheme(browser, at, width, dark):
    for view in ("judges", "systems", "queries", "pairs", "grade"):
        find = at(view, width, dark)
        if view == "systems":
            find("#systems tbody button")[0].click()
        if view == "pairs":
            find("#pairs tbody button")[0].click()
            assert (
                browser.execute_script(
                    "const d = document.querySelector('dialog'); return d.scrollWidth - d.clientWidth"
                )
                <= 0
            )
        wide, ink, paper = browser.execute_script(
            "const style = getComputedStyle(document.body);"
            "return [document.documentElement.scrollWidth, style.color, style.backgroundColor]"
        )
        assert wide <= width, view
        assert (brightness(ink) > brightness(paper)) is dark


def brightness(colour: str) -> int:
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dataset", "nothing"], "no recorded runs of two systems or more on nothing: folder"),
        (["--out", "page.txt"], "--out page.txt: expected a file that ends in .html, or a folder"),
        (["--experiment", "nothing"], "no experiment 'nothing'"),
    ],
)
def test_a_mistake_is_one_message(explored, alignir, arguments, message):
    done = alignir("explore", *arguments, ok=False, folder=explored)
    assert done.stderr.startswith(f"alignir explore: {message}")
    assert "Traceback" not in done.stderr
