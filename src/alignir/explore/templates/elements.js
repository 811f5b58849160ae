"use strict";
// Elements: what the page is made of. Every text goes through textContent; nothing is ever read as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = id => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (name === "click") made.addEventListener("click", value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function drawn(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const button = (text, click, attributes = {}) => element("button", {type: "button", text, click, ...attributes});

function fill(select, options, chosen) {
  select.replaceChildren(...options.map(([value, text]) => element("option", {value, text})));
  select.value = String(chosen);
}

const number = (value, digits = 2) => value === null ? "–" : value.toFixed(digits);
const signed = (value, digits = 2) => value === null ? "–" : (value > 0 ? "+" : "") + value.toFixed(digits);
const share = value => value === null ? "–" : `${(100 * value).toFixed(1)}%`;
const less = (left, right) => left === null || right === null ? null : left - right;
const mean = values => values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
const counted = (n, what) => `${n.toLocaleString("en")} ${n === 1 ? what : `${what}s`}`;

// A label, coloured by how far it lies from the baseline's; the digit says it, too.
function labelled(grade, baseline, highest) {
  const made = element("span", {class: "label", text: grade === null ? "–" : grade});
  if (grade === null || baseline === null || grade === baseline) return made;
  made.classList.add(grade > baseline ? "above" : "below");
  made.style.setProperty("--apart", Math.min(1, Math.abs(grade - baseline) / Math.max(1, highest)));
  return made;
}
