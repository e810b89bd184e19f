"use strict";
// Values to pixels, and where an axis has its ticks.

function scale(axis, values, from, to) {
  const [low, high] = domain(axis, values);
  const log = axis.scale === "log";
  const at = (value) => (log ? Math.log(value) : value);
  const span = at(high) - at(low) || 1;
  const place = (value) => from + ((at(value) - at(low)) / span) * (to - from);
  const names = axis.scale === "names";
  const ticks = names ? axis.names.map((_, index) => index) : log ? logTicks(low, high) : linearTicks(low, high, Math.abs(to - from), axis.whole ? 1 : 0);
  const label = (tick) => (names ? axis.names[tick] : tickLabel(tick, ticks, log));
  return { place, ticks, label, low, high };
}

function domain(axis, values) {
  if (axis.scale === "names") return [-0.5, axis.names.length - 0.5];
  const low = Math.min(...values), high = Math.max(...values);
  if (axis.scale === "log") return low === high ? [low / 2, high * 2] : [low / Math.pow(high / low, 0.03), high * Math.pow(high / low, 0.02)];
  const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  return [axis.low ?? low - room, axis.high ?? Math.min(high + room, axis.most ?? Infinity)];
}

function linearTicks(low, high, pixels, least) {
  const rough = Math.max(least, (high - low) / Math.max(2, pixels / 48));
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const ticks = [];
  for (let tick = Math.ceil(low / step - 1e-9); tick * step <= high + step * 1e-9; tick += 1) ticks.push(tick * step);
  return ticks;
}

function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const factors = decades < 2.5 ? [1, 2, 5] : [1];
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    for (const factor of factors) {
      const tick = factor * Math.pow(10, power);
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
}

function tickLabel(tick, ticks, log) {
  if (log) return tick >= 0.001 ? String(Number(tick.toPrecision(3))) : tick.toExponential(0).replace("-", "−");
  const step = ticks.length > 1 ? ticks[1] - ticks[0] : 1;
  const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  return tick.toFixed(digits).replace("-", "−");
}
