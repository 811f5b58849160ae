"""Style: what the page of the report looks like, on a screen and in print, and what a browser may do with it."""

# Nothing is loaded, nothing runs and nothing is sent, whatever stands in a name or a text.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
PAGE_STYLE = """\
*, ::before, ::after { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 90rem; overflow-wrap: anywhere; }
p, li { max-width: 60rem; }
h2 { margin-top: 3rem; border-bottom: 1px solid; padding-bottom: .25rem; }
h3 { margin-top: 2.25rem; }
h4 { margin: 1.5rem 0 .5rem; font-size: 1rem; }
.lead { font-size: 1.15rem; font-weight: 600; }
nav { position: sticky; top: 0; background: Canvas; }
nav h2 { margin: 0; font-size: 1rem; border: 0; }
nav ol { list-style: none; margin: 0; padding: 0; }
summary { cursor: pointer; font-weight: 600; margin-bottom: 1rem; }
figure { margin: 0 0 2rem; }
figure.table { font-size: .9rem; }
figure.drawing .scroll { overflow-x: auto; }
figure.drawing img { display: block; background: white; }
figure.drawing figcaption { font-size: .85rem; margin-top: .25rem; }
.runs figure.table, .settings figure.table { font-size: .85rem; }
.runs figure.table th, .runs figure.table td { text-align: left; }
.settings figure.table th, .settings figure.table td { text-align: left; vertical-align: top; white-space: normal;
  overflow-wrap: normal; max-width: 40rem; }
.settings figure.table td:first-child { white-space: nowrap; }
pre { white-space: pre-wrap; font-size: .85rem; background: #8881; border: 1px solid #8886; padding: .75rem;
  margin: 0 0 1rem; }
@media screen and (min-width: 60rem) {
  body { display: grid; grid-template-columns: 14rem minmax(0, 1fr); column-gap: 2.5rem; align-items: start; }
  header { grid-column: 1 / -1; }
  section:first-of-type > h2 { margin-top: 0; }
  nav { max-height: 100vh; overflow-y: auto; padding: 1rem 0; font-size: .9rem; }
  nav > ol > li { margin-top: .75rem; font-weight: 600; }
  nav ol ol { font-weight: 400; padding-left: .75rem; }
}
@media screen and (max-width: 60rem) { /* a strip of the chapters */
  nav { z-index: 1; border-bottom: 1px solid; margin: 0 -1rem 1rem; padding: .5rem 1rem; overflow-x: auto; }
  nav h2, nav ol ol { display: none; }
  nav > ol { display: flex; gap: 1.25rem; white-space: nowrap; }
  h2, h3 { scroll-margin-top: 3.5rem; }
}
@media print, (max-width: 40rem) {
  .numbers th:nth-child(-n+2), .numbers td:nth-child(-n+2) { white-space: normal; overflow-wrap: anywhere;
    min-width: 6rem; }
  figure.table th, figure.table td { padding: .15rem .4rem; }
}
@media (max-width: 40rem) {
  figure.table, .settings figure.table, .runs figure.table { font-size: .8rem; }
  section:first-of-type figure.drawing img { max-width: 100%; } /* the answer's, at a glance */
}
@page { size: A4; margin: 15mm; }
@media print {
  :root { font-size: 9.5pt; }
  body { max-width: none; padding: 0; }
  nav { position: static; }
  nav ol ol { display: flex; flex-wrap: wrap; gap: .1rem 1.25rem; padding: 0 0 .5rem 1.25rem; }
  h1, h2, h3, h4, .about, figure.table figcaption { break-after: avoid; }
  h2 { margin-top: 2rem; }
  figure.drawing, tr, .together { break-inside: avoid; }
  figure.drawing img { max-width: 100%; max-height: 230mm; margin: 0 auto; }
  details::details-content { content-visibility: visible; display: block; height: auto; } /* on paper nobody unfolds */
  details figure.table { break-inside: auto; }
  summary { display: none; }
  figure.table table { font-size: min(8.5pt, calc(var(--print, 8.5) * 1pt)); }
  .scroll { overflow: visible; }
}
"""
