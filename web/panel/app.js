// The shell: who is here, which page the address names, the keys. Every
// filter and every open thing stands in the address, so that a link shows a
// colleague the same.
import { h, put, icon } from "./dom.js";
import * as words from "./words.js";
import { ask, key, learn, isOperator, may, offers, session } from "./api.js";
import { prefs, clock } from "./format.js";
import { live, onLive, open as openStream, close as closeStream } from "./live.js";
import { trouble, skeleton, dialog, empty } from "./ui.js";

// Each page: its address, what the server must offer for it, who may see it.
const PAGES = [
  ["overview", "/", [["GET", "/api/links"]]],
  ["messages", "/messages", [["GET", "/api/messages"]]],
  ["send", "/send", [["POST", "/api/messages"]], () => may("send")],
  ["queues", "/queues", [["GET", "/api/queues"]]],
  ["links", "/links", [["GET", "/api/links"]]],
  ["routing", "/routing", [["GET", "/api/routes"]]],
  ["rules", "/rules", [["GET", "/api/rules"]]],
  ["accounts", "/accounts", [["GET", "/api/accounts"]]],
  ["numbers", "/numbers", [["GET", "/api/numbers"]]],
  ["frontends", "/frontends", [["GET", "/api/frontends"]]],
  ["locations", "/locations", [["GET", "/api/locations"]]],
  ["cdrs", "/cdrs", [["GET", "/api/cdrs"]]],
  ["webhooks", "/webhooks", [["GET", "/api/webhooks/deliveries"]]],
  ["system", "/system", [["GET", "/api/system"]], isOperator],
  ["logs", "/logs", [["GET", "/api/logs"]], isOperator],
  ["config", "/config", [["GET", "/api/provision"]], isOperator],
];

// Addresses of the panel this one replaces.
const OLD = { "/message_queue": "/messages", "/frontend_status": "/frontends", "/routes": "/routing", "/provision": "/config" };

const app = document.getElementById("app");
let current = null; // what ends when the page changes
let main, side, liveMark, banner;

const seen = ([, , needs, who]) => needs.every(([m, p]) => offers(m, p)) && (!who || who());

// --- theme and preferences ---

function theme(word) {
  if (word === "system") localStorage.removeItem("theme");
  else localStorage.setItem("theme", word);
  document.documentElement.dataset.theme = word === "system" ? "" : word;
}
theme(localStorage.getItem("theme") ?? "system");

function nextTheme() {
  const order = ["system", "light", "dark"];
  const next = order[(order.indexOf(localStorage.getItem("theme") ?? "system") + 1) % 3];
  theme(next);
  const el = document.getElementById("theme");
  if (el) el.textContent = "Theme: " + next;
}

// --- sign-in ---

function signIn(reason, over = false) {
  const input = h("input", { id: "key", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "key-help key-error" });
  const error = h("p", { class: "fault", id: "key-error", role: "alert" }, reason ?? "");
  const submit = h("button", { class: "button primary", type: "submit" }, "Sign in");
  const form = h("form", { class: "sign-in", novalidate: true, onsubmit: async (e) => {
    e.preventDefault();
    const k = input.value.trim();
    if (!k) { error.textContent = "Type a key first."; return input.focus(); }
    submit.disabled = true;
    try {
      const { data } = await ask("GET", "/api/me", { as: k });
      key.set(k);
      session.me = data;
      if (!over) return start();
      form.closest("dialog").close();
      if (!document.querySelector("dialog")) navigate(); // what is being typed stays
      openStream();
    } catch (p) {
      error.textContent = p.status === 401 ? "This server does not know that key." : p.message;
      input.setAttribute("aria-invalid", "true");
      input.focus();
    } finally {
      submit.disabled = false;
    }
  } },
  h("label", { for: "key" }, "Key"), input,
  h("p", { class: "help", id: "key-help" }, "The operator key, an API key, or account:token. It stays in this tab and is forgotten when the tab closes."), error, submit);
  if (over) {
    if (document.querySelector("dialog .sign-in")) return;
    dialog("Sign in again", () => form);
  } else {
    put(app, h("main", { class: "gate" }, h("div", { class: "gate-card" }, h("img", { src: "/assets/icon.svg", alt: "", width: "44", height: "44" }), h("h1", {}, "smsc"),
      h("p", { class: "intro" }, "The control panel of this message centre."), form)));
  }
  input.focus();
}

function signOut() {
  key.forget();
  session.me = null;
  sessionStorage.removeItem("smsc.account");
  session.account = "";
  closeStream();
  current?.abort();
  document.querySelectorAll("dialog").forEach((d) => d.close());
  history.replaceState(null, "", "/");
  signIn();
}

// --- shell ---

