// Hovering, touching or the arrow keys show the value, seed and run of a point of a figure; a click on a
// key of a legend, or Enter, hides and shows its series. See resnet_jax/lab/figures/interactive.py.
(() => {
  const REACH = 26; // pixels around a point
  const tip = document.body.appendChild(document.createElement("div"));
  const set = (element, attributes) => Object.entries(attributes)
    .forEach((each) => element.setAttribute(...each));
  set(tip, { class: "tip", role: "status" });
  const points = new WeakMap(); // of a drawing, once it is used
  let lit = null, ring = null;

  const read = (group, name) => name in group.dataset ? JSON.parse(group.dataset[name]) : undefined;
  const joined = (...words) => words.filter(Boolean).join(", ");
  const pick = (value, i) => Array.isArray(value) ? value[i] : value;
  const number = (value) => String(typeof value === "number" ? Number(value.toPrecision(4)) : value)
    .replace(/^-/, "\u2212");

  const fraction = (value, [low, high], scale) => scale === "log"
    ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low); // of an axis
  const box = (panel) => panel.querySelector("path").getBBox(); // its background

  function pointsOf(svg) {
    if (points.has(svg)) return points.get(svg);
    const found = [];
    for (const panel of svg.querySelectorAll("[data-panel]")) {
      const [xlim, ylim] = [read(panel, "xlim"), read(panel, "ylim")];
      const { x: left, y: top, width, height } = box(panel);
      for (const group of panel.querySelectorAll("[data-x][data-y]")) {
        const [xs, ys, dx = 0, dy = 0] = ["x", "y", "dx", "dy"].map((each) => read(group, each));
        xs.forEach((x, i) => found.push({
          panel, group, i,
          x: left + dx + width * fraction(x, xlim, read(panel, "xscale")),
          y: top - dy + height * (1 - fraction(ys[i], ylim, read(panel, "yscale"))),
        }));
      }
    }
    return points.set(svg, found).get(svg);
  }

  const visible = (svg) => pointsOf(svg).filter(({ group }) => group.style.display !== "none");

  function wordsOf({ panel, group, i }) {
    const data = (name) => pick(read(group, name), i);
    const value = read(group, "value") || "y", place = value === "y" ? "x" : "y", note = data("note");
    return [
      joined(read(panel, "panel"), data("name") || read(group, "series")?.join(", ")),
      `${read(panel, place + "label")}: ${number(data("at") ?? data(place))}`,
      `${read(panel, value + "label")}: ${number(data(value))}`,
      data("run") ? joined(`seed ${data("seed")}`, note, `run ${data("run")}`) : note,
    ];
  }

  function cellAt(svg, at) {
    for (const panel of svg.querySelectorAll("[data-cells]")) {
      const { x: left, y: top, width, height } = box(panel), cells = read(panel, "cells");
      const place = (ends, f) => ends.findIndex((end, i) => end <= f && f < ends[i + 1]);
      const column = place(cells.x, (at.x - left) / width);
      const row = place(cells.y, 1 - (at.y - top) / height);
      if (column >= 0 && row >= 0) return [
        joined(read(panel, "panel"), cells.sites[row]),
        `${read(panel, "xlabel")}: ${cells.steps[column]}`,
        `${cells.label}: ${number(cells.values[row][column] ?? "none")}`,
        cells.note,
      ];
    }
  }

  function show(words, { x, y }) {
    tip.replaceChildren(...words.filter(Boolean).map((each) =>
      Object.assign(document.createElement("div"), { textContent: each })));
    tip.classList.toggle("on", words.length > 0);
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 4))}px`;
    tip.style.top = `${y - height - 14 < 4 ? y + 18 : y - height - 14}px`;
  }

  function showPoint(svg, point) {
    hide();
    lit = point.group;
    lit.classList.add("lit");
    ring = svg.appendChild(document.createElementNS(svg.namespaceURI, "circle"));
    set(ring, { class: "ring", cx: point.x, cy: point.y, r: 5 });
    const { x, y, width } = ring.getBoundingClientRect();
    show(wordsOf(point), { x: x + width / 2, y });
  }

  function hide() {
    tip.classList.remove("on");
    lit?.classList.remove("lit");
    ring?.remove();
    lit = ring = null;
  }

  function hover(svg, event) {
    const matrix = svg.getScreenCTM();
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    const away = (point) => matrix.a * Math.hypot(point.x - at.x, point.y - at.y);
    const near = visible(svg)
      .reduce((best, point) => away(point) < away(best) ? point : best, { x: Infinity, y: 0 });
    if (away(near) <= REACH) return showPoint(svg, near);
    hide();
    show(cellAt(svg, at) ?? [], { x: event.clientX, y: event.clientY });
  }

  function step(svg, event) { // the arrow keys go through the points
    const found = visible(svg);
    const move = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!move || !found.length) return;
    event.preventDefault();
    const next = (Number(svg.dataset.at ?? (move > 0 ? -1 : 0)) + move + found.length) % found.length;
    svg.dataset.at = next;
    showPoint(svg, found[next]);
  }

  function toggle(figure, key, off) {
    if (!off.delete(key)) off.add(key);
    for (const group of figure.querySelectorAll("[data-series]"))
      group.style.display = read(group, "series").some((each) => off.has(each)) ? "none" : "";
    for (const each of figure.querySelectorAll("[data-key]")) {
      const hidden = each.classList.toggle("off", off.has(read(each, "key")));
      each.setAttribute("aria-pressed", !hidden);
    }
    hide();
  }

  for (const figure of document.querySelectorAll("figure:has(.drawing)")) {
    const off = new Set();
    for (const svg of figure.querySelectorAll(".drawing > svg")) {
      set(svg, { tabindex: 0, role: "group", "aria-label": "Figure; the arrow keys go through its points" });
      for (const each of ["pointermove", "pointerdown"]) svg.addEventListener(each, (e) => hover(svg, e));
      for (const each of ["pointerleave", "blur"]) svg.addEventListener(each, hide);
      svg.addEventListener("keydown", (e) => step(svg, e));
    }
    for (const title of figure.querySelectorAll("[data-series] > title")) { // shown by the tip
      title.parentNode.setAttribute("aria-label", title.textContent);
      title.remove();
    }
    for (const each of figure.querySelectorAll("[data-key]")) {
      const key = read(each, "key");
      set(each, { role: "button", "aria-pressed": true, tabindex: each.querySelector("text") ? 0 : -1 });
      each.addEventListener("click", () => toggle(figure, key, off));
      each.addEventListener("keydown", (e) => {
        if (e.key === "Enter" || e.key === " ") { e.preventDefault(); toggle(figure, key, off); }
      });
    }
  }
})();
