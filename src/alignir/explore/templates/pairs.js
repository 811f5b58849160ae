// Pairs: filtered by what is chosen above them; a pair opens with its passage, the answers and its places.
const ANY = "any";
const filters = {kind: ANY, by: ANY, status: ANY, query: ANY, system: ANY};
const FIRST = 10;
let pairTable = null;

function kinds() {
  const {scale, judges} = at.setting, low = scale.grades[0], high = scale.grades.at(-1);
  const relevant = (grade, judge) => grade >= at.setting.judges[judge].relevant_from;
  return {
    [ANY]: ["all", () => true],
    low: [`${high} called ${low}`, (grade, people, judge) => people === high && grade === judges[judge].scale[0]],
    high: [`${low} called ${high}`, (grade, people, judge) => people === low && grade === judges[judge].scale.at(-1)],
    missed: ["relevant called not", (grade, people, judge) => people >= scale.relevant_from && grade !== null && !relevant(grade, judge)],
    wrong: ["not relevant called so", (grade, people, judge) => people !== null && people < scale.relevant_from && grade !== null && relevant(grade, judge)],
    differ: ["other than the baseline", (grade, people, judge) => people !== null && grade !== null && judges[judge].alike && people !== grade],
  };
}

// A judge's label; on another scale it is coloured where only one of the two says "relevant".
function judged(judge, pair) {
  const {pairs, judges, scale} = at.setting, {alike, relevant_from} = judges[judge];
  const grade = pairs.labels[judge][pair], people = pairs.baseline[pair];
  if (alike || grade === null || people === null) return labelled(grade, people, scale.grades.at(-1));
  const made = labelled(grade, null), apart = (grade >= relevant_from) - (people >= scale.relevant_from);
  if (apart) made.classList.add(apart > 0 ? "above" : "below");
  return made;
}

function isShown(pair) {
  const {pairs, judges} = at.setting;
  if (filters.query !== ANY && pairs.query[pair] !== Number(filters.query)) return false;
  if (filters.system !== ANY) {
    const place = pairs.places[pair][filters.system];
    if (place < 1 || place > FIRST) return false;
  }
  if (filters.kind === ANY && filters.status === ANY) return true;
  const is = kinds()[filters.kind][1];
  return judges.some((_, judge) => (filters.by === ANY || judge === Number(filters.by)) &&
    is(pairs.labels[judge][pair], pairs.baseline[pair], judge) &&
    (filters.status === ANY || pairs.statuses[judge][pair] === Number(filters.status)));
}

function follow(chosen) {
  Object.assign(filters, {kind: ANY, by: ANY, status: ANY, query: ANY, system: ANY}, chosen);
  open("pairs");
}

function showFilters() {
  const {judges, queries, systems, pairs} = at.setting;
  const seen = new Set(pairs.statuses.flat());
  const named = (all, values) => [[ANY, all], ...values.map((value, place) => [place, value])];
  fill(byId("kind"), Object.entries(kinds()).map(([value, [text]]) => [value, text]), filters.kind);
  fill(byId("by"), named("any judge", judges.map(each => each.name)), filters.by);
  fill(byId("status"), [[ANY, "all"], ...data.statuses.map((text, place) => [place, text]).filter(([place]) => seen.has(place))], filters.status);
  fill(byId("query"), named("all", queries.map(each => each.text)), filters.query);
  fill(byId("system"), named("any system", systems), filters.system);
}

