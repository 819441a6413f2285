// A phone number is grouped like numbers of its country while it is typed; "+49…" chooses the country.
// The server reads it with or without groups.
"use strict";

function grouped(text, example) {
  const digits = text.replace(/\D/g, "");
  // Numbers with the digit that is dialled inside the country only, or longer than usual, stay as typed.
  if (/[^\d\s]/.test(text) || digits.startsWith("0") || digits.length > example.replace(/\D/g, "").length) return text;
  let rest = digits;
  const groups = [];
  for (const group of example.split(/\D+/)) {
    if (!rest) break;
    groups.push(rest.slice(0, group.length));
    rest = rest.slice(group.length);
  }
  return groups.join(" ");
}

function chooseCountry(select, field) {
  const digits = field.value.replace(/\D/g, "");
  const fits = [...select.options].filter((option) => digits.startsWith(option.dataset.callingCode));
  if (!fits.length) return;
  const longest = Math.max(...fits.map((option) => option.dataset.callingCode.length));
  const found = fits.filter((option) => option.dataset.callingCode.length === longest);
  if (!found.includes(select.selectedOptions[0])) found[0].selected = true;
}

for (const row of document.querySelectorAll("[data-phone]")) {
  const select = row.querySelector("select");
  const field = row.querySelector("input");
  const show = () => {
    field.placeholder = select.selectedOptions[0]?.dataset.example ?? "";
  };
  const follow = () => {
    if (field.value.trim().startsWith("+")) {
      chooseCountry(select, field);
      show();
    } else if (field.selectionStart === field.value.length) {
      field.value = grouped(field.value, field.placeholder);
    }
  };
  field.addEventListener("input", follow);
  field.addEventListener("change", () => {
    const calling = `+${select.selectedOptions[0]?.dataset.callingCode}`;
    const typed = field.value.trim();
    if (typed.startsWith(calling)) field.value = grouped(typed.slice(calling.length).trim(), field.placeholder);
  });
  select.addEventListener("change", show);
  show();
  // Typed before this script ran.
  if (field.value !== field.defaultValue) follow();
}
