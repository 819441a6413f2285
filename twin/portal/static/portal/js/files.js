// While a file is being made its page looks by itself how far it is; without script one looks again by the link.
"use strict";

const PAUSE = 2000;

async function look() {
  const place = document.getElementById("file-state");
  if (!place || !("underWay" in place.dataset)) return false;
  if (document.hidden || place.contains(document.activeElement)) return true;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok) return answer.status >= 500;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("file-state");
  if (!fresh) return false;
  place.replaceChildren(...fresh.childNodes);
  if (!("underWay" in fresh.dataset)) delete place.dataset.underWay;
  return true;
}

async function watch() {
  let goesOn = true;
  try {
    goesOn = await look();
  } catch (error) {
    // A look that fails (the server restarts) is followed by the next one.
    if (!(error instanceof TypeError)) throw error;
  }
  if (goesOn) setTimeout(watch, PAUSE);
}

setTimeout(watch, PAUSE);
