// Two texts side by side, line by line: what was taken away, what came in.
import { h, plain } from "./dom.js";

// Beyond so many comparisons the middle is shown as replaced as a whole.
const EFFORT = 4e6;

// diff is the shortest list of [sign, line]; the sign is "-", "+" or " ".
export function diff(a, b) {
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from++;
  let [ea, eb] = [a.length, b.length];
  while (ea > from && eb > from && a[ea - 1] === b[eb - 1]) { ea--; eb--; }
  const same = (l) => [" ", l];
  return [...a.slice(0, from).map(same), ...middle(a.slice(from, ea), b.slice(from, eb)), ...a.slice(ea).map(same)];
}

// middle walks the table of longest common runs.
function middle(a, b) {
  if (a.length * b.length > EFFORT) return [...a.map((l) => ["-", l]), ...b.map((l) => ["+", l])];
  const w = b.length + 1;
  const run = new Uint32Array((a.length + 1) * w);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) run[i * w + j] = a[i] === b[j] ? run[(i + 1) * w + j + 1] + 1 : Math.max(run[(i + 1) * w + j], run[i * w + j + 1]);
  }
  const out = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { out.push([" ", a[i]]); i++; j++; }
    else if (j >= b.length || (i < a.length && run[(i + 1) * w + j] >= run[i * w + j + 1])) out.push(["-", a[i++]]);
    else out.push(["+", b[j++]]);
  }
  return out;
}

const NAMES = { "-": "removed: ", "+": "added: " };

// changes draws what differs between two texts, with a few lines around it.
export function changes(before, after, around = 3) {
  const all = diff(before.split("\n"), after.split("\n"));
  const near = all.map(() => false);
  all.forEach(([sign], i) => { if (sign !== " ") near.fill(true, Math.max(0, i - around), i + around + 1); });
  if (!near.includes(true)) return h("p", { class: "small" }, "Nothing differs.");
  const el = h("pre", { class: "diff", tabindex: "0", role: "region", "aria-label": "What differs" });
  all.forEach(([sign, text], i) => {
    if (near[i]) el.append(h("span", { class: sign === "+" ? "added" : sign === "-" ? "removed" : "kept" }, h("i", { "aria-hidden": "true" }, sign + " "), NAMES[sign] && h("span", { class: "sr" }, NAMES[sign]), plain(text), "\n"));
    else if (i === 0 || near[i - 1]) el.append(h("span", { class: "kept" }, "  …\n"));
  });
  return el;
}
