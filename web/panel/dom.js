// Elements. What comes from messages enters the page as text nodes only, and
// what a reader could not see is drawn as a mark.

const SVG = "http://www.w3.org/2000/svg";

// Control, zero-width and direction characters: they can make a text look
// like another one.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

function fill(el, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) el.addEventListener(key.slice(2), value);
    else if (key === "value" && "value" in el) el.value = value;
    else if (key === "dataset") Object.assign(el.dataset, value);
    else el.setAttribute(key, value === true ? "" : value);
  }
  add(el, children);
  return el;
}

function add(el, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    el.append(child instanceof Node ? child : String(child));
  }
}

// h makes an HTML element; a key "on..." is a listener.
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

// svg makes an SVG element.
export function svg(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

// put replaces what el holds.
export function put(el, ...children) {
  el.replaceChildren();
  add(el, children);
  return el;
}

// plain is the text of a stranger as nodes: each character that cannot be
// seen becomes a small mark that says which it is.
export function plain(text, limit = 0) {
  let s = String(text ?? "");
  let cut = false;
  if (limit && s.length > limit) {
    s = s.slice(0, limit).replace(/[\ud800-\udbff]$/, "");
    cut = true;
  }
  const out = [];
  let run = "";
  for (const c of s) {
    if (!UNSEEN.test(c)) {
      run += c;
      continue;
    }
    if (run) out.push(run);
    run = "";
    const code = "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    out.push(h("span", { class: "unseen", title: code }, c === "\n" ? "⏎" : code.slice(2)));
    if (c === "\n" && !limit) out.push("\n");
  }
  if (run) out.push(run);
  if (cut) out.push("…");
  return out;
}

// block is a text of several lines as nodes: its line ends are line ends, what
// else cannot be seen is marked.
export function block(text) {
  return String(text ?? "").split("\n").flatMap((line) => [...plain(line), "\n"]).slice(0, -1);
}

// Icons, drawn on a grid of 16.
const SHAPES = {
  overview: "M2 13V8m4 5V4m4 9V9m4 4V2",
  messages: "M2 3h12v8H7l-3 3v-3H2z",
  send: "M2 8l12-5-4 11-2.5-4.5z",
  queues: "M2 4h12M2 8h12M2 12h7",
  links: "M6.5 9.5l3-3M5 8l-2 2a2.1 2.1 0 003 3l2-2M11 8l2-2a2.1 2.1 0 00-3-3L8 5",
  routing: "M3 14V9c0-2 1-3 3-3h7M10 3l3 3-3 3M3 6V2",
  rules: "M2 4h6m3 0h3M2 8h2m3 0h7M2 12h8m3 0h1M9.500 2.500v3M5.500 6.500v3M11.500 10.500v3",
  accounts: "M8 8a3 3 0 100-6 3 3 0 000 6zm-6 6c0-3 3-4 6-4s6 1 6 4",
  numbers: "M6 2L5 14M11 2l-1 12M2.500 6H14M2 10.500h11.500",
  frontends: "M2 3h12v8H2zM5 14h6M8 11v3",
  locations: "M8 14s5-4.500 5-8A5 5 0 003 6c0 3.500 5 8 5 8zm0-6.500a1.500 1.500 0 100-3 1.500 1.500 0 000 3z",
  cdrs: "M3 2h10v12l-2-1.500L9.500 14 8 12.500 6.500 14 5 12.500 3 14zM5.500 5.500h5M5.500 8.500h5",
  webhooks: "M3 8h8M8 5l3 3-3 3M13 3v10",
  system: "M4 4h8v8H4zM6 1.500V4m4-2.500V4M6 12v2.500m4-2.500v2.500M1.500 6H4m-2.500 4H4m8-4h2.500M12 10h2.500",
  logs: "M2 3h8M2 6.300h12M2 9.600h9M2 13h11",
  config: "M5 3L1.500 8 5 13M11 3l3.500 5L11 13M9 2.500l-2 11",
  search: "M7 12A5 5 0 107 2a5 5 0 000 10zm3.600-1.400L14 14",
  menu: "M2 4h12M2 8h12M2 12h12",
  close: "M3.500 3.500l9 9m0-9l-9 9",
};

// icon is decoration: the word beside it says the same.
export function icon(name) {
  return svg("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" }, svg("path", { d: SHAPES[name] ?? SHAPES.queues }));
}
