// Sorting, paging, tabs and the search change the table without leaving the page; the address follows.
// Without script the same links and the same form open the whole page.
"use strict";

const PART = "table-part";
const PERIOD = "period-part";
const TYPING_PAUSE = 300;
let asking = null;

function sameAgain(element) {
  // What to focus after the swap: the same control in the new table.
  if (!element || !element.closest(`#${PART}`)) return "";
  if (element.id) return `#${element.id}`;
  const head = element.closest("th[data-column]");
  if (head) return `th[data-column="${head.dataset.column}"] a`;
  if (element.closest(".tabs")) return ".tabs [aria-current]";
  if (element.rel) return `.pager [rel="${element.rel}"]`;
  return "";
}

function put(fresh) {
  const old = document.getElementById(PART);
  const typed = document.activeElement?.id === "search" ? document.activeElement : null;
  const wanted = sameAgain(document.activeElement);
  const left = old.querySelector(".scroll")?.scrollLeft ?? 0;
  const channel = old.querySelector('[name="channel"]:checked')?.value;
  const part = fresh.getElementById(PART);
  old.replaceWith(part);
  document.getElementById(PERIOD).replaceWith(fresh.getElementById(PERIOD));
  // On a phone one channel is shown at a time: the same one as before.
  const same = channel && part.querySelector(`[name="channel"][value="${channel}"]`);
  if (same) same.checked = true;
  // The field somebody types in stays the same one, with what was typed meanwhile.
  if (typed) part.querySelector("#search")?.replaceWith(typed);
  if (wanted) (typed ?? part.querySelector(wanted) ?? part.querySelector("a, button"))?.focus({ preventScroll: true });
  const scroll = part.querySelector(".scroll");
  if (scroll) scroll.scrollLeft = left;
  document.getElementById("table-status").textContent = part.dataset.words;
}

async function swap(address, keep) {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const part = document.getElementById(PART);
  part.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { "X-Twin-Part": "table" }, signal });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (signal.aborted) return;
    if (!answer.ok || !fresh.getElementById(PART)) throw new Error(String(answer.status));
    put(fresh);
    const shown = new URL(answer.url);
    if (keep) history.pushState(null, "", shown);
    else history.replaceState(null, "", shown);
  } catch (error) {
    // Signed out, refused, or no network: the whole page says it better.
    if (error.name !== "AbortError") location.assign(address);
  }
}

function addressOf(form) {
  return `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
}

let typing = 0;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form.search[data-swap]");
  if (!form) return;
  clearTimeout(typing);
  typing = setTimeout(() => swap(addressOf(form), false), TYPING_PAUSE);
});

// Typed before this script ran.
for (const form of document.querySelectorAll("form.search[data-swap]")) {
  const field = form.querySelector("input[type=search]");
  if (field && field.value !== field.defaultValue) swap(addressOf(form), false);
}

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form.search[data-swap]");
  if (!form) return;
  event.preventDefault();
  clearTimeout(typing);
  swap(addressOf(form), true);
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-swap]");
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  swap(link.href, true);
});

window.addEventListener("popstate", (event) => {
  // A jump within the page leaves the table as it is.
  if (event.state === null && location.hash) return;
  location.reload();
});
