// Tables: DataTables sorts, searches and pages; a column says what it sorts by, and what is shown.
const escaped = text => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");

function cell(column, kind, row) {
  const value = column.value(row);
  if (kind === "display") {
    const shown = column.show ? column.show(row) : value ?? "–";
    return shown instanceof Node ? shown : element("span", {text: shown});
  }
  if (kind === "filter") return column.search ? escaped(column.search(row)) : ""; // DataTables unescapes it again
  return column.text ? String(value) : value ?? -Infinity;
}

function table(host, caption, columns, rows, {order = [], search = "", page = 25} = {}) {
  const heads = columns.map(column => element(
    "th", {scope: "col", ...(column.upright ? {class: "upright"} : {}), ...(column.title ? {title: column.title} : {})},
    element("span", {text: column.head})));
  const made = element("table", {class: "compact hover", "aria-label": caption},
    element("thead", {}, element("tr", {}, ...heads)), element("tbody"));
  host.replaceChildren(made);
  return new DataTable(made, {
    data: rows, order, autoWidth: false, pageLength: page, lengthMenu: [10, 25, 50, 100],
    columns: columns.map(column => ({
      data: null, type: column.text ? "string" : "num", className: column.text ? "text" : "number",
      orderSequence: column.text ? ["asc", "desc"] : ["desc", "asc"],
      render: (_, kind, row) => cell(column, kind, row),
    })),
    layout: {
      topStart: search ? {search: {text: "_INPUT_", placeholder: search}} : null, topEnd: null,
      bottomStart: "info", bottomEnd: rows.length > page ? ["pageLength", "paging"] : null,
    },
    language: {
      info: "_START_ to _END_ of _TOTAL_", infoEmpty: "none", infoFiltered: "(of _MAX_)", lengthMenu: "_MENU_ a page",
      emptyTable: "nothing to show", zeroRecords: "nothing is left", searchPlaceholder: search,
      search: "", entries: {_: "", 1: ""},
    },
  });
}
