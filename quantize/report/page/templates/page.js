"use strict";
// Charts follow the width of the page; theme, copying and printing.

function drawAll() {
  hideTip();
  for (const box of document.querySelectorAll("[data-chart]")) draw(box, DATA.charts[box.dataset.chart]);
  if (DRIFT.box) drawDrift();
}

let width = document.documentElement.clientWidth;
window.addEventListener("resize", () => {
  if (document.documentElement.clientWidth === width) return; // a phone's bars come and go
  width = document.documentElement.clientWidth;
  drawAll();
});
window.addEventListener("beforeprint", () => {
  hideTip();
  for (const part of document.querySelectorAll("#sensitivity details")) part.open = true;
});

const THEME = document.getElementById("theme");
THEME.hidden = false;
THEME.addEventListener("click", () => {
  const next = { undefined: "light", light: "dark" }[document.documentElement.dataset.theme];
  if (next) document.documentElement.dataset.theme = next;
  else delete document.documentElement.dataset.theme;
  THEME.textContent = `Theme: ${next ?? "auto"}`;
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy);
    getSelection().selectAllChildren(text);
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = document.execCommand("copy") ? "Copied" : "Selected: press Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), 3000);
  });
}

drawAll();
