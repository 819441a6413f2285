// An empty time zone is filled with the one the browser is set to, where the list knows it.
"use strict";

for (const field of document.querySelectorAll("[data-zone]")) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = [...(field.list?.options ?? [])].some((option) => option.value === own);
  if (!field.value && known) field.value = own;
}
