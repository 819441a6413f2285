// The outbox looks for new letters by itself and copies codes; without script one looks again by the link.
"use strict";

const place = document.getElementById("letters");
const PAUSE = 3000;

function show() {
  for (const button of place.querySelectorAll("[data-copies]")) {
    if (navigator.clipboard) button.hidden = false;
  }
}

place.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copies);
  button.textContent = button.dataset.done;
});

// New letters are put above the others, which stay as they are: focus and marked text do not move.
function add(fresh) {
  const list = place.querySelector(".letters");
  if (!list) {
    if (fresh.querySelector(".letter")) place.replaceChildren(...fresh.childNodes);
    return;
  }
  const known = (letter) => document.getElementById(letter.id);
  list.prepend(...[...fresh.querySelectorAll(".letter")].filter((letter) => !known(letter)));
}

async function fetchLetters() {
  try {
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
    return answer.ok ? await answer.text() : "";
  } catch {
    // The server restarts: the next look finds it.
    return "";
  }
}

async function look() {
  if (document.hidden) return;
  const page = new DOMParser().parseFromString(await fetchLetters(), "text/html");
  const fresh = page.getElementById("letters");
  if (fresh) {
    add(fresh);
    show();
  }
}

async function watch() {
  await look();
  setTimeout(watch, PAUSE);
}

document.addEventListener("visibilitychange", look);
show();
setTimeout(watch, PAUSE);
