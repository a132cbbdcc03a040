// The tour of the panel: what each page must show and do. See panel.js.
"use strict";

const { args, api, audit, check, expect, notes, open, ready, shot, shows, signedIn, until, watch } = require("./panel.js");

module.exports = async function tour(browser) {
  await check("the sign-in refuses a wrong key and keeps the focus", () => wrongKey(browser));
  const { context, page, faults } = await signedIn(browser);
  await check("a key in the address signs in and leaves the address", async () => expect(!page.url().includes("key"), page.url()));
  await check("a message sent from the form is delivered and its trace grows", () => send(page));
  await check("the search finds a message by number, id and text", () => search(page));
  await check("a link is paused, resumed and undone", () => pause(page));
  await check("a route is made, simulated, disabled and deleted", () => route(page));
  await check("an account is made, its key works, and it is closed", () => account(page, browser));
  await check("a number is hosted and given up", () => number(page));
  await check("a rule is made and deleted", () => rule(page));
  await check("the provision editor names faults by line and applies", () => provision(page));
  await check("a change by somebody else is not overwritten", () => conflict(page));
  await check("the keys lead everywhere", () => keys(page));
  await check("nothing stood on the console and nothing left the host", async () => expect(!faults.length, faults.join("\n")));
  await context.close();
  await check("a revoked key asks again and keeps the page", () => revoked(browser));
};

async function wrongKey(browser) {
  const page = await browser.newPage();
  await page.goto(args.base + "/links");
  await page.fill("#key", "wrong");
  await page.click("button[type=submit]");
  await page.waitForFunction(() => document.querySelector("#key-error").textContent.includes("does not know"));
  expect(await page.evaluate(() => document.activeElement.id === "key"), "the focus left the field");
  await audit(page, "sign-in");
  await shot(page, "sign-in");
  await page.fill("#key", args.key);
  await page.press("#key", "Enter");
  await ready(page);
  expect(page.url().endsWith("/links"), "not the page that was asked for: " + page.url());
  await page.click("#sign-out");
  await page.waitForSelector("#key");
  expect(await page.evaluate(() => sessionStorage.getItem("smsc.key")) === null, "the key was kept");
  await page.close();
}

async function fillSend(page, to, text) {
  await page.fill("[name=destination_msisdn]", to);
  await page.fill("[name=message_body]", text);
}

async function send(page) {
  await open(page, "/send");
  await fillSend(page, args.number, "Sent from the panel");
  await page.click("form button[type=submit]:has-text('Send')");
  const link = await page.waitForSelector(".ladder");
  const id = await page.textContent("section a.mono");
  await until("delivered", async () => (await api("GET", "/api/messages/" + id)).body.status === "delivered");
  await page.waitForFunction(() => /finished/.test(document.querySelector(".ladder").innerText));
  await shot(page, "sent");
  await open(page, "/messages/" + id);
  await shows(page, "Sent from the panel");
  await audit(page, "message");
  await link.dispose();
}

async function search(page) {
  const { body } = await api("POST", "/api/messages", { source_msisdn: "panel", destination_msisdn: args.number, message_body: "needle in the hay", source_smsc: "panel" });
  const id = String((body.data ?? body).id);
  for (const q of ["needle in", args.number]) {
    await open(page, "/");
    await page.fill("#search", q);
    await page.press("#search", "Enter");
    await page.waitForSelector(`tr[data-key="${id}"]`);
  }
  await page.fill("#search", id);
  await page.press("#search", "Enter");
  await page.waitForURL("**/messages/" + id);
  await open(page, "/messages?text=nothing+like+this");
  await shows(page, "No message matches");
  await page.click("a:has-text('text: nothing')");
  await page.waitForSelector("tbody tr");
}

