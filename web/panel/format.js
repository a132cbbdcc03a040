// Figures, times and ages as people read them. No data is "-", never 0.
import { h } from "./dom.js";

const numbers = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
export const prefs = { utc: localStorage.getItem("utc") === "yes" };

export function number(n) {
  return n === undefined || n === null || Number.isNaN(n) ? "-" : numbers.format(n).replaceAll(",", "\u202f");
}

export function share(part, whole) {
  return whole > 0 ? numbers.format((100 * part) / whole) + " %" : "-";
}

export function bytes(n) {
  if (n === undefined || n === null) return "-";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024;
  return numbers.format(n) + " " + units[i];
}

// span is a length of time, in seconds.
export function span(s) {
  if (s === undefined || s === null || Number.isNaN(s)) return "-";
  if (s < 60) return Math.round(s) + " s";
  if (s < 3600) return Math.floor(s / 60) + " min";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor((s % 3600) / 60) + " min";
  return Math.floor(s / 86400) + " d " + Math.floor((s % 86400) / 3600) + " h";
}

const two = (n) => String(n).padStart(2, "0");

function parts(d) {
  return prefs.utc
    ? [d.getUTCFullYear(), d.getUTCMonth() + 1, d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds(), d.getUTCMilliseconds()]
    : [d.getFullYear(), d.getMonth() + 1, d.getDate(), d.getHours(), d.getMinutes(), d.getSeconds(), d.getMilliseconds()];
}

export function clock(at, millis = false) {
  const [, , , hh, mm, ss, ms] = parts(new Date(at));
  return `${two(hh)}:${two(mm)}:${two(ss)}` + (millis ? "." + String(ms).padStart(3, "0") : "");
}

export function full(at) {
  if (!at) return "-";
  const [y, m, d] = parts(new Date(at));
  return `${y}-${two(m)}-${two(d)} ${clock(at)}` + (prefs.utc ? " UTC" : "");
}

// when is a time of today as clock, else with its day; the exact one on hover.
export function when(at) {
  if (!at || String(at).startsWith("0001")) return "-";
  const today = full(Date.now()).slice(0, 10) === full(at).slice(0, 10);
  return h("time", { datetime: new Date(at).toISOString(), title: full(at) }, today ? clock(at) : full(at).slice(5, 16));
}

// age is how long ago something was; the exact time on hover.
export function age(at) {
  if (!at || String(at).startsWith("0001")) return "-";
  return h("time", { datetime: new Date(at).toISOString(), title: full(at) }, span((Date.now() - new Date(at)) / 1000));
}
