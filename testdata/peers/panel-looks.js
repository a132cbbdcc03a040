// Looks at every page: in both themes, at three widths, as every role. With
// long each in all of them, audited; else each page in two forms, audited in
// one of them by turns, and once as each of the other roles. See panel.js.
"use strict";

const { args, api, audit, check, expect, open, shot, shows, signedIn } = require("./panel.js");

const PAGES = ["/", "/messages", "/send", "/queues", "/links", "/links/carrier1", "/routing", "/rules", "/accounts", "/accounts/operator", "/numbers", "/frontends", "/locations", "/cdrs", "/webhooks", "/system", "/logs", "/config"];
const THEMES = ["light", "dark"];
const WIDTHS = [1280, 390, 320];
const FORMS = args.long ? THEMES.flatMap((t) => WIDTHS.map((w) => [t, w])) : [["light", 1280], ["dark", 390]];
// What changes something is said by one of these words.
const ACTS = /^(Pause|Resume|Rebind|New|Edit|Delete|Cancel|Retry|Replay|Disable|Enable|Host|Send|Make|Close|Suspend|Drop|Disconnect|Declare|Apply|Take away|Roll|Give up|Wake)\b/;

const name = (where) => where.slice(1).replace(/\d{9,}/, "id").replace(/\W/g, "-") || "overview";

module.exports = async function looks(browser) {
  for (const [theme, width] of FORMS) await look(browser, "operator", args.key, theme, width, true);
  for (const role of ["read", "send", "admin"]) {
    const made = await api("POST", "/api/accounts/tenant/keys", { name: "look-" + role, role });
    const forms = args.long ? FORMS : [[role === "send" ? "light" : "dark", role === "read" ? 1280 : 320]];
    for (const [theme, width] of forms) await look(browser, role, made.body.key, theme, width, args.long);
    if (role === "read") {
      await check("a reader sees no acting control", () => reader(browser, made.body.key));
      await check("the server refuses what a reader forges", () => forged(browser, made.body.key));
    }
  }
};

// offered are the pages that a role is shown.
async function offered(page) {
  const links = await page.$$eval(".side a", (all) => all.map((a) => a.getAttribute("href")));
  return PAGES.filter((p) => links.includes(p) || (links.includes("/" + p.split("/")[1]) && p !== "/accounts/operator" && p !== "/links/carrier1"));
}

async function look(browser, role, key, colorScheme, width, audited) {
  const { context, page, faults } = await signedIn(browser, { colorScheme, viewport: { width, height: 860 } }, key);
  const pages = role === "operator" ? [...PAGES, "/nothing-here", "/routing?to=" + args.number] : await offered(page);
  const id = (await api("GET", "/api/messages?limit=1&order=desc", undefined, key)).body[0]?.id;
  if (id) pages.push("/messages/" + id);
  for (const [i, where] of pages.entries()) {
    await check(`${where.replace(/\d{9,}/, "{id}")} as ${role} in ${colorScheme}, ${width} pixels`, async () => {
      await open(page, where);
      if (args.long || (audited && THEMES[i % 2] === colorScheme)) await audit(page, where);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      expect(over <= 0, `wider than the window by ${over}`);
      expect(!(await page.$("main img:not([src^='/']), main script, main iframe")), "the text of a stranger became an element");
      await shot(page, `${name(where)}-${role === "operator" ? "" : role + "-"}${colorScheme}-${width}`);
      expect(!faults.length, faults.splice(0).join("\n"));
    });
  }
  await context.close();
}

async function reader(browser, key) {
  const { context, page, faults } = await signedIn(browser, {}, key);
  for (const where of await offered(page)) {
    await open(page, where);
    const acts = await page.$$eval("main button, main a.button", (all) => all.map((b) => (b.textContent || b.ariaLabel).trim()));
    const bad = acts.filter((t) => ACTS.test(t));
    expect(!bad.length, where + ": " + bad);
  }
  for (const where of ["/send", "/system", "/config", "/logs"]) {
    await open(page, where);
    await shows(page, "not yours to see");
  }
  expect(!faults.length, faults.join("\n"));
  await context.close();
}

// forged asks from within the page for all that changes something, with the
// key that the page holds.
async function forged(browser, key) {
  const { context, page } = await signedIn(browser, {}, key);
  const { paths } = (await api("GET", "/api/openapi.json")).body;
  const acts = Object.entries(paths).filter(([p]) => p.startsWith("/api/")).flatMap(([p, methods]) => Object.keys(methods).filter((m) => ["post", "put", "patch", "delete"].includes(m)).map((m) => [m.toUpperCase(), p.replace(/\{[^}]*\}/g, "1")]))
    .filter(([, p]) => !/preview|explain|simulate|check|test$/.test(p));
  const before = (await api("GET", "/api/provision")).body;
  const allowed = await page.evaluate(async ([all, k]) => {
    const out = [];
    for (const [method, path] of all) {
      const reply = await fetch(path, { method, headers: { "X-API-Key": k, "Content-Type": "application/json" }, body: "{}" });
      if (reply.status !== 403) out.push(`${method} ${path}: ${reply.status}`);
    }
    return out;
  }, [acts, key]);
  expect(acts.length > 30, "only " + acts.length + " acts");
  expect(!allowed.length, allowed.join("\n"));
  expect(JSON.stringify((await api("GET", "/api/provision")).body) === JSON.stringify(before), "something was changed");
  await context.close();
}
