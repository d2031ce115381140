// Finding and sorting; outcomes are filtered by the style sheet, without a script.
const form = document.querySelector("form");
const main = document.querySelector("main");
const cards = [...main.children];
const all = main.querySelectorAll("li").length;
const number = (card, outcome) => card.querySelectorAll(`li.${outcome}`).length;

const orders = {
  name: (a, b) => cards.indexOf(a) - cards.indexOf(b),
  date: (a, b) => b.dataset.date.localeCompare(a.dataset.date),
};
for (const outcome of ["supported", "refuted", "inconclusive"]) {
  orders[outcome] = (a, b) => number(b, outcome) - number(a, outcome);
}

function show() {
  const words = form.words.value.toLowerCase().split(/\s+/);
  const has = (text) => words.every((word) => text.toLowerCase().includes(word));
  for (const card of cards) {
    const parts = [...card.querySelectorAll(".kind, h2, .error")].map((each) => each.textContent);
    const about = [card.dataset.name, ...parts].join(" ");
    const whole = has(about);
    const claims = [...card.querySelectorAll("li")];
    for (const claim of claims) {
      claim.classList.toggle("miss", !whole && !has(`${about} ${claim.textContent}`));
    }
    card.classList.toggle("miss", !whole && claims.every((claim) => claim.matches(".miss")));
  }
  main.append(...[...cards].sort((a, b) => orders[form.order.value](a, b) || orders.name(a, b)));
  const shown = (each) => getComputedStyle(each).display !== "none";
  const left = cards.filter(shown);
  const claims = left.flatMap((card) => [...card.querySelectorAll("li")]).filter(shown);
  const filtered = form.words.value || form.outcome.value !== "all";
  form.querySelector("output").value = filtered
    ? `shown: ${claims.length} of ${all} claims, ${left.length} of ${cards.length} experiments`
    : "";
}

form.querySelector(".scripted").hidden = false;
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("pageshow", show); // after the browser has put back what was chosen
