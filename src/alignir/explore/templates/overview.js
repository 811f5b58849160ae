// Overview: judges, systems, queries. The judge that is chosen in one view is chosen in the next.
const at = {setting: data.settings[0], judge: 0, system: null};

function judgeBar(judge) {
  const low = Math.min(0, ...at.setting.judges.map(each => each.ci_low ?? each.tau_b ?? 0));
  const x = value => 100 * (value - low) / (1 - low);
  const marks = [drawn("line", {x1: 0, x2: 100, y1: 9, y2: 9, class: "axis"}),
    drawn("line", {x1: x(0), x2: x(0), y1: 3, y2: 15, class: "axis"})];
  if (judge.ci_low !== null)
    marks.push(drawn("rect", {x: x(judge.ci_low), width: x(judge.ci_high) - x(judge.ci_low), y: 6, height: 6, class: "reach"}));
  if (judge.tau_b !== null) marks.push(drawn("rect", {x: x(judge.tau_b) - .75, width: 1.5, y: 2, height: 14, class: "value"}));
  return drawn("svg", {viewBox: "0 0 100 18", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true"}, ...marks);
}

function showJudges() {
  const {judges, top} = at.setting;
  const numeric = (head, name, show, title) => ({head, title, value: row => row[name], show: row => show(row[name])});
  const columns = [
    {head: "judge", text: true, value: row => row.name, search: row => row.name,
      show: row => button(row.name, () => { at.judge = judges.indexOf(row); open("queries"); }, {class: "link"})},
    {head: "tau_b, 95% interval", value: row => row.tau_b, show: row => element("span", {class: "tau"}, judgeBar(row),
      element("span", {text: row.ci_low === null ? number(row.tau_b)
        : `${number(row.tau_b)} [${number(row.ci_low)}, ${number(row.ci_high)}]`}))},
    ...(top ? [numeric(`top ${top}`, "tau_top", number, `tau_b among the ${top} best systems by the baseline`)] : []),
    numeric("missed ↓", "missed", share, "pairs of systems that only the baseline tells apart"),
    numeric("false alarms ↓", "false_alarm", share, "pairs of systems that only the judge tells apart"),
    numeric("kappa", "kappa", number, "Cohen's, on the grades"),
    numeric("bias", "bias", signed, "mean of label less baseline"),
    numeric("missing ↓", "missing", share, "share of pairs without a label"),
  ];
  table(document.querySelector("#judges .host"), "Judges", columns, judges, {order: [[1, "desc"]]});
  document.querySelector("#judges .notes").replaceChildren(...at.setting.notes.map(text => element("li", {text})));
}

const moves = (judge, system) => at.setting.before[judge][system] - at.setting.ranks[judge][system];

function moved(judge, system) {
  const by = moves(judge, system);
  const text = by > 0 ? `▲${by}` : by < 0 ? `▼${-by}` : "";
  return element("span", {}, element("span", {text: at.setting.ranks[judge][system]}),
    element("span", {class: `move ${by > 0 ? "up" : "down"}`, text}));
}

function showSystems() {
  const {systems, baseline, judges, measure} = at.setting;
  const rows = systems.map((name, system) => ({name, system}));
  const columns = [
    {head: "system", text: true, value: row => row.name, search: row => row.name,
      show: row => button(row.name, () => showMoved(row.system, true), {class: "link"})},
    {head: `${measure} by the baseline`, value: row => mean(baseline.scores[row.system].filter(value => value !== null)),
      show: row => number(mean(baseline.scores[row.system].filter(value => value !== null)), 3)},
    {head: "rank by the baseline", value: row => baseline.ranks[row.system]},
    {head: "moved", title: `how many ranks ${judges[at.judge].name} has it higher`, value: row => Math.abs(moves(at.judge, row.system)),
      show: row => signed(moves(at.judge, row.system), 0)},
    ...judges.map((judge, place) => ({head: judge.name, upright: true, title: `rank by ${judge.name}`,
      value: row => at.setting.ranks[place][row.system], show: row => moved(place, row.system)})),
  ];
  table(document.querySelector("#systems > .host"), "Systems", columns, rows,
    {order: [[3, "desc"]], search: "Search systems", page: 50});
  if (at.system === null) byId("moved").hidden = true;
  else showMoved(at.system, false);
}

function showMoved(system, focus) {
  at.system = system;
  const {systems, queries, baseline, scores, judges} = at.setting;
  const difference = (one, query) => less(scores[at.judge][one][query], baseline.scores[one][query]);
  const rows = queries.map((each, query) => {
    const all = systems.map((_, one) => difference(one, query)).filter(value => value !== null);
    return {query, text: each.text, by: difference(system, query), beside: less(difference(system, query), mean(all)),
      judge: scores[at.judge][system][query], people: baseline.scores[system][query]};
  });
  const columns = [
    {head: "query", text: true, value: row => row.text, search: row => `${queries[row.query].id} ${row.text}`,
      show: row => button(row.text, () => follow({query: row.query, system, by: at.judge}), {class: "link"})},
    {head: "baseline", value: row => row.people, show: row => number(row.people, 3)},
    {head: "judge", value: row => row.judge, show: row => number(row.judge, 3)},
    {head: "difference", value: row => row.by === null ? null : Math.abs(row.by), show: row => signed(row.by, 3)},
    {head: "beside others", value: row => row.beside === null ? null : Math.abs(row.beside), show: row => signed(row.beside, 3)},
  ];
  byId("moved").hidden = false;
  const title = byId("moved").querySelector("h3");
  title.textContent = `Queries that moved ${systems[system]} under ${judges[at.judge].name}: rank ` +
    `${at.setting.before[at.judge][system]} by the baseline, ${at.setting.ranks[at.judge][system]} by the judge`;
  table(byId("moved").querySelector(".host"), title.textContent, columns, rows, {order: [[3, "desc"]], search: "Search queries"});
  if (focus) { title.focus(); title.scrollIntoView({block: "start"}); }
}

function showQueries() {
  const {queries, kappa, bias, without, judges, pairs, scale} = at.setting;
  const lowest = judges[at.judge].scale[0], highest = scale.grades.at(-1);
  const counts = queries.map(() => ({pairs: 0, called: 0}));
  pairs.query.forEach((query, pair) => {
    counts[query].pairs += 1;
    counts[query].called += pairs.baseline[pair] === highest && pairs.labels[at.judge][pair] === lowest;
  });
  const rows = queries.map((each, query) => ({query, ...each, ...counts[query], kappa: kappa[at.judge][query],
    bias: bias[at.judge][query], without: without[at.judge][query],
    gain: less(without[at.judge][query], judges[at.judge].tau_b)}));
  const columns = [
    {head: "query", text: true, value: row => row.text, search: row => `${row.id} ${row.text}`,
      show: row => button(row.text, () => follow({query: row.query, by: at.judge}), {class: "link"})},
    {head: "pairs", value: row => row.pairs},
    {head: "kappa", value: row => row.kappa, show: row => number(row.kappa)},
    {head: "bias", value: row => row.bias, show: row => signed(row.bias)},
    {head: "tau without", value: row => row.without, show: row => number(row.without, 3)},
    {head: "gain", title: "tau without this query, less tau with all", value: row => row.gain, show: row => signed(row.gain, 3)},
    {head: `${highest} called ${lowest}`, value: row => row.called},
  ];
  table(document.querySelector("#queries .host"), "Queries", columns, rows,
    {order: [[2, "asc"]], search: "Search queries", page: 50});
}
