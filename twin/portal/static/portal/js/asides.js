// A question that was opened in place, and a note above the page, are put away again: by their button or Escape.
// Without script the question closes by the button that opened it, and notes stay where they are.
"use strict";

function putAway(inside) {
  const question = inside.closest("details.confirm");
  if (question) {
    question.open = false;
    question.querySelector("summary").focus();
    return;
  }
  inside.closest(".told")?.remove();
}

for (const button of document.querySelectorAll("[data-puts-away]")) {
  button.hidden = false;
  button.addEventListener("click", () => putAway(button));
}

document.addEventListener("keydown", (event) => {
  const question = event.key === "Escape" && event.target.closest?.("details.confirm[open]");
  if (question) putAway(question.querySelector("summary"));
});
