"""Report: one page that needs nothing else, says every setting, and whose commands give the same cells again."""

import html
import json
import re
import shlex
import shutil
import subprocess
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import forked
import in_browser
import pandas as pd
import pytest
import yaml
from conftest import ROOT
from in_browser import show
from markupsafe import escape

from alignir.config import composed_settings, composer
from alignir.errors import InputError
from alignir.figures.choices import KINDS as FIGURE_KINDS
from alignir.report import entries, gallery
from alignir.report.page import FIGURES, TABLES
from alignir.report.rerun import overrides, written
from alignir.report.style import POLICY
from alignir.tables.choices import KINDS
from alignir.tables.kinds import tables
from alignir.tracking.recordings import Recordings
from alignir.tracking.runs import Recorded, read_runs

REPORT = str(ROOT / "scripts" / "report.py")
VOID = {"meta", "img", "br", "hr", "link", "input"}
HOSTILE = '<script src="http://example.org/x.js">alert(1)</script>'
composed = cache(lambda arguments: composed_settings(list(arguments)))
many_composed = composer()


class Parsed(HTMLParser):
    """The elements of a page, with their attributes and the text in them; an error where they are not nested."""

    def __init__(self, text: str):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        element = SimpleNamespace(tag=tag, attributes=dict(attrs), text="")
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element.text += data

    def all(self, tag: str) -> list:
        return [element for element in self.elements if element.tag == tag]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A folder with a small recorded sweep of two judges, one setting of which is written to break out of a page."""
    folder = tmp_path_factory.mktemp("report")
    settings = ["bootstrap.B=20", "floor.shuffles=1", f"++families={{my*: llama, x*: {written(HOSTILE)}}}"]
    sweep = ["model=lexical,scripted", "queries=random", "queries.n=6"]
    done = forked.run("-m", "alignir", "-m", *sweep, *settings, folder=folder)
    assert done.returncode == 0, done.output
    done = forked.run(REPORT, "--out", "report", folder=folder)
    assert done.returncode == 0, done.output
    assert done.stdout.startswith("report/index.html: 2 runs, ")
    return folder


@pytest.fixture(scope="module")
def runs(swept):
    return Recordings(read_runs(f"sqlite:///{swept}/mlruns/mlflow.db", "alignir"))


@pytest.fixture(scope="module")
def page(swept):
    assert sorted(file.name for file in (swept / "report").iterdir()) == ["explore.html", "index.html"]
    return (swept / "report" / "index.html").read_text()


@pytest.fixture(scope="module")
def parsed(page):
    return Parsed(page)


def test_the_page_is_well_formed_and_every_link_of_the_contents_leads_somewhere(parsed):
    ids = [element.attributes["id"] for element in parsed.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    links = [element.attributes["href"] for element in parsed.all("a")]
    assert len(links) > 15
    assert links.pop(0) == "explore.html"  # which stands beside it
    assert {link[1:] for link in links} <= set(ids)
    assert all(link.startswith("#") for link in links)


def test_nothing_is_loaded_and_nothing_runs(page, parsed):
    assert not [
        element.tag for element in parsed.elements if element.tag in ("script", "link", "iframe", "object", "form")
    ]
    loaded = [value for each in parsed.elements for name, value in each.attributes.items() if name in ("src", "srcset")]
    assert loaded
    assert all(value.startswith("data:image/svg+xml;base64,") for value in loaded)
    assert not [name for each in parsed.elements for name in each.attributes if name.startswith("on")]
    (style,) = parsed.all("style")
    assert "url(" not in style.text
    assert "@import" not in style.text
    policies = [each.attributes["content"] for each in parsed.all("meta") if "http-equiv" in each.attributes]
    assert policies == [POLICY]
    assert policies[0].startswith("default-src 'none'; ")
    assert str(escape(HOSTILE)) in page  # it is there, as a text


def test_every_table_that_has_rows_and_every_figure_is_on_the_page(parsed, runs):
    titles = {element.text for element in parsed.all("figcaption")}
    kinds = [kind for kind in KINDS if kind != "measures"]  # with one measure they would say Table 1 again
    shown = [table for table in tables(runs, kinds) if table.rows]
    assert {table.title for table in shown} <= titles
    assert len(parsed.all("img")) == len(gallery.drawings(runs, FIGURE_KINDS))
    assert set(FIGURES) == set(FIGURE_KINDS)
    assert set(TABLES) == set(KINDS)


def test_every_setting_of_every_run_is_on_the_page(parsed, runs):
    cells = [[cell.text for cell in found] for found in _rows(parsed)]
    settings = {row[0]: set() for row in cells}
    for row in cells:
        settings[row[0]] |= set(row[1:])
    for run in runs:
        for key, value in _leaves(yaml.safe_load(run.text("config.yaml"))):
            text = value if isinstance(value, str) else json.dumps(value)
            names = [key, key.partition(".")[2]]  # a group's settings stand under its heading
            assert any(text in settings.get(name, ()) for name in names), (key, text)
    for name, value in runs.runs[0].tags.items():
        if name.startswith("version."):
            assert value in settings[name.removeprefix("version.")]
    assert runs.runs[0].tags["platform"] in settings["platform"]
    assert any(runs.runs[0].tags["dataset.fingerprint"] in element.text for element in parsed.all("p"))


def _rows(parsed) -> list[list]:
    """The cells of each row."""
    found = []
    for element in parsed.elements:
        if element.tag == "tr":
            found.append([])
        elif element.tag in ("td", "th"):
            found[-1].append(element)
    return found


def _leaves(node: dict, prefix: str = ""):
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        elif key not in ("_target_", "_partial_"):
            yield f"{prefix}{key}", value


def test_a_prompt_is_there_as_a_whole_for_the_runs_that_read_it(parsed):
    prompt = (ROOT / "prompts" / "zeshot.txt").read_text().strip("\n")
    assert [element.text for element in parsed.all("pre")].count(prompt) == 1
    assert any(element.text.startswith("zeshot@1, run 2, sha256 ") for element in parsed.all("h4"))
    assert any("No prompt is read by the models of run 1." in element.text for element in parsed.all("p"))


def test_the_command_of_each_run_composes_the_config_that_it_recorded(parsed, runs):
    found = [shlex.split(element.text) for element in parsed.all("pre") if element.text.startswith("alignir ")]
    assert len(found) == len(runs)
    for command, run in zip(found, runs, strict=True):
        names, config = composed(tuple(command[1:]))
        assert config == yaml.safe_load(run.text("config.yaml"))
        assert {group: names[group] for group in run.names} == run.names
    assert found[0][1:3] == ["model=lexical", "queries=random"]
    assert "queries.n=6" in found[0]
    assert not any(argument.startswith(("prompt", "systems", "dataset", "user_model")) for argument in found[0])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dataset=trec_dl_2019", "dataset.path='a folder, of \"mine\"'", "model=replay", r"model.labels='it\'s\\'"],
        ["dataset=folder", "dataset.path='${there}'".replace("$", "\\$"), "systems=bm25", "systems.stem=[true]"],
        ["systems=pipelines", "+systems.rerankers.judge={by: labels.parquet, depth: 20}", "~systems.rerankers.overlap"],
        ["dataset=rank_distillm", "~dataset.last_rank", "+dataset.last_rank={3: 5, 2: 9}", "families=null"],
        ["user_model=pbm", "assumption=depth_5", "user_model.seed=7", "pool=runs@20", "~floor", "model.name='1e3'"],
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_the_overrides_of_a_config_compose_it_again(arguments):
    names, config = composed(tuple(arguments))
    assert many_composed(arguments) == (names, config)
    found = overrides(names, config, lambda each: composed(tuple(each)))
    assert composed(tuple(found)) == (names, config)
    assert len(found) <= len(arguments) + 1  # no more than what was asked for; what replaces a dict takes it away first


def test_there_is_no_command_where_none_composes_the_settings():
    names, config = composed(())
    for compose in (lambda each: composed(tuple(each)), many_composed):
        with pytest.raises(InputError, match="model/gone"):
            overrides({**names, "model": "gone"}, config, compose)
    with pytest.raises(InputError, match="composes other settings"):
        overrides(names, {**config, "pool": "qrels@1"}, lambda _: composed(()))


@pytest.mark.parametrize(
    ("found", "text"),
    [([3], "run 3"), ([1, 2], "runs 1, 2"), ([1, 2, 3, 5, 7, 8], "runs 1–3, 5, 7, 8"), ([1, 2, 3], "runs 1–3")],
)
def test_runs_are_named_in_spans(found, text):
    assert entries.numbers([entry(number) for number in found], map(entry, range(10))) == text


def test_a_note_stands_once_with_the_runs_that_have_it():
    three = [entry(1, "of one"), entry(2, "of both", "of both"), entry(3, "of both")]
    assert entries.notes(three) == ["run 1: of one", "runs 2, 3: of both"]
    assert entries.notes([entry(1, "a"), entry(2, "a")]) == ["all runs: a"]


def entry(number: int, *notes: str) -> entries.Entry:
    return entries.Entry(number, Recorded(None, "", "", {}, {}, {}, pd.DataFrame()), {}, "", "", notes)


@pytest.fixture
def chromium():
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("needs chromium, to see the page as a browser shows it")

    def run(folder: Path, *arguments: str) -> str:
        quiet = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
        done = subprocess.run([program, *quiet, *arguments], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_is_cut_and_what_is_wider_scrolls_in_its_own_box(swept, width, browser):
    show(browser, (swept / "report" / "index.html").as_uri(), width)
    seen = browser.execute_script("""
    const outside = [], scrolls = element => element.closest(".scroll, nav");
    for (const element of document.body.querySelectorAll("*")) {
      const box = element.getBoundingClientRect(), seen = box.right <= innerWidth + 1 && box.left >= -1;
      if (box.width && !seen && !scrolls(element)) outside.push(element.outerHTML);
    }
    const boxes = [...document.querySelectorAll(".scroll")];
    return {
      outside, page: document.documentElement.scrollWidth,
      tables: [...document.querySelectorAll("table, img")].every(scrolls),
      cut: boxes.filter(box => box.scrollWidth > box.clientWidth && getComputedStyle(box).overflowX !== "auto").length,
    };""")
    assert seen == {"outside": [], "page": seen["page"], "tables": True, "cut": 0}
    assert seen["page"] <= width


@pytest.mark.parametrize("width", [390, 1280])
def test_the_contents_stay_in_sight_and_lead_to_what_they_name(swept, width, browser):
    show(browser, (swept / "report" / "index.html").as_uri(), width)
    browser.find_element("link text", "Methods").click()
    nav, heading = (browser.find_element("css selector", each).rect for each in ("nav", "#methods"))
    scrolled = browser.execute_script("return scrollY")
    assert scrolled > 1000
    assert nav["y"] - scrolled == pytest.approx(0, abs=1)
    assert heading["y"] - scrolled < 200
    if width == 390:
        assert heading["y"] >= nav["y"] + nav["height"]  # it is not under the contents
    else:
        assert nav["x"] + nav["width"] < heading["x"]


def test_the_page_begins_with_the_answer_and_one_figure(swept, parsed, browser):
    show(browser, (swept / "report" / "index.html").as_uri())
    answer = browser.find_element("css selector", "main > section")
    assert answer.find_element("tag name", "h2").text == "The answer"
    assert len(answer.find_elements("tag name", "img")) == 1
    assert answer.find_element("css selector", ".lead").rect["y"] < 900  # without scrolling
    assert "6 queries" in answer.text
    browser.find_element("partial link text", "Look into").click()
    assert browser.title == "alignir explore: alignir"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with in_browser.chromium(tmp_path_factory.mktemp("downloads")) as found:
        yield found


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_is_no_wider_than_the_window_and_shows_its_figures(page, chromium, tmp_path, width):
    script = """
    const inside = document.querySelector("iframe"), found = inside.contentDocument;
    document.title = JSON.stringify({
      window: inside.contentWindow.innerWidth,
      page: found.documentElement.scrollWidth,
      boxes: [...found.querySelectorAll(".scroll")].filter(box => box.scrollWidth > box.clientWidth).length,
      images: [...found.images].map(image => image.naturalWidth),
      loaded: inside.contentWindow.performance.getEntriesByType("resource").map(entry => entry.name.slice(0, 5)),
    });
    """
    frame = f'<iframe style="width: {width}px; border: 0" srcdoc="{html.escape(page)}"></iframe>'
    file = tmp_path / "around.html"
    file.write_text(f"<!DOCTYPE html><body>{frame}<script>onload = () => {{{script}}}</script>")
    shown = re.search("<title>(.*?)</title>", chromium(tmp_path, "--dump-dom", file.as_uri()))
    seen = json.loads(html.unescape(shown[1]))
    assert seen["window"] == width
    assert seen["page"] <= width
    assert set(seen["loaded"]) <= {"data:"}
    assert min(seen["images"]) > 300
    if width == 390:
        assert seen["boxes"] > 5  # what is wider scrolls in its own box


def test_the_page_prints_with_what_is_folded(swept, page, chromium, tmp_path):
    file = tmp_path / "page.pdf"
    chromium(tmp_path, f"--print-to-pdf={file}", (swept / "report" / "index.html").as_uri())
    assert file.read_bytes().startswith(b"%PDF")
    if shutil.which("pdftotext"):
        printed = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout
        for heading in ("Alignment with users", "Distribution of labels", "How to run each cell again"):
            assert printed.count(heading) >= 2  # in the contents, too
        assert "Rate how relevant a passage is" in " ".join(printed.split())
        folded = re.findall(r"<details>.*?</details>", page, re.S)
        assert folded
        for table in folded:  # nothing is folded on paper
            cells = re.findall(r"<td>([\w.-]+)</td>", table)
            assert cells[-1] in printed
            assert cells[0] in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--experiment", "nothing"], "no experiment 'nothing'"),
        (["--out", "mlruns/mlflow.db"], "--out mlruns/mlflow.db: expected a file that ends in .html, or a folder"),
    ],
)
def test_a_mistake_is_one_message(swept, alignir, arguments, message):
    done = alignir(*arguments, ok=False, folder=swept, program=(REPORT,))
    assert done.stderr.startswith(f"alignir report: {message}")
    assert "Traceback" not in done.stderr
