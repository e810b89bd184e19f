"use strict";
// Draws a chart into a box as wide as the box; charts come from the page's data.

const DATA = JSON.parse(document.getElementById("data").textContent);
const SHAPES = {
  circle: "M5 0A5 5 0 1 1 -5 0A5 5 0 1 1 5 0Z",
  square: "M-4.5 -4.5H4.5V4.5H-4.5Z",
  triangle: "M0 -5.6L5.4 4.2H-5.4Z",
  diamond: "M0 -6L6 0L0 6L-6 0Z",
  cross: "M-5 -2.5L-2.5 -5L0 -2.5L2.5 -5L5 -2.5L2.5 0L5 2.5L2.5 5L0 2.5L-2.5 5L-5 2.5L-2.5 0Z",
  plus: "M-2 -5.5H2V-2H5.5V2H2V5.5H-2V2H-5.5V-2H-2Z",
};
const DASHES = { solid: "none", dashed: "8 4", dotted: "2 4", dashdot: "9 4 2 4" };
const MANY = 24; // marks along a line: beyond, only some are drawn
const DRAWN = 8;

function svg(name, attributes, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.append(made);
  return made;
}

function write(parent, text, x, y, anchor, kind = "") {
  svg("text", { x, y, "text-anchor": anchor, class: kind }, parent).textContent = text;
}

function draw(box, chart) {
  box.replaceChildren();
  const marks = chart.series.flatMap((series) => series.marks);
  if (!marks.length) {
    const said = document.createElement("p");
    said.className = "empty";
    said.textContent = chart.empty;
    box.append(said);
    return;
  }
  const width = Math.max(260, Math.round(box.clientWidth || 640));
  const height = Math.round(Math.min(380, Math.max(250, width * (box.classList.contains("wide") ? 0.42 : 0.66))));
  const image = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "group", tabindex: 0 });
  image.setAttribute("aria-label", `Chart: ${chart.title}. Arrow keys move from mark to mark.`);
  const frame = axes(image, chart, marks, width, height);
  chart.series.forEach((series, order) => drawSeries(image, series, order, frame));
  labels(image, chart, frame);
  box.append(image);
  if (chart.legend !== false) box.append(legend(chart));
  makePointable(image, chart, frame);
}

function axes(image, chart, marks, width, height) {
  const ends = marks.flatMap((mark) => [mark.y - (mark.spread ?? 0), mark.y + (mark.spread ?? 0)]);
  if (chart.level) ends.push(chart.level[0]);
  const top = 26, bottom = height - 44, right = width - 16;
  const y = scale(chart.y, ends, bottom, top);
  const left = 14 + 7.5 * Math.max(...y.ticks.map((tick) => y.label(tick).length));
  const x = scale(chart.x, marks.map((mark) => mark.x), left, right);
  for (const tick of y.ticks) {
    svg("line", { class: "grid", x1: left, x2: right, y1: y.place(tick), y2: y.place(tick) }, image);
    write(image, y.label(tick), left - 7, y.place(tick) + 4, "end");
  }
  let free = -Infinity; // names of ticks don't touch
  for (const tick of x.ticks) {
    const text = x.label(tick), half = 4 * text.length;
    if (chart.x.scale !== "names") svg("line", { class: "grid", x1: x.place(tick), x2: x.place(tick), y1: top, y2: bottom }, image);
    if (x.place(tick) - half < free) continue;
    write(image, text, Math.min(x.place(tick), width - half - 2), bottom + 18, "middle");
    free = x.place(tick) + half + 6;
  }
  write(image, chart.y.label, 2, 13, "start");
  write(image, chart.x.label, right, height - 6, "end");
  if (chart.level) {
    const at = y.place(chart.level[0]);
    svg("line", { class: "level", x1: left, x2: right, y1: at, y2: at }, image);
  }
  return { x, y, left, right, top, bottom };
}