async function pause(page) {
  await open(page, "/links/carrier1");
  await page.click("button:has-text('Pause')");
  await page.click("dialog button[type=submit]");
  await notes(page, "is paused");
  const paused = async () => (await api("GET", "/api/links/carrier1")).body.state.paused;
  await until("paused", paused);
  await page.waitForSelector("main button:has-text('Resume')");
  await shot(page, "paused");
  await page.click(".note button:has-text('Undo')");
  await until("undone", async () => !(await paused()));
}

async function route(page) {
  await open(page, "/routing");
  await page.click("button:has-text('New route')");
  await page.fill("dialog [name=called_prefix]", "4900");
  await page.fill("dialog [name=dest_smsc]", "nowhere-at-all");
  await page.click("dialog button[type=submit]");
  await page.waitForSelector("dialog .fault:not(:empty), dialog .trouble");
  await shot(page, "route-fault");
  await page.fill("dialog [name=dest_smsc]", "carrier1");
  await page.click("dialog button[type=submit]");
  await notes(page, "is in force");
  const mine = async () => (await api("GET", "/api/routes")).body.find((r) => r.called_prefix === "4900");
  const made = await until("the route", mine);
  await page.fill("form [name=to]", "490012345678");
  await page.click("button:has-text('Simulate')");
  await page.waitForFunction((id) => document.querySelector("#verdict")?.innerText.includes("route " + id), made.id);
  await shot(page, "simulated");
  await page.click(`[aria-label="Disable route ${made.id}"]`);
  await until("disabled", async () => !(await mine()).enabled);
  await page.click(`[aria-label="Edit route ${made.id}"]`);
  await page.click("dialog button:has-text('Delete')");
  await page.click("dialog button[type=submit]:has-text('Delete')");
  await until("deleted", async () => !(await mine()));
}

async function account(page, browser) {
  await open(page, "/accounts");
  await page.click("button:has-text('New account')");
  await page.fill("dialog [name=name]", "paneltest");
  await page.click("dialog button[type=submit]");
  await page.waitForSelector("#secret");
  const token = await page.textContent("#secret");
  expect((await fetch(args.base + "/api/me", { headers: { Authorization: "Basic " + btoa("paneltest:" + token) } })).status === 200, "the token does not work");
  await page.keyboard.press("Escape");
  await page.waitForSelector("main h1:has-text('paneltest')");
  await page.click("button:has-text('Make a key')");
  await page.fill("dialog [name=name]", "one");
  await page.click("dialog button[type=submit]");
  await page.waitForFunction(() => document.querySelector("#secret"));
  const key = await page.textContent("#secret");
  expect((await api("GET", "/api/me", undefined, key)).body.role === "send", "the key does not work");
  await page.keyboard.press("Escape");
  const theirs = await signedIn(browser, {}, "paneltest:" + token);
  expect(!(await theirs.page.innerText(".side")).includes("Configuration"), "a tenant sees the configuration");
  await open(theirs.page, "/links");
  expect(!(await theirs.page.innerText("main")).includes("carrier1"), "a tenant sees a link of the operator");
  expect(!theirs.faults.length, theirs.faults.join("\n"));
  await theirs.context.close();
  await open(page, "/accounts/paneltest");
  await page.click("main button:has-text('Close')");
  await page.fill("dialog [name=typed]", "paneltest");
  await page.click("dialog button[type=submit]");
  await until("closed", async () => (await api("GET", "/api/accounts/paneltest")).body.status === "closed");
}

async function number(page) {
  await open(page, "/numbers");
  await page.click("button:has-text('Host a number')");
  await page.fill("dialog [name=number]", "15559990001");
  await page.selectOption("dialog [name=link]", "app");
  await page.click("dialog button[type=submit]");
  await until("hosted", async () => (await api("GET", "/api/numbers")).body.some((n) => n.number.endsWith("15559990001")));
  await page.waitForSelector("[aria-label^='Give up']");
  await audit(page, "numbers");
  await page.click("[aria-label^='Give up']");
  await page.click("dialog button[type=submit]");
  await until("given up", async () => !(await api("GET", "/api/numbers")).body.length);
}

