// Choosing a country shows the details that country asks for, at once; what was typed for another one stays.
// Without script a button of the form asks the server for them.
"use strict";

document.documentElement.classList.add("scripted");
const country = document.getElementById("id_country");

function showDetails() {
  const group = country.selectedOptions[0].dataset.group;
  for (const field of document.querySelectorAll("[data-groups]")) {
    field.hidden = !field.dataset.groups.split(" ").includes(group);
  }
}

if (country) {
  country.addEventListener("change", showDetails);
  // A page brought back by the browser may hold another choice than the one it was sent with.
  window.addEventListener("pageshow", showDetails);
}