function shell() {
  const nav = PAGES.filter(seen).map(([name, path]) => h("li", {}, h("a", { href: path, dataset: { page: name } }, icon(name), words.pages[name])));
  side = h("nav", { class: "side", id: "side", "aria-label": "Pages" }, h("ul", {}, nav));
  main = h("main", { id: "main", tabindex: "-1" });
  liveMark = h("span", { class: "live" });
  banner = h("div", { class: "banner", role: "status", hidden: true });
  const menu = h("button", { type: "button", class: "plain menu", "aria-label": "Pages", "aria-expanded": "false", "aria-controls": "side", onclick: () => drawer(!document.body.classList.contains("drawer")) }, icon("menu"));
  const search = h("form", { class: "search", role: "search", onsubmit: (e) => { e.preventDefault(); const q = field.value.trim(); go("/messages" + (q ? "?q=" + encodeURIComponent(q) : "")); } });
  const field = h("input", { id: "search", type: "search", placeholder: "Number, id, reference or text", "aria-label": "Search messages", autocomplete: "off", spellcheck: "false" });
  search.append(icon("search"), field);
  const me = session.me;
  put(app,
    h("a", { class: "skip", href: "#main", onclick: (e) => { e.preventDefault(); main.focus(); } }, "Skip to the page"),
    h("header", { class: "top" }, menu,
      h("a", { class: "brand", href: "/", "aria-label": (me.server?.name ?? "smsc") + ", overview" }, h("img", { src: "/assets/icon.svg", alt: "", width: "22", height: "22" }), h("span", {}, me.server?.name ?? "smsc")),
      search, accountBox(), liveMark,
      h("span", { class: "tools" },
        h("button", { type: "button", class: "plain utc", "aria-pressed": String(prefs.utc), title: "Show times in UTC", onclick: (e) => { prefs.utc = !prefs.utc; localStorage.setItem("utc", prefs.utc ? "yes" : "no"); e.currentTarget.setAttribute("aria-pressed", String(prefs.utc)); navigate(); } }, "UTC"),
        h("button", { type: "button", class: "plain theme", id: "theme", onclick: nextTheme }, "Theme: " + (localStorage.getItem("theme") ?? "system")),
        h("span", { class: "who" }, h("b", {}, me.account), " (" + me.role + ")"),
        h("button", { type: "button", class: "plain", id: "sign-out", onclick: signOut }, "Sign out"))),
    side, banner, main);
}

// accountBox narrows every page to one account within reach.
function accountBox() {
  const box = h("select", { class: "account", "aria-label": "Account", hidden: true, onchange: () => { session.account = box.value; sessionStorage.setItem("smsc.account", box.value); navigate(); } });
  if (offers("GET", "/api/accounts")) {
    ask("GET", "/api/accounts").then(({ data }) => {
      if (data.length < 2) return;
      put(box, h("option", { value: "" }, "all accounts"), data.map((a) => h("option", { value: a.name }, a.name)));
      box.value = session.account;
      box.hidden = false;
    }, () => {});
  }
  return box;
}

function drawer(open) {
  document.body.classList.toggle("drawer", open);
  document.querySelector(".menu")?.setAttribute("aria-expanded", String(open));
}

let ticking = 0;
onLive((l) => {
  if (!liveMark) return;
  const text = { live: "live", polling: "every 5 s", lost: "not live", asleep: "asleep", off: "" }[l.state];
  put(liveMark, h("i", { "aria-hidden": "true" }), text);
  liveMark.className = "live " + (l.state === "live" ? "on" : l.state);
  document.body.classList.toggle("stale", l.state === "lost");
  const lost = l.state === "lost";
  if (lost && banner.hidden) {
    const left = h("span", { "aria-hidden": "true" }); // a count that is seen, and not read out each second
    const tick = () => { left.textContent = `, retrying in ${Math.max(0, Math.ceil((live.next - Date.now()) / 1000))} s`; };
    put(banner, h("span", {}, `Not live since ${clock(l.since)}`), left, h("span", {}, ". Figures are old; lists still ask every few seconds."));
    tick();
    ticking = setInterval(tick, 500);
  }
  if (!lost) clearInterval(ticking);
  banner.hidden = !lost;
});

// --- addresses ---

export function go(path, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", path);
  navigate();
}

// remember writes the state of a page into its address without a new page.
export function remember(params) {
  const q = new URLSearchParams(location.search);
  for (const [k, v] of Object.entries(params)) v === "" || v === null || v === undefined || v === false ? q.delete(k) : q.set(k, v);
  const s = q.toString();
  history.replaceState(null, "", location.pathname + (s ? "?" + s : ""));
}

