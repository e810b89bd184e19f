"use strict";
// The page of `edge-ttvos live`. Pictures come over one WebSocket, the next one when the last is
// shown; commands go by POST. Coordinates are pixels of the camera's frame, whatever is shown.

const $ = (id) => document.getElementById(id);
const view = $("view"), sketch = $("sketch"), brush = sketch.getContext("2d");
const LENGTH_BYTES = 4, RETRY_MS = 1000, MESSAGE_MS = 7000;

let me = "";                 // what the server calls this viewer
let status = null;           // the last message's JSON
const rows = new Map();      // object id → its row
const lostSince = new Map(); // object id → when it was first seen to be lost
const pointing = { on: false, known: false, object: null, box: null, painted: false, from: null };

// --- connection -------------------------------------------------------------------------------

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/live`);
  socket.binaryType = "arraybuffer";
  socket.onmessage = async (event) => {
    if (typeof event.data === "string") {
      me = JSON.parse(event.data).you;
      return;
    }
    try {
      await show(event.data);
    } finally {
      if (socket.readyState === WebSocket.OPEN) socket.send("next");
    }
  };
  socket.onclose = () => {
    me = "";
    if (pointing.on) leavePointing();
    $("camera").textContent = "no connection";
    $("camera").className = "pill bad";
    const useless = document.querySelectorAll("#point, #pause, #record, #list button");
    for (const button of useless) button.disabled = true;
    setTimeout(connect, RETRY_MS);
  };
}

async function ask(command, body) {
  const answer = await fetch(`do/${command}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.error);
  return said;
}

function attempt(work) {
  return async (event) => {
    event?.preventDefault();
    try {
      await work(event);
    } catch (error) {
      complain(error.message);
    }
  };
}

function complain(text) {
  $("message").textContent = text;
  $("message").hidden = false;
  clearTimeout(complain.timer);
  complain.timer = setTimeout(() => { $("message").hidden = true; }, MESSAGE_MS);
}

// --- what is shown ----------------------------------------------------------------------------

async function show(message) {
  const length = new DataView(message).getUint32(0, true);
  const text = new Uint8Array(message, LENGTH_BYTES, length);
  status = JSON.parse(new TextDecoder().decode(text));
  const jpeg = new Uint8Array(message, LENGTH_BYTES + length);
  if (jpeg.length && !pointing.on) paint(await createImageBitmap(new Blob([jpeg], { type: "image/jpeg" })));
  checkPointing();
  showState();
  showObjects();
  showRecording();
  showFigures();
}

function paint(picture) {
  if (pointing.on && !picture.still) return;
  if (view.width !== picture.width || view.height !== picture.height) {
    [view.width, view.height] = [picture.width, picture.height];
  }
  view.getContext("2d").drawImage(picture, 0, 0);
  picture.close?.();
}

function showState() {
  const { camera, picture, paused } = status;
  $("source").textContent = status.source;
  $("camera").textContent = camera.state;
  $("camera").className = `pill ${camera.state === "live" ? "good" : camera.state === "opening" ? "" : "bad"}`;
  $("point").disabled = !picture || pointing.on;
  $("pause").disabled = $("record").disabled = !picture;
  for (const button of $("list").querySelectorAll("button")) button.disabled = false;
  $("pause").textContent = paused ? "Go on" : "Pause";
  $("pause").setAttribute("aria-pressed", paused);
  const [text, bad] = headline();
  $("banner").textContent = text;
  $("banner").hidden = !text;
  $("banner").className = bad ? "bad" : "";
}

function headline() {
  const { camera, picture, paused, pointing: who } = status;
  if (pointing.on) return ["", false]; // the form says so, and nothing should cover the picture
  if (camera.state === "ended") return ["The recording has ended.", false];
  if (camera.state !== "live" && camera.why) return [`Camera: ${camera.why}`, true];
  if (!picture) return ["Waiting for the camera.", false];
  if (paused) return ["Paused", false];
  if (who) return ["Somebody is pointing at an object.", false];
  const lost = picture.objects.filter((seen) => seen.state === "lost").map((seen) => seen.name);
  if (lost.length) return [`LOST: ${lost.join(", ")}`, true];
  return picture.late ? ["Catching up", false] : ["", false];
}