async function rule(page) {
  await open(page, "/rules");
  await page.click("button:has-text('New rule')");
  const fill = (thn) => page.fill("dialog [name=rule]", JSON.stringify({ name: "paneltest", when: { called: "4903" }, [thn]: { drop: true } }));
  await fill("thn");
  await page.click("dialog button[type=submit]");
  await page.waitForSelector("dialog .trouble");
  await fill("then");
  await page.click("dialog button[type=submit]");
  await page.waitForSelector("[aria-label='Delete paneltest']");
  expect((await api("GET", "/api/rules")).body.some((r) => r.name === "paneltest"), "the rule is not there");
  await audit(page, "rules");
  await shot(page, "rules");
  await page.click("[aria-label='Delete paneltest']");
  await page.click("dialog button[type=submit]");
  await until("deleted", async () => !(await api("GET", "/api/rules")).body.some((r) => r.name === "paneltest"));
}

async function provision(page) {
  await open(page, "/config");
  const before = await page.inputValue(".source textarea");
  await page.fill(".source textarea", before + "\nnonsense: 1\n");
  await page.click("button:has-text('Check')");
  await page.waitForSelector("#faults button:has-text('line')");
  await page.waitForSelector(".source li.at-fault", { state: "attached" });
  await shot(page, "faults");
  await audit(page, "faults");
  await page.fill(".source textarea", before.replace("routes:", "routes:\n  - called_prefix: \"4901\"\n    dest_smsc: carrier1"));
  await page.click("button:has-text('Apply')");
  await page.click("dialog button[type=submit]");
  await notes(page, "is in force");
  const mine = (await api("GET", "/api/routes")).body.find((r) => r.called_prefix === "4901");
  expect(mine, "the route was not applied");
  await api("DELETE", "/api/routes/" + mine.id);
}

async function conflict(page) {
  const made = (await api("POST", "/api/routes", { called_prefix: "4902", dest_smsc: "carrier1" })).body;
  await open(page, "/routing");
  await page.click(`[aria-label="Edit route ${made.id}"]`);
  await api("PATCH", "/api/routes/" + made.id, { weight: 7 });
  await page.fill("dialog [name=weight]", "50");
  await page.click("dialog button[type=submit]");
  await page.waitForSelector("dialog:has-text('Somebody changed this')");
  await shot(page, "conflict");
  await page.click("button:has-text('Keep theirs')");
  expect((await api("GET", "/api/routes/" + made.id)).body.weight === 7, "it was overwritten");
  await api("DELETE", "/api/routes/" + made.id);
  await page.reload();
}

async function keys(page) {
  await open(page, "/");
  await page.evaluate(() => document.activeElement.blur());
  for (const [key, where] of [["m", "/messages"], ["l", "/links"], ["r", "/routing"], ["a", "/accounts"], ["o", "/"]]) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.waitForURL(args.base + where);
    await ready(page);
  }
  await page.keyboard.press("?");
  await page.waitForSelector("dialog:has-text('Keys')");
  await audit(page, "keys");
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  expect(await page.evaluate(() => document.activeElement.id === "search"), "/ does not lead to the search");
}

async function revoked(browser) {
  const key = (await api("POST", "/api/accounts/operator/keys", { name: "gone", role: "admin" })).body.key;
  const { context, page } = await signedIn(browser, {}, key);
  await open(page, "/routing?to=" + args.number);
  await api("DELETE", "/api/accounts/operator/keys/gone");
  await page.click("button:has-text('Simulate')");
  await page.waitForSelector("dialog .sign-in");
  expect(page.url().includes("/routing?to="), "the page was left");
  await page.fill("dialog #key", args.key);
  await page.press("dialog #key", "Enter");
  await page.waitForSelector("dialog", { state: "detached" });
  await page.waitForSelector("#verdict");
  await context.close();
}
