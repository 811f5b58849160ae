// Start: which view is shown, by the address behind the page's; blind grading shows no other.
const views = {judges: showJudges, systems: showSystems, queries: showQueries, pairs: showPairs, grade: startGrading};

function open(view) {
  if (location.hash === `#${view}`) show();
  else location.hash = view;
}

function show() {
  const blind = document.body.classList.contains("blind");
  const asked = location.hash.slice(1), view = blind ? "grade" : asked in views ? asked : "judges";
  for (const name of Object.keys(views)) byId(name).hidden = name !== view;
  for (const link of document.querySelectorAll("nav a"))
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  for (const select of document.querySelectorAll("select.judge"))
    fill(select, at.setting.judges.map((judge, place) => [place, judge.name]), at.judge);
  if (byId("pair").open) byId("pair").close();
  views[view]();
  window.scrollTo(0, 0);
}

for (const select of document.querySelectorAll("select.judge"))
  select.addEventListener("change", event => { at.judge = Number(event.target.value); show(); });
byId("choose-setting").hidden = data.settings.length < 2;
fill(byId("setting"), data.settings.map((setting, place) => [place, setting.title]), 0);
byId("setting").addEventListener("change", event => {
  Object.assign(at, {setting: data.settings[event.target.value], judge: 0, system: null});
  Object.assign(filters, {kind: ANY, by: ANY, status: ANY, query: ANY, system: ANY});
  show();
});
const dark = matchMedia("(prefers-color-scheme: dark)");
const follows = () => document.documentElement.classList.toggle("dark", dark.matches);
dark.addEventListener("change", follows);
follows();
addEventListener("hashchange", show);
show();