function showObjects() {
  const objects = status.picture ? status.picture.objects : [];
  for (const [id, row] of rows) {
    if (!objects.some((seen) => seen.id === id)) {
      row.remove();
      rows.delete(id);
      lostSince.delete(id);
    }
  }
  for (const seen of objects) showObject(seen, rows.get(seen.id) ?? newRow(seen));
  $("none").hidden = objects.length > 0;
}

function showObject(seen, row) {
  const lost = seen.state === "lost";
  if (!lost) lostSince.delete(seen.id);
  else if (!lostSince.has(seen.id)) lostSince.set(seen.id, performance.now());
  row.classList.toggle("lost", lost);
  const seconds = lost ? Math.round((performance.now() - lostSince.get(seen.id)) / 1000) : 0;
  row.querySelector(".state").textContent = lost ? `LOST ${seconds} s` : `${Math.round(100 * seen.score)} %`;
  for (const [part, value] of [[".called", seen.name], [".colour", seen.colour]]) {
    const input = row.querySelector(part);
    if (document.activeElement !== input && !input.dataset.changed) input.value = value;
  }
}

function newRow(seen) {
  const row = $("row").content.firstElementChild.cloneNode(true);
  const called = row.querySelector(".called"), colour = row.querySelector(".colour");
  const rename = attempt(async (event) => {
    event.target.dataset.changed = "yes"; // until the server's answer shows it
    try {
      await ask("name", { object: seen.id, name: called.value || seen.name, colour: colour.value });
    } finally {
      setTimeout(() => delete event.target.dataset.changed, 500);
    }
  });
  called.onchange = colour.onchange = rename;
  row.querySelector(".again").onclick = attempt(() => startPointing(seen.id, called.value));
  row.querySelector(".state").title = "Mean probability of its pixels";
  row.querySelector(".drop").onclick = attempt(() => ask("drop", { object: seen.id }));
  $("list").append(row);
  rows.set(seen.id, row);
  return row;
}

function showRecording() {
  const tape = status.recording;
  $("recording").hidden = !tape;
  $("record").textContent = tape?.running ? "Stop" : "Record";
  $("record").setAttribute("aria-pressed", Boolean(tape?.running));
  if (!tape) return;
  const skipped = tape.skipped ? `, ${tape.skipped} left out` : "";
  $("tape").textContent = tape.error || `${clock(tape.seconds)}, ${tape.frames} frames${skipped}`;
}

function showFigures() {
  const { fps, latency_ms: ms, frames, condition } = status;
  $("fps").textContent = fps?.toFixed(1) ?? "–";
  $("latency").textContent = ms.p50 === null ? "–" : [ms.p50, ms.p95, ms.p99].map(Math.round).join(" · ");
  $("received").textContent = frames.received;
  $("processed").textContent = frames.processed;
  $("dropped").textContent = frames.dropped;
  $("waiting").textContent = frames.in_flight;
  $("temperature").textContent = condition.temperature_c === null ? "unknown" : `${condition.temperature_c} °C`;
  $("throttle").textContent = condition.throttle === null ? "unknown" : condition.throttle.now.join(", ") || "nothing";
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}

// --- pointing ---------------------------------------------------------------------------------

async function startPointing(object, name) {
  const { size: [height, width] } = await ask("freeze", { who: me });
  const still = await (await fetch("still.jpg")).blob();
  const picture = await createImageBitmap(still);
  Object.assign(pointing, { on: true, known: false, object, box: null, painted: false, from: null });
  [sketch.width, sketch.height] = [width, height];
  picture.still = true;
  paint(picture);
  $("name").value = name;
  $("hint").textContent = object === null
    ? "The picture stands still. Drag a box around the object, or paint it."
    : `The picture stands still. Drag a box around ${name}, or paint it.`;
  setPointing(true);
  sketched();
}

function leavePointing() {
  pointing.on = false;
  setPointing(false);
}

