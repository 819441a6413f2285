// What is typed is kept on the server a moment later, and at once when the page is left: signing out, a closed
// tab or an ended session lose nothing. Without script, failed saves and the other buttons keep it too.
"use strict";

const PAUSE = 1200;
const LONGEST_WAIT = 3000;
const form = document.getElementById("company");

function differsFromSent(field) {
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.type !== "select-one") return field.value !== (field.defaultValue ?? field.value);
  const sent = field.querySelector("option[selected]") ?? field.options[0];
  return field.value !== (sent?.value ?? "");
}

if (form) {
  const status = form.querySelector("[data-drafted]");
  let waiting = 0;
  let changed = false;
  let sending = null;
  let leaving = false;

  const send = async () => {
    changed = false;
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "application/json" },
        keepalive: true,
        redirect: "manual",
      });
      status.textContent = answer.status === 204 ? status.dataset.drafted : status.dataset.undrafted;
    } catch {
      changed = true;
      status.textContent = status.dataset.undrafted;
    }
    sending = null;
  };
  const keep = () => {
    window.clearTimeout(waiting);
    if (changed) sending = send();
  };

  const keepSoon = () => {
    changed = true;
    status.textContent = "";
    window.clearTimeout(waiting);
    waiting = window.setTimeout(keep, PAUSE);
  };
  form.addEventListener("input", keepSoon);
  // Typed before this script ran.
  if ([...form.elements].some(differsFromSent)) keepSoon();

  // One after the other: a draft must not come in after the save, nor after signing out.
  document.addEventListener("submit", (event) => {
    if (leaving) return;
    if (event.target === form) {
      changed = false;
      window.clearTimeout(waiting);
    } else {
      keep();
    }
    if (!sending) return;
    event.preventDefault();
    const longest = new Promise((resolve) => window.setTimeout(resolve, LONGEST_WAIT));
    Promise.race([sending, longest]).then(() => {
      leaving = true;
      event.target.requestSubmit(event.submitter);
    });
  });
  window.addEventListener("pagehide", keep);
}