function drawSeries(image, series, order, frame) {
  const group = svg("g", { class: `c${series.colour}` }, image);
  const at = series.marks.map((mark) => [frame.x.place(mark.x), frame.y.place(mark.y)]);
  if (series.dash && at.length) {
    const step = series.stairs ? (to) => `H${to[0]}V${to[1]}` : (to) => `L${to}`;
    const path = `M${at[0]}` + at.slice(1).map(step).join("") + (series.stairs ? `H${frame.right}` : "");
    svg("path", { class: series.shape ? "line" : "line front", d: path, "stroke-dasharray": DASHES[series.dash] }, group);
  }
  if (!series.shape) return;
  const every = series.dash && at.length > MANY ? Math.ceil(at.length / DRAWN) : 1;
  series.marks.forEach((mark, index) => {
    if (index % every !== order % every) return;
    const [x, y] = at[index];
    if (mark.spread) {
      const [low, high] = [mark.y - mark.spread, mark.y + mark.spread].map((end) => Math.min(frame.bottom, Math.max(frame.top, frame.y.place(end))));
      svg("path", { class: "whisker", fill: "none", d: `M${x} ${low}V${high}M${x - 5} ${low}H${x + 5}M${x - 5} ${high}H${x + 5}` }, group);
    }
    const drawn = svg("g", { class: mark.hollow ? "mark hollow" : "mark", transform: `translate(${x} ${y})` }, group);
    drawn.dataset.title = mark.title;
    svg("path", { d: SHAPES[series.shape] }, drawn);
  });
}

// Names beside marks, where they cover neither a mark nor one another.
function labels(image, chart, frame) {
  const seen = chart.series.filter((series) => series.shape).flatMap((series) => series.marks);
  const taken = seen.map((mark) => {
    const [x, y] = [frame.x.place(mark.x), frame.y.place(mark.y)];
    return [x - 7, y - 7, x + 7, y + 7];
  });
  for (const mark of seen.filter((one) => one.label)) {
    const [x, y] = [frame.x.place(mark.x), frame.y.place(mark.y)], long = 6.6 * mark.label.length;
    const places = [[10, 4, 0], [-10, 4, 1], [0, -12, 0.5], [0, 20, 0.5], [8, -10, 0], [8, 18, 0], [-8, -10, 1], [-8, 18, 1]];
    for (const [dx, dy, share] of places) {
      const left = x + dx - share * long, area = [left, y + dy - 12, left + long, y + dy + 3];
      const inside = area[0] >= frame.left && area[2] <= frame.right + 12 && area[1] >= frame.top - 10 && area[3] <= frame.bottom;
      if (!inside || taken.some((other) => area[0] < other[2] && area[2] > other[0] && area[1] < other[3] && area[3] > other[1])) continue;
      write(image, mark.label, x + dx, y + dy, ["start", "middle", "end"][share * 2], "tag");
      taken.push(area);
      break;
    }
  }
}

function swatch(look) {
  const drawn = svg("svg", { width: 30, height: 14, viewBox: "-15 -7 30 14", class: `${look.colour === null ? "dim" : `c${look.colour}`}${look.hollow ? " hollow" : ""}`, "aria-hidden": "true" });
  if (look.dash) svg("line", { x1: -15, x2: 15, y1: 0, y2: 0, "stroke-dasharray": DASHES[look.dash] }, drawn);
  if (look.shape) svg("path", { d: SHAPES[look.shape], transform: "scale(.9)" }, drawn);
  return drawn;
}

function legend(chart) {
  const list = document.createElement("ul");
  list.className = "legend";
  const looks = chart.series.map((series) => ({ ...series, hollow: series.marks.length > 0 && series.marks.every((mark) => mark.hollow) }));
  if (chart.level) looks.push({ name: chart.level[1], colour: null, dash: "dashed" });
  if (chart.series.some((series) => series.shape && series.marks.some((mark) => mark.hollow))) looks.push({ name: "hollow: simulated", colour: null, shape: "circle", hollow: true });
  for (const look of looks) {
    const item = document.createElement("li");
    item.append(swatch(look), look.name);
    list.append(item);
  }
  return list;
}
