// Grading: a person's own grades, without a label in sight; kept in the browser where it allows that.
const grading = {grades: {}, place: 0, kept: true};
const pairKey = pair => [at.setting.queries[at.setting.pairs.query[pair]].id, at.setting.pairs.doc_id[pair]];
const storeKey = () => `alignir grades ${at.setting.key}`;
const gradeOf = pair => grading.grades[JSON.stringify(pairKey(pair))];

function remembered() {
  try {
    const found = JSON.parse(localStorage.getItem(storeKey()) ?? "{}");
    const known = Object.entries(found).filter(([, grade]) => at.setting.scale.grades.includes(grade));
    return Object.fromEntries(known);
  } catch { // forbidden, or not what we wrote
    return {};
  }
}

function keep() {
  try {
    localStorage.setItem(storeKey(), JSON.stringify(grading.grades));
    grading.kept = true;
  } catch {
    grading.kept = false;
  }
}

function startGrading() {
  document.body.classList.add("blind");
  grading.grades = remembered();
  const {worklist} = at.setting.pairs;
  const first = worklist.findIndex(pair => gradeOf(pair) === undefined);
  grading.place = first < 0 ? worklist.length : first;
  showCard();
}

function showCard() {
  const {pairs, queries, scale} = at.setting, graded = Object.keys(grading.grades).length;
  const pair = pairs.worklist[grading.place];
  byId("progress").textContent = `${counted(graded, "grade")}, pair ${Math.min(grading.place + 1, pairs.worklist.length).toLocaleString("en")} of ` +
    pairs.worklist.length.toLocaleString("en") + (grading.kept ? "" : "; this browser keeps nothing: save before you close the page");
  byId("save").disabled = byId("forget").disabled = graded === 0;
  if (pair === undefined) {
    byId("card").replaceChildren(element("p", {text: "That was the last pair."}), button("Back", () => step(-1)));
    return;
  }
  const choices = scale.grades.map(grade => button(grade, () => choose(grade),
    {class: "grade", "aria-pressed": String(gradeOf(pair) === grade), "aria-label": `grade ${grade}`}));
  byId("card").replaceChildren(
    element("h3", {dir: "auto", text: queries[pairs.query[pair]].text}),
    element("p", {class: "passage", dir: "auto", text: data.passages[pairs.passage[pair]]}),
    element("div", {class: "tools", role: "group", "aria-label": "How relevant is the passage?"}, ...choices,
      button("Skip", () => step(1)), button("Back", () => step(-1))),
    element("p", {class: "about", text: `${scale.grades[0]} is the lowest grade, ${scale.grades.at(-1)} the highest; relevant from ${scale.relevant_from}.`}));
}

function step(by) {
  grading.place = Math.max(0, Math.min(at.setting.pairs.worklist.length, grading.place + by));
  showCard();
}

function choose(grade) {
  grading.grades[JSON.stringify(pairKey(at.setting.pairs.worklist[grading.place]))] = grade;
  keep();
  step(1);
}

function qrels() {
  return Object.entries(grading.grades).map(([key, grade]) => {
    const [query, doc] = JSON.parse(key);
    return `${query} 0 ${doc} ${grade}\n`;
  }).join("");
}

byId("save").addEventListener("click", () => {
  const address = URL.createObjectURL(new Blob([qrels()], {type: "text/plain"}));
  element("a", {href: address, download: "grades.qrels"}).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
});
byId("forget").addEventListener("click", () => {
  if (!confirm("Forget all grades of this dataset?")) return;
  grading.grades = {};
  grading.place = 0;
  keep();
  showCard();
});
byId("unblind").addEventListener("click", () => {
  document.body.classList.remove("blind");
  open("judges");
});
document.addEventListener("keydown", event => {
  if (!document.body.classList.contains("blind") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, select, textarea")) return;
  const grade = at.setting.scale.grades.find(each => String(each) === event.key);
  if (grade !== undefined && at.setting.pairs.worklist[grading.place] !== undefined) choose(grade);
  else if (event.key === "s") step(1);
  else if (event.key === "b") step(-1);
});
