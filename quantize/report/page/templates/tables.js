"use strict";
// Tables sort by click or key on a column's name; a choice shows some of the rows.

for (const table of document.querySelectorAll("table[data-sortable]")) {
  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => sortBy(table, button.closest("th")));
  }
}

function sortBy(table, heading) {
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const numbers = heading.classList.contains("number"), turn = down ? -1 : 1;
  const value = (row) => {
    const cell = row.cells[heading.cellIndex];
    if (!numbers) return cell.textContent.trim();
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };
  const compare = (a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === null || right === null) return (left === null) - (right === null); // unknown: last
    return turn * (numbers ? left - right : left.localeCompare(right, "en", { numeric: true }));
  };
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
}

for (const choice of document.querySelectorAll("select[data-filters]")) {
  const rows = document.getElementById(choice.dataset.filters).tBodies[0].rows;
  const show = () => {
    for (const row of rows) row.hidden = choice.value !== "" && row.dataset.key !== choice.value;
  };
  choice.addEventListener("change", show);
  show();
}