function showPairs() {
  showFilters();
  const {pairs, queries, judges, scale, systems} = at.setting, highest = scale.grades.at(-1);
  const text = pair => pairs.passage[pair] === null ? "" : data.passages[pairs.passage[pair]];
  const columns = [
    {head: "query", text: true, value: pair => queries[pairs.query[pair]].text,
      search: pair => `${queries[pairs.query[pair]].id} ${queries[pairs.query[pair]].text}`,
      show: pair => button(queries[pairs.query[pair]].text, () => openPair(pair), {class: "link"})},
    {head: "passage", text: true, value: text, search: pair => `${pairs.doc_id[pair]} ${text(pair)}`,
      show: pair => element("span", {class: "excerpt", dir: "auto", text: text(pair) || "(no text)"})},
    {head: "baseline", upright: true, value: pair => pairs.baseline[pair], show: pair => labelled(pairs.baseline[pair], null)},
    ...(pairs.second ? [{head: "second", upright: true, value: pair => pairs.second[pair],
      show: pair => labelled(pairs.second[pair], pairs.baseline[pair], highest)}] : []),
    ...judges.map((judge, place) => ({head: judge.name, upright: true, value: pair => pairs.labels[place][pair],
      show: pair => judged(place, pair)})),
    {head: "apart", upright: true, title: "the highest label less the lowest", value: pair => pairs.spread[pair]},
    {head: "weight", upright: true, value: pair => pairs.weight[pair], show: pair => number(pairs.weight[pair] / 1e6, 4),
      title: "grades apart times the change of tau if the judge agreed, the mean of the judges"},
    ...(filters.system === ANY ? [] : [{head: `rank in ${systems[filters.system]}`, upright: true,
      value: pair => -pairs.places[pair][filters.system], show: pair => pairs.places[pair][filters.system] || "–"}]),
  ];
  const order = filters.system === ANY ? [] : [[columns.length - 1, "desc"]];
  const rows = pairs.query.map((_, pair) => pair);
  pairTable = table(document.querySelector("#pairs .host"), "Pairs", columns, rows,
    {order, search: "Search queries, passages, ids"});
  pairTable.search.fixed("chosen", (_, pair) => isShown(pair)).draw();
}

for (const id of Object.keys(filters))
  byId(id).addEventListener("change", event => {
    filters[id] = event.target.value;
    if (id === "system") showPairs();
    else pairTable.draw();
  });
byId("clear").addEventListener("click", () => follow({}));

function plainTable(heads, rows) {
  return element("div", {class: "scroll", tabindex: 0}, element("table", {class: "plain"},
    element("thead", {}, element("tr", {}, ...heads.map(text => element("th", {scope: "col", text})))),
    element("tbody", {}, ...rows.map(row => element("tr", {}, ...row.map(each =>
      element("td", {}, each instanceof Node ? each : element("span", {text: each}))))))));
}

function openPair(pair) {
  const {pairs, queries, judges, scale, systems, baseline} = at.setting, highest = scale.grades.at(-1);
  const people = pairs.baseline[pair], query = queries[pairs.query[pair]];
  const shown = pairTable.rows({search: "applied", order: "applied"}).data().toArray(), place = shown.indexOf(pair);
  const step = (text, by) => {
    const made = button(text, () => openPair(shown[place + by]));
    made.disabled = shown[place + by] === undefined;
    return made;
  };
  const labels = [
    ["baseline", labelled(people, null), "", ""],
    ...(pairs.second ? [["second", labelled(pairs.second[pair], people, highest), "", ""]] : []),
    ...judges.map((judge, number) => [judge.name, judged(number, pair),
      data.statuses[pairs.statuses[number][pair]],
      element("div", {class: "answer", dir: "auto", text: data.answers[pairs.answers[number][pair]]})]),
  ];
  const places = systems.map((name, system) => [pairs.places[pair][system], baseline.ranks[system], name])
    .filter(([rank]) => rank > 0).sort((left, right) => left[0] - right[0]);
  const dialog = byId("pair");
  dialog.replaceChildren(
    element("div", {class: "tools"}, step("← Before", -1), step("Next →", 1),
      button("Close", () => dialog.close(), {class: "close"})),
    element("h2", {id: "pair-title", dir: "auto", text: query.text}),
    element("div", {class: "ids", text: `query ${query.id}, passage ${pairs.doc_id[pair]}`}),
    element("p", {class: "passage", dir: "auto", text: pairs.passage[pair] === null ? "(no text)" : data.passages[pairs.passage[pair]]}),
    element("h3", {text: "Labels and answers" + (data.letters ? `, of answers the first and last ${data.letters / 2} letters` : "")}), plainTable(["by", "label", "status", "answer"], labels),
    element("h3", {text: `In ${places.length} of ${counted(systems.length, "ranking")}`}),
    plainTable(["rank here", "system", "system's rank by the baseline"], places.map(([rank, of, name]) => [rank, name, of])));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}
