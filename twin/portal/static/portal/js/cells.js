// A press on a figure, or Enter, opens what it is made of; arrow keys, Home and End walk through the figures.
// Without script the names of the companies lead there.
"use strict";

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const CELLS = "table.data tbody tr[data-company] > *";

document.documentElement.classList.add("cells-open");

function isShown(cell) {
  return cell.offsetParent !== null;
}

function focusCell(cell) {
  const target = cell.querySelector("a") ?? cell;
  if (target === cell) cell.tabIndex = -1;
  target.focus();
  cell.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function beside(cell, [down, right]) {
  let row = cell.parentElement;
  if (down) {
    row = down > 0 ? row.nextElementSibling : row.previousElementSibling;
    return row ? row.cells[cell.cellIndex] : null;
  }
  let at = cell.cellIndex + right;
  while (row.cells[at] && !isShown(row.cells[at])) at += right;
  return row.cells[at] ?? null;
}

function wayFrom(cell) {
  // A figure that is nothing leads nowhere.
  if (!cell.dataset.exact || (cell.dataset.exact === "0" && cell.textContent === "0")) return "";
  const head = cell.closest("table").tHead.rows[0].cells[cell.cellIndex];
  const way = cell.parentElement.querySelector("a.name").href;
  return head.dataset.channel ? `${way}&channel=${head.dataset.channel}` : way;
}

function openFigure(cell, apart) {
  const way = wayFrom(cell);
  if (!way) return;
  if (apart) window.open(way, "_blank", "noopener");
  else location.assign(way);
}

document.addEventListener("click", (event) => {
  const cell = event.target.closest(CELLS);
  // Whoever marks figures to copy them does not want to leave.
  if (cell && !event.target.closest("a") && !String(getSelection())) openFigure(cell, event.ctrlKey || event.metaKey);
});

document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.(CELLS);
  if (!cell || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const shown = [...cell.parentElement.cells].filter(isShown);
  let next = null;
  if (event.key === "Enter" && event.target === cell) openFigure(cell, false);
  if (event.key in STEPS) next = beside(cell, STEPS[event.key]);
  else if (event.key === "Home") next = shown[0];
  else if (event.key === "End") next = shown.at(-1);
  if (!next) return;
  event.preventDefault();
  focusCell(next);
});
