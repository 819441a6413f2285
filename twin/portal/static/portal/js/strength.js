// A hint of how hard a password is to guess, while it is typed; the server decides by its own, better measure.
"use strict";

function strengthOf(password, known) {
  if (!password) return 0;
  let counted = password.toLowerCase();
  for (const word of known) counted = counted.split(word).join("");
  // Runs such as aaaa, 1234 and abcd count once.
  const steps = [...counted].filter((letter, at) => at < 2 || !sameStep(counted, at)).length;
  const different = new Set(counted).size;
  if (password.length < 12 || different < 6) return 1;
  if (steps < 11 || different < 8) return 2;
  return steps < 18 ? 3 : 4;
}

function sameStep(text, at) {
  const step = text.charCodeAt(at) - text.charCodeAt(at - 1);
  return Math.abs(step) < 2 && step === text.charCodeAt(at - 1) - text.charCodeAt(at - 2);
}

function knownWords(form) {
  const texts = [...form.querySelectorAll('[name="name"], [name="email"]')].map((field) => field.value);
  const words = texts.flatMap((text) => text.toLowerCase().split(/[^\p{L}\p{N}]+/u));
  return ["twin", "password", "qwerty", ...words].filter((word) => word.length > 2);
}

for (const meter of document.querySelectorAll("[data-strength-of]")) {
  const field = document.getElementById(meter.dataset.strengthOf);
  const words = meter.querySelector("[data-strength-words]");
  const sentences = [...meter.querySelectorAll("[data-sentence]")].map((each) => each.dataset.sentence);
  meter.hidden = false;
  const show = () => {
    const strength = strengthOf(field.value, knownWords(field.form));
    meter.dataset.strength = strength;
    words.textContent = strength ? sentences[strength - 1] : "";
  };
  field.addEventListener("input", show);
  show();
}
