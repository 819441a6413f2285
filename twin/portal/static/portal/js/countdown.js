// A button that may be pressed in some seconds counts them down. Without script it is there at once,
// and the server answers that it was too early.
"use strict";

for (const button of document.querySelectorAll("button[data-wait]")) {
  const ready = Date.now() + 1000 * Number(button.dataset.wait);
  const title = button.textContent.trim();
  const tick = () => {
    const left = Math.ceil((ready - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent =
      left > 0 ? button.dataset.waiting.replace("{time}", `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`) : title;
    if (left > 0) setTimeout(tick, 1000);
  };
  if (Number(button.dataset.wait) > 0) tick();
}
