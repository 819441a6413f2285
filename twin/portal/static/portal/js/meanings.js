// Pointing at a column heading or a figure, by mouse or keyboard, shows its meaning or its exact amount
// above the table. Without script the meanings stand in the list beneath it and the amounts in the titles.
"use strict";

function meaningOf(target) {
  const link = target.closest("table.data thead a[aria-describedby]");
  if (link) return `${link.textContent.trim()}: ${document.getElementById(link.getAttribute("aria-describedby")).textContent}`;
  const cell = target.closest("table.data tr[data-company] td[data-exact]");
  if (!cell) return "";
  const name = cell.parentElement.querySelector(".name").textContent.trim();
  const heads = cell.closest("table").querySelectorAll("thead th");
  return `${name}, ${heads[cell.cellIndex].querySelector("a").textContent.trim()}: ${cell.dataset.exact}`;
}

function showMeaning(event) {
  const line = document.querySelector("[data-help]");
  if (!line || !(event.target instanceof Element)) return;
  line.dataset.usual ??= line.textContent;
  line.textContent = meaningOf(event.target) || line.dataset.usual;
}

document.addEventListener("focusin", showMeaning);
document.addEventListener("mouseover", showMeaning);
