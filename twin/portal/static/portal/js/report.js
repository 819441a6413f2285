// Pointing at a column heading, by mouse or keyboard, shows its meaning above the table.
// Without script the meanings stand in the list beneath it.
"use strict";

const line = document.querySelector("[data-help]");
const heads = document.querySelector("table.data thead");

if (line && heads) {
  const usual = line.textContent;
  const show = (event) => {
    const link = event.target.closest("a[aria-describedby]");
    if (!link) return;
    const meaning = document.getElementById(link.getAttribute("aria-describedby"));
    line.textContent = `${link.textContent.trim()}: ${meaning.textContent}`;
  };
  const rest = () => {
    line.textContent = usual;
  };
  heads.addEventListener("focusin", show);
  heads.addEventListener("mouseover", show);
  heads.addEventListener("focusout", rest);
  heads.addEventListener("mouseleave", rest);
}
