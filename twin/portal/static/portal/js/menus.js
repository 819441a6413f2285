// An open menu closes on Escape and on a press outside it. Without script it closes by its own button.
"use strict";

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.pop[open]")) {
    if (menu !== except) menu.open = false;
  }
}

document.addEventListener("click", (event) => {
  closeMenus(event.target.closest("details.pop"));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const open = document.querySelector("details.pop[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});
