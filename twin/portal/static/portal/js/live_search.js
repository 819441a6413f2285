// The list follows what is typed into its search: the same address is asked and only the found part changes.
// Without script the button beside the field sends the form.
"use strict";

const PAUSE = 250;

for (const form of document.querySelectorAll("form[data-live-search]")) {
  const field = form.querySelector("input[type=search]");
  let timer = 0;
  // What the page was rendered for: whatever was typed before this script ran is still to be asked.
  let asked = field.defaultValue;
  let running = null;

  const address = () => {
    const given = new URLSearchParams(new FormData(form));
    if (!given.get("search")) given.delete("search");
    const query = given.toString();
    return form.action + (query ? `?${query}` : "");
  };

  const show = (text) => {
    const answer = new DOMParser().parseFromString(text, "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = answer.querySelector(`[data-live="${part.dataset.live}"]`);
      if (fresh) part.replaceChildren(...fresh.childNodes);
    }
  };

  const search = async () => {
    if (field.value === asked) return;
    asked = field.value;
    running?.abort();
    running = new AbortController();
    const target = address();
    try {
      const response = await fetch(target, { signal: running.signal, credentials: "same-origin" });
      // Signed out meanwhile, or refused: let the browser go there and say so.
      if (!response.ok || response.redirected) {
        window.location.assign(target);
        return;
      }
      show(await response.text());
      window.history.replaceState(null, "", target);
    } catch (error) {
      if (error.name !== "AbortError") form.submit();
    }
  };

  field.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(search, PAUSE);
  });
  search();
}