function checkPointing() {
  if (!pointing.on) return;
  if (status.pointing === me) {
    pointing.known = true;
  } else if (pointing.known) {
    leavePointing();
    complain("That took too long: the picture goes on. Point again.");
  }
}

function setPointing(on) {
  sketch.hidden = $("pointing").hidden = !on;
  $("controls").hidden = on;
  $("stage").classList.toggle("frozen", on);
  if (status) showState();
}

function tool() {
  return document.querySelector("[name=tool]:checked").value;
}

function place(event) {
  const shown = sketch.getBoundingClientRect();
  const scale = Math.min(shown.width / sketch.width, shown.height / sketch.height);
  const left = shown.left + (shown.width - scale * sketch.width) / 2;
  const top = shown.top + (shown.height - scale * sketch.height) / 2;
  const within = (value, most) => Math.max(0, Math.min(most, value));
  return [
    within((event.clientX - left) / scale, sketch.width), within((event.clientY - top) / scale, sketch.height), scale,
  ];
}

function begin(event) {
  event.preventDefault();
  sketch.setPointerCapture(event.pointerId);
  const [x, y] = place(event);
  pointing.from = [x, y];
  if (tool() === "box") {
    pointing.painted = false;
    pointing.box = null;
  } else {
    if (pointing.box) brush.clearRect(0, 0, sketch.width, sketch.height);
    pointing.box = null;
  }
  move(event);
}

function move(event) {
  if (!pointing.from) return;
  const [x, y, scale] = place(event);
  if (tool() === "box") drawBox(x, y, scale);
  else stroke(x, y, scale);
  sketched();
}

function drawBox(x, y, scale) {
  const [left, top] = [Math.min(x, pointing.from[0]), Math.min(y, pointing.from[1])];
  const [width, height] = [Math.abs(x - pointing.from[0]), Math.abs(y - pointing.from[1])];
  pointing.box = [left, top, width, height];
  brush.globalCompositeOperation = "source-over";
  brush.clearRect(0, 0, sketch.width, sketch.height);
  brush.fillStyle = "rgb(79 156 247 / 25%)";
  brush.fillRect(left, top, width, height);
  brush.strokeStyle = "#4f9cf7";
  brush.lineWidth = 2 / scale;
  brush.strokeRect(left, top, width, height);
}

function stroke(x, y, scale) {
  brush.globalCompositeOperation = tool() === "paint" ? "source-over" : "destination-out";
  brush.strokeStyle = "#4f9cf7";
  brush.lineWidth = $("width").value / scale;
  brush.lineCap = "round";
  brush.beginPath();
  brush.moveTo(...pointing.from);
  brush.lineTo(x, y);
  brush.stroke();
  pointing.from = [x, y];
  pointing.painted = true;
}

function sketched() {
  const box = pointing.box;
  $("follow").disabled = !(pointing.painted || (box && box[2] >= 2 && box[3] >= 2));
}

async function follow() {
  const what = pointing.painted ? { mask: sketch.toDataURL("image/png") } : { box: pointing.box };
  const object = pointing.object === null ? {} : { object: pointing.object };
  pointing.known = false; // from here on the server ends it
  await ask("point", { who: me, name: $("name").value, ...object, ...what });
  leavePointing();
}

function toolChanged() {
  $("brush").hidden = tool() === "box";
  sketch.classList.toggle("painting", tool() !== "box");
}

// --- wiring -----------------------------------------------------------------------------------

$("point").onclick = attempt(() => startPointing(null, ""));
$("pointing").onsubmit = attempt(follow);
$("cancel").onclick = attempt(async () => {
  leavePointing();
  await ask("thaw", { who: me });
});
$("pause").onclick = attempt(() => ask("pause", { on: !status.paused }));
$("record").onclick = attempt(() => ask("record", { on: !status.recording?.running }));
for (const radio of document.querySelectorAll("[name=tool]")) radio.onchange = toolChanged;
sketch.onpointerdown = begin;
sketch.onpointermove = move;
sketch.onpointerup = sketch.onpointercancel = () => { pointing.from = null; };
connect();