async function navigate() {
  if (!session.me || !main) return;
  let path = location.pathname.replace(/\/+$/, "") || "/";
  if (OLD[path]) {
    path = OLD[path];
    history.replaceState(null, "", path + location.search);
  }
  const [, first = "", ...rest] = path.split("/");
  const page = PAGES.find(([, p]) => p === "/" + first);
  current?.abort();
  const mine = (current = new AbortController());
  drawer(false);
  document.querySelectorAll("dialog").forEach((d) => d.querySelector(".sign-in") || d.close());
  for (const a of side.querySelectorAll("a")) a.toggleAttribute("aria-current", a.dataset.page === page?.[0]);
  side.querySelector("[aria-current]")?.setAttribute("aria-current", "page");
  const root = h("div", { class: "page" });
  const wait = setTimeout(() => root.firstChild || put(root, skeleton()), 300); // a page may draw first and then ask for more
  put(main, root);
  if (!page || !seen(page)) {
    clearTimeout(wait);
    document.title = "Not here · smsc";
    put(root, h("h1", { tabindex: "-1" }, "Not here"), empty(page ? "This server does not offer that page, or it is not yours to see." : "There is no such page.", h("a", { href: "/" }, "To the overview")));
    return;
  }
  document.title = words.pages[page[0]] + " · " + (session.me.server?.name ?? "smsc");
  const ctx = {
    root, signal: mine.signal, query: new URLSearchParams(location.search), rest: rest.map(decodeURIComponent), go, remember,
    again: navigate,
    // every repeats f while the page is open and the tab is seen.
    every(ms, f) {
      const timer = setInterval(() => { if (!document.hidden) f(); }, ms);
      mine.signal.addEventListener("abort", () => clearInterval(timer));
    },
  };
  try {
    const module = await import(`./pages/${page[0]}.js`);
    const show = () => module.default(ctx);
    await show();
  } catch (e) {
    if (e.name === "AbortError" || mine.signal.aborted) return;
    put(root, h("h1", { tabindex: "-1" }, words.pages[page[0]]), trouble(e, navigate));
  } finally {
    clearTimeout(wait);
  }
  if (!mine.signal.aborted && document.activeElement === document.body) root.querySelector("h1")?.focus({ preventScroll: true });
}

addEventListener("popstate", navigate);
document.addEventListener("click", (e) => {
  const a = e.target.closest("a[href^='/']");
  if (!a || a.target || e.metaKey || e.ctrlKey || e.shiftKey || e.button || a.pathname.startsWith("/api/")) return;
  e.preventDefault();
  document.activeElement?.blur?.();
  go(a.pathname + a.search);
  scrollTo(0, 0);
});

// --- keys ---

const GOES = { o: "/", m: "/messages", s: "/send", q: "/queues", l: "/links", r: "/routing", a: "/accounts", f: "/frontends", c: "/config", y: "/system" };
let waiting = false;

document.addEventListener("keydown", (e) => {
  if (!session.me || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input,textarea,select,dialog") || localStorage.getItem("keys") === "off") return;
  if (waiting) {
    waiting = false;
    if (GOES[e.key]) { e.preventDefault(); go(GOES[e.key]); }
    return;
  }
  const press = (name) => { const b = document.querySelector(`[data-key="${name}"]:not([disabled])`); if (b) { e.preventDefault(); b.click(); } };
  switch (e.key) {
    case "g": waiting = true; setTimeout(() => { waiting = false; }, 1500); break;
    case "/": e.preventDefault(); document.getElementById("search")?.focus(); break;
    case "t": nextTheme(); break;
    case "?": help(); break;
    case "j": case "k": step(e.key === "j" ? 1 : -1); break;
    case "Enter": if (e.target.matches?.("tr")) e.target.querySelector("a")?.click(); break;
    case "x": e.target.querySelector?.("input[type=checkbox]")?.click(); break;
    case "n": case "e": case "[": case "]": press(e.key); break;
    case "Escape": if (document.body.classList.contains("drawer")) drawer(false); else if (location.pathname.split("/").length > 2) history.back(); break;
  }
});

// step moves the focus from row to row.
function step(by) {
  const rows = [...main.querySelectorAll("tbody tr")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement.closest?.("tr"));
  const row = rows[Math.max(0, Math.min(rows.length - 1, at + by))];
  row.tabIndex = -1;
  row.focus();
}

function help() {
  const off = h("input", { type: "checkbox", id: "keys-off", onchange: () => localStorage.setItem("keys", off.checked ? "off" : "on") });
  off.checked = localStorage.getItem("keys") === "off";
  dialog("Keys", () => h("div", {}, h("dl", { class: "facts" }, words.keys.map(([k, what]) => h("div", {}, h("dt", {}, h("kbd", {}, k)), h("dd", {}, what)))), h("p", {}, off, " ", h("label", { for: "keys-off" }, "Switch the single keys off"))));
}

// --- begin ---

function start() {
  shell();
  navigate();
  openStream();
}

async function begin() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) {
    key.set(given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  session.onUnauthorized = () => session.me && signIn("The key is no longer accepted.", true);
  try {
    await learn();
  } catch (e) {
    return put(app, h("main", { class: "gate" }, h("h1", {}, "smsc"), trouble(e, begin)));
  }
  if (!key.get()) return signIn();
  try {
    session.me = (await ask("GET", "/api/me", { as: key.get() })).data;
  } catch (e) {
    if (e.status === 401) key.forget();
    return signIn(e.status === 401 ? "This server does not know that key." : e.message);
  }
  start();
}

begin();
