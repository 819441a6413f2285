// Buttons that copy the text of an element; without script, or where the browser lets no page copy, one selects it.
"use strict";

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copies]")) {
    const words = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent.trim());
      button.textContent = button.dataset.done;
      const status = document.getElementById("copied");
      if (status) status.textContent = button.dataset.done;
      setTimeout(() => {
        button.textContent = words;
        if (status) status.textContent = "";
      }, 2000);
    });
  }
}
