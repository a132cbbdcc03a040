// Drives the control panel in a real Chromium: every page loads, acts, and is
// seen; no request leaves the host, nothing stands on the console, and axe
// finds nothing serious. Its one argument is JSON:
//   {base, key, number, smpp, shots, long, plays}
// base is the server, key the operator's, number one that is delivered, smpp
// the port of its SMPP, shots a folder for pictures ("" for none), long asks
// for every page in every form, plays are lists of the files panel-*.js, each
// list played in a line of its own beside the others. Each check is one line
// of JSON on standard output: {"check": name}, with "error" if it failed and
// "figures" if it measured; a play may print lines of its own.
"use strict";

const fs = require("fs");
const path = require("path");
const { chromium } = require("playwright-core");

const args = JSON.parse(process.argv[2]);
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const BROWSER = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((f) => fs.existsSync(f));
const PATIENCE = 90000; // the machine may be busy

const LIVE = ".live.on"; // the mark in the header, where the stream is open

const tell = (line) => console.log(JSON.stringify(line));

const say = (check, error) => tell(error ? { check, error: String(error.stack ?? error).slice(0, 1500) } : { check });

// check makes f one line of the report; what f returns are its figures.
async function check(name, f) {
  const began = Date.now();
  try {
    const figures = await f();
    tell({ check: name, figures: `${Date.now() - began} ms${figures ? ": " + figures : ""}` });
  } catch (e) {
    say(name, e);
  }
}

function expect(ok, what) {
  if (!ok) throw new Error(what);
}

// api asks the server as any client does: what the panel did is seen through
// it.
async function api(method, where, body, key = args.key) {
  const reply = await fetch(args.base + where, { method, headers: { "X-API-Key": key, "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
  const text = await reply.text();
  return { status: reply.status, body: text && /json/.test(reply.headers.get("content-type") ?? "") ? JSON.parse(text) : text };
}

async function until(what, f) {
  for (const end = Date.now() + PATIENCE; ; ) {
    const v = await f();
    if (v) return v;
    if (Date.now() > end) throw new Error("not in time: " + what);
    await new Promise((r) => setTimeout(r, 100));
  }
}

// watch gathers what a page must never do.
function watch(page, faults) {
  page.on("console", (m) => {
    // A refused request is shown by the browser itself; pages handle it.
    if (m.type() === "error" && !/the server responded with a status of/.test(m.text())) faults.push("console: " + m.text());
  });
  page.on("pageerror", (e) => faults.push("error: " + e.message));
  page.waiting = new Set();
  page.on("request", (r) => page.waiting.add(r.method() + " " + r.url()));
  for (const end of ["requestfinished", "requestfailed"]) page.on(end, (r) => page.waiting.delete(r.method() + " " + r.url()));
  page.on("request", (r) => {
    if (!r.url().startsWith(args.base + "/") && !r.url().startsWith("data:") && !r.url().startsWith("blob:")) faults.push("left the host: " + r.url());
  });
}

async function audit(page, where) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  const bad = found.violations.filter((v) => v.impact === "serious" || v.impact === "critical" || v.id.startsWith("color"));
  expect(!bad.length, where + ": " + bad.map((v) => v.id + " " + v.nodes.slice(0, 3).map((n) => n.target + " " + (n.any[0]?.message ?? "")).join(" | ")).join("; "));
}

async function shot(page, name) {
  if (args.shots) await page.screenshot({ path: path.join(args.shots, name + ".png"), fullPage: true });
}

// ready waits until a page shows its content.
async function ready(page) {
  try {
    await page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector(".skeleton"), null, { timeout: PATIENCE });
  } catch (e) {
    throw new Error(`${page.url()} shows nothing; unanswered: ${[...(page.waiting ?? [])].join(", ")}`, { cause: e });
  }
}

async function open(page, where) {
  await page.goto(args.base + where);
  await ready(page);
}

async function signedIn(browser, options = {}, key = args.key) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: "reduce", ...options });
  await context.addInitScript(() => addEventListener("securitypolicyviolation", (e) => console.error("CSP", e.violatedDirective, e.blockedURI)));
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  const faults = [];
  watch(page, faults);
  await page.goto(args.base + "/#key=" + encodeURIComponent(key));
  await ready(page);
  return { context, page, faults };
}

async function shows(page, text) {
  await page.waitForFunction((t) => document.querySelector("main").innerText.includes(t), text, { timeout: PATIENCE });
}

async function notes(page, text) {
  await page.waitForFunction((t) => document.querySelector(".notes")?.innerText.includes(t), text, { timeout: PATIENCE });
}

module.exports = { LIVE, args, api, audit, check, expect, notes, open, ready, shot, shows, signedIn, tell, until, watch };

// line plays one file after the other.
async function line(browser, names) {
  for (const name of names) {
    try {
      await require(`./panel-${name}.js`)(browser);
    } catch (e) {
      say(`${name} goes to its end`, e);
    }
  }
}

if (require.main === module) {
  (async () => {
    const browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", ...(args.flags ?? [])] });
    try {
      await Promise.all(args.plays.map((names) => line(browser, names)));
    } finally {
      await browser.close();
    }
  })();
}
