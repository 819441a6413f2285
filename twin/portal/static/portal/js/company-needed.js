// The foot of the window names what is still needed while one types. Without script it is as the server sent it.
"use strict";

const identities = ["registration_number", "inn", "ogrn", "vat_number", "utr", "ein"];
const box = document.querySelector(".needed");

function isGiven(name) {
  const field = document.getElementById(`id_${name}`);
  return field.value.trim() !== "" && !field.closest("[hidden]");
}

function isSatisfied(name) {
  if (name === "registration_number") return identities.some(isGiven);
  const withoutCodes = box.dataset.withoutCodes.split(" ");
  if (name === "legal_postal_code" && withoutCodes.includes(document.getElementById("id_country").value)) return true;
  return isGiven(name);
}

function showNeeded() {
  const bar = document.querySelector(".company-progress progress");
  const words = document.getElementById("progress-words");
  const items = [...box.querySelectorAll("[data-needs]")];
  for (const item of items) item.hidden = isSatisfied(item.dataset.needs);
  const absent = items.filter((item) => !item.hidden).length;
  box.querySelector(".needed-list").hidden = absent === 0;
  const given = bar.max - absent;
  // The words are the server's; only their first figure changes.
  words.textContent = words.textContent.replace(/\d+/, String(given));
  bar.value = given;
}

if (box) {
  const form = document.getElementById("company");
  form.addEventListener("input", showNeeded);
  form.addEventListener("change", showNeeded);
  // Typed before this script ran.
  if ([...form.elements].some((field) => field.value !== (field.defaultValue ?? field.value))) showNeeded();
}
