"use strict";
// What a mark says when one hovers over it, taps it, or moves to it with the arrow keys.

const TIP = document.getElementById("tip");
const REACH = 34; // pixels of the chart
let owner = null; // the chart whose mark is told

function makePointable(image, chart, frame) {
  const rows = chart.series
    .filter((series) => series.shape)
    .map((series) => series.marks.map((mark) => ({ mark, x: frame.x.place(mark.x), y: frame.y.place(mark.y) })).sort((a, b) => a.x - b.x))
    .filter((row) => row.length);
  const all = rows.flat();
  const ring = svg("circle", { class: "ring", r: 9, visibility: "hidden" }, image);
  let row = 0, column = 0;

  const tell = (one, pinned) => {
    ring.setAttribute("cx", one.x);
    ring.setAttribute("cy", one.y);
    ring.setAttribute("visibility", "visible");
    if (owner && owner !== ring) owner.setAttribute("visibility", "hidden");
    owner = ring;
    const area = image.getBoundingClientRect(), zoom = area.width / image.viewBox.baseVal.width;
    showTip(one.mark, area.left + one.x * zoom, area.top + one.y * zoom, pinned);
  };
  const nearest = (event) => {
    const area = image.getBoundingClientRect(), zoom = area.width / image.viewBox.baseVal.width;
    const x = (event.clientX - area.left) / zoom, y = (event.clientY - area.top) / zoom;
    const away = (one) => Math.hypot(one.x - x, one.y - y);
    const best = all.reduce((found, one) => (away(one) < away(found) ? one : found));
    return away(best) <= REACH ? best : null;
  };
  image.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || TIP.classList.contains("pinned")) return;
    const one = nearest(event);
    if (one) tell(one, false);
    else hideTip();
  });
  image.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse" && !TIP.classList.contains("pinned")) hideTip();
  });
  image.addEventListener("click", (event) => {
    const one = nearest(event);
    if (one) tell(one, true);
    else hideTip();
    event.stopPropagation();
  });
  image.addEventListener("focus", () => {
    if (image.matches(":focus-visible")) tell(rows[row][column], false);
  });
  image.addEventListener("blur", hideTip);
  image.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (!(event.key in steps)) return;
    event.preventDefault();
    const [down, along] = steps[event.key], x = rows[row][column].x;
    row = (row + down + rows.length) % rows.length;
    if (down) column = rows[row].reduce((best, one, index) => (Math.abs(one.x - x) < Math.abs(rows[row][best].x - x) ? index : best), 0);
    else column = (column + along + rows[row].length) % rows[row].length;
    tell(rows[row][column], false);
  });
}

function showTip(mark, x, y, pinned) {
  TIP.replaceChildren();
  const title = document.createElement("b");
  title.textContent = mark.title;
  TIP.append(title);
  for (const line of mark.text) {
    const said = document.createElement("p");
    said.textContent = line;
    TIP.append(said);
  }
  if (mark.recipe) {
    const recipe = document.createElement("pre");
    recipe.textContent = mark.recipe;
    TIP.append(recipe);
  }
  TIP.classList.toggle("pinned", pinned);
  TIP.hidden = false;
  TIP.style.left = TIP.style.top = "0";
  const wide = document.documentElement.clientWidth, { width, height } = TIP.getBoundingClientRect();
  const left = x + 16 + width < wide - 8 ? x + 16 : Math.max(8, Math.min(wide - width - 8, x - width - 16));
  const above = y - height - 16 > 8;
  const beside = Math.abs(left + width / 2 - x) >= width / 2 + 8;
  const top = beside ? Math.max(8, Math.min(window.innerHeight - height - 8, y - height / 2)) : above ? y - height - 16 : y + 18;
  TIP.style.left = `${left + window.scrollX}px`;
  TIP.style.top = `${top + window.scrollY}px`;
}

function hideTip() {
  TIP.hidden = true;
  TIP.classList.remove("pinned");
  if (owner) owner.setAttribute("visibility", "hidden");
  owner = null;
}

TIP.addEventListener("click", (event) => event.stopPropagation());
document.addEventListener("click", hideTip);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideTip();
});
