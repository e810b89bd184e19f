"use strict";
// J by frame of the sequence and the points that are chosen.

const DRIFT = { box: document.getElementById("drift-chart"), shown: new Map() };

function driftChart() {
  const [set, sequence] = DRIFT.choice.value.split("/", 2).map(Number);
  const { points, sequences } = DATA.drift[set], name = Object.keys(sequences)[sequence];
  const series = points.map((point, index) => ({
    ...point,
    stairs: false,
    marks: sequences[name][index].filter((pair) => pair[1] !== null).map(([x, y]) => ({
      x, y, title: point.name, text: [`${name}, frame ${x}: J ${y.toFixed(1)}`, ...(point.hollow ? ["simulated"] : [])], recipe: "", label: "", spread: null, hollow: point.hollow,
    })),
  }));
  return {
    title: `${name}: ${DATA.drift[set].title}`,
    x: { label: "frame", scale: "linear", low: 0, whole: true },
    y: { label: "J, %", scale: "linear", most: 100 },
    series: series.filter((one, index) => DRIFT.shown.get(`${set}/${index}`) && one.marks.length),
    level: null,
    legend: false, // the points below are one
    empty: "Choose a point below.",
  };
}

function drawDrift() {
  const chart = driftChart();
  document.getElementById("drift-title").textContent = chart.title;
  draw(DRIFT.box, chart);
}

function driftPoints() {
  const set = Number(DRIFT.choice.value.split("/", 1)[0]), field = document.getElementById("drift-points");
  field.replaceChildren(field.querySelector("legend"));
  DATA.drift[set].points.forEach((point, index) => {
    const label = document.createElement("label"), box = document.createElement("input");
    label.className = `c${point.colour}`;
    box.type = "checkbox";
    box.checked = DRIFT.shown.get(`${set}/${index}`);
    box.addEventListener("change", () => {
      DRIFT.shown.set(`${set}/${index}`, box.checked);
      drawDrift();
    });
    label.append(box, swatch(point), point.hollow ? `${point.name} (simulated)` : point.name);
    field.append(label);
  });
}

if (DRIFT.box) {
  DRIFT.choice = document.getElementById("drift-sequence");
  DATA.drift.forEach((set, number) => {
    const group = document.createElement("optgroup");
    group.label = set.title;
    Object.keys(set.sequences).forEach((name, index) => group.append(new Option(name, `${number}/${index}`)));
    DRIFT.choice.append(group);
    set.points.forEach((point, index) => DRIFT.shown.set(`${number}/${index}`, point.shown));
  });
  DRIFT.choice.addEventListener("change", () => {
    driftPoints();
    drawDrift();
  });
  driftPoints();
}
