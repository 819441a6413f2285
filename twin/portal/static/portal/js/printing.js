// The button that prints the page; where there is no script the style sheet hides it, and the browser's own menu prints.
"use strict";

for (const button of document.querySelectorAll("[data-prints]")) {
  button.addEventListener("click", () => window.print());
}
