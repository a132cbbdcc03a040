// Charts in SVG: a spark line for a tile, and a line chart with a cross-hair,
// a sentence that sums it up and a table behind a button. A gap stays a gap.
import { h, svg, put } from "./dom.js";
import { clock, number } from "./format.js";

// path joins the points that have a value.
function path(points, x, y) {
  let d = "";
  let pen = false;
  for (const [at, v] of points) {
    if (v === null || v === undefined || Number.isNaN(v)) { pen = false; continue; }
    d += (pen ? "L" : "M") + x(at).toFixed(1) + " " + y(v).toFixed(1) + (pen ? "" : "h.01"); // a lone point is a dot
    pen = true;
  }
  return d;
}

// spark is a line without axes; points are [time, value].
export function spark(points) {
  const values = points.map((p) => p[1]).filter((v) => v !== null && v !== undefined);
  if (values.length < 2) return svg("svg", { class: "spark", viewBox: "0 0 100 24", "aria-hidden": "true" });
  const [t0, t1] = [points[0][0], points.at(-1)[0]];
  const top = Math.max(...values, 1e-9);
  const x = (t) => 1 + (98 * (t - t0)) / Math.max(t1 - t0, 1);
  const y = (v) => 22 - (20 * v) / top;
  return svg("svg", { class: "spark", viewBox: "0 0 100 24", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("path", { d: path(points, x, y) }));
}

// nice is a round number at or above v, for the top of an axis.
function nice(v) {
  if (v <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(v));
  return [1, 2, 2.5, 5, 10].map((m) => m * unit).find((m) => m >= v * 0.999);
}

const H = 170, L = 46, R = 12, T = 8, B = 24;

// marks are the lines of an axis and what stands beside them.
function marks(top, t0, t1, x, y, W) {
  const rows = [0, 0.5, 1].map((f) => [svg("line", { x1: L, x2: W - R, y1: y(top * f), y2: y(top * f), class: "grid" }),
    svg("text", { x: L - 8, y: y(top * f) + 4, class: "axis end" }, top < 1 ? String(+(top * f).toPrecision(2)) : number(top * f))]);
  const times = [0, 0.5, 1].map((f) => svg("text", { x: L + (W - L - R) * f, y: H - 5, class: "axis " + ["", "mid", "end"][f * 2] }, clock(t0 + (t1 - t0) * f).slice(0, t1 - t0 > 7200000 ? 5 : 8)));
  return [rows, times];
}

// lines draws series [{name, points: [[time, value]]}] as one chart. Charts of
// one group, an array, share their cross-hair. help says what it counts.
export function lines(title, series, { unit = "", help, pick, group = [] } = {}) {
  const box = h("figure", { class: "chart" });
  const head = h("figcaption", {}, h("h2", { title: help }, title));
  const legend = h("div", { class: "legend" });
  const said = h("p", { class: "sr" });
  const view = h("div", { class: "plot" });
  const reading = h("output", { class: "reading" });
  const rows = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": title + " as a table" });
  const tabled = h("details", {}, h("summary", {}, "As a table"), rows);
  let latest = series;
  let width = 0;
  box.append(head, legend, said, view, h("div", { class: "chart-foot" }, reading, tabled));
  head.append(h("span", { class: "unit" }, unit.trim()));
  group.push(box);
  tabled.addEventListener("toggle", () => box.update(latest));
  box.update = (all) => {
    latest = all;
    put(legend, all.map((s, i) => h("span", { class: "key s" + i }, h("i", { "aria-hidden": "true" }), s.name)));
    said.textContent = help ? help + ". " + summary(all, unit) : summary(all, unit);
    if (tabled.open) put(rows, sheet(all, unit));
    plot(box, view, reading, all, { title, unit, pick, group, W: width || 400 });
  };
  new ResizeObserver(() => {
    const now = Math.round(view.clientWidth);
    if (now && now !== width) { width = now; box.update(latest); }
  }).observe(view);
  box.update(series);
  return box;
}

function plot(box, view, reading, all, { title, unit, pick, group, W }) {
  const points = all.flatMap((s) => s.points);
  const known = points.filter((p) => p[1] !== null && p[1] !== undefined && !Number.isNaN(p[1]));
  if (known.length < 2) return put(view, h("p", { class: "no-data" }, "No figures yet: the line begins with the second one."));
  let [t0, t1, top] = [Infinity, -Infinity, 0];
  for (const [t] of points) { if (t < t0) t0 = t; if (t > t1) t1 = t; }
  for (const [, v] of known) if (v > top) top = v;
  top = nice(top);
  const x = (t) => L + ((W - L - R) * (t - t0)) / Math.max(t1 - t0, 1);
  const y = (v) => H - B - ((H - T - B) * v) / top;
  const cross = svg("g", { class: "cross", visibility: "hidden" }, svg("line", { y1: T, y2: H - B }));
  const picture = svg("svg", { viewBox: `0 0 ${W} ${H}`, height: H, role: "img", "aria-label": title + ". " + summary(all, unit), class: pick ? "picks" : null },
    marks(top, t0, t1, x, y, W), all.map((s, i) => [i === 0 && all.length < 3 && svg("path", { d: area(s.points, x, y), class: "shade" }), svg("path", { d: path(s.points, x, y), class: "line s" + i })]), cross);
  box.point = (t) => {
    box.at = t;
    if (t === null) { cross.setAttribute("visibility", "hidden"); reading.textContent = ""; return; }
    const near = all[0].points.reduce((a, b) => (Math.abs(b[0] - t) < Math.abs(a[0] - t) ? b : a));
    cross.setAttribute("visibility", "visible");
    cross.firstChild.setAttribute("x1", x(near[0]));
    cross.firstChild.setAttribute("x2", x(near[0]));
    reading.textContent = clock(near[0]) + "  " + all.map((s) => s.name + " " + number(s.points.find((p) => p[0] === near[0])?.[1])).join(", ");
    cross.dataset.at = near[0];
  };
  picture.addEventListener("pointermove", (e) => {
    const r = picture.getBoundingClientRect();
    const t = t0 + ((((e.clientX - r.left) / r.width) * W - L) / (W - L - R)) * (t1 - t0);
    for (const c of group) c.point?.(t);
  });
  picture.addEventListener("pointerleave", () => { for (const c of group) c.point?.(null); });
  if (pick) picture.addEventListener("click", () => cross.dataset.at && pick(Number(cross.dataset.at)));
  put(view, picture);
  if (box.at) box.point(box.at);
}

// area closes each unbroken piece of a line down to the axis.
function area(points, x, y) {
  let d = "";
  let piece = [];
  const close = () => {
    if (piece.length > 1) d += path(piece, x, y) + `L${x(piece.at(-1)[0]).toFixed(1)} ${y(0)}L${x(piece[0][0]).toFixed(1)} ${y(0)}Z`;
    piece = [];
  };
  for (const p of points) p[1] === null || p[1] === undefined ? close() : piece.push(p);
  close();
  return d;
}

function summary(all, unit) {
  return all.map((s) => {
    const values = s.points.map((p) => p[1]).filter((v) => v !== null && v !== undefined);
    if (!values.length) return `${s.name}: no figures`;
    return `${s.name}: now ${number(values.at(-1))}${unit}, highest ${number(Math.max(...values))}${unit}`;
  }).join("; ");
}

function sheet(all, unit) {
  const rows = all[0].points.slice(-30).reverse();
  return h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "time"), all.map((s) => h("th", { scope: "col", class: "num" }, s.name + unit)))),
    h("tbody", {}, rows.map(([t]) => h("tr", {}, h("td", {}, clock(t)), all.map((s) => h("td", { class: "num" }, number(s.points.find((p) => p[0] === t)?.[1])))))));
}

// bars draws names with a length each.
export function bars(rows) {
  const top = Math.max(...rows.map((r) => r[1]), 1);
  return h("ul", { class: "bars" }, rows.map(([name, n, link]) => h("li", {}, link ? h("a", { href: link }, name) : h("span", {}, name), meter(n, top, false), h("b", {}, number(n)))));
}

// meter is a bar of used out of size; limit: a full one is a warning.
export function meter(used, size, limit = true) {
  const el = svg("svg", { class: "meter", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("rect", { class: "back", width: 100, height: 8, rx: 2 }),
    svg("rect", { class: limit && used >= size && size > 0 ? "full" : "used", width: size > 0 ? Math.min(100, (100 * used) / size) : 0, height: 8, rx: 2 }));
  return el;
}
