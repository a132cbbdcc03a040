// A tour by keyboard alone: sign in, send, follow the trace, pause and resume a
// link, add a route, simulate, undo, sign out. The mouse is never used. See
// panel.js.
"use strict";

const { args, api, check, expect, notes, ready, signedIn, until } = require("./panel.js");

module.exports = (browser) => check("the whole tour goes by keyboard only", () => tour(browser));

// reach presses Tab until the focus is on what selector names, with that text
// if one is given, and wants the focus to be seen there. A page that is drawn
// anew meanwhile begins at its top.
async function reach(page, selector, back = false, text = "") {
  for (let i = 0; i < 400; i++) {
    const at = await page.evaluate(([s, text]) => {
      const el = document.activeElement;
      if (!el?.matches(s) || (text && el.textContent.trim() !== text)) return null;
      const style = getComputedStyle(el);
      return style.outlineStyle !== "none" || style.boxShadow !== "none" ? "seen" : "unseen";
    }, [selector, text]);
    if (at === "seen") return;
    if (at === "unseen") throw new Error("the focus cannot be seen on " + selector);
    await page.keyboard.press(back ? "Shift+Tab" : "Tab");
  }
  throw new Error("Tab never reaches " + selector);
}

// goes presses keys that lead to a page, again where the second came too late
// after the first: they belong together for 1.5 s, and the machine may be busy.
async function goes(page, keys, where) {
  await until("the keys lead to " + where, async () => {
    await page.evaluate(() => document.activeElement?.blur());
    for (const k of keys) await page.keyboard.press(k);
    return page.evaluate((w) => location.pathname === w, where);
  });
  await ready(page);
}

// into types into the field that selector names.
async function into(page, selector, text) {
  await reach(page, selector);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

async function tour(browser) {
  const { context, page, faults } = await signedIn(browser);
  await reach(page, "#sign-out", true);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#key");
  await page.keyboard.type(args.key);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".side"); // the form has a heading, too
  await ready(page);
  const text = "By keyboard " + Date.now();
  await goes(page, ["g", "s"], "/send");
  await into(page, "[name=destination_msisdn]", args.number);
  await into(page, "[name=message_body]", text);
  await page.keyboard.press("Control+Enter");
  const sent = await until("the message", async () => (await api("GET", "/api/messages?text=" + encodeURIComponent(text))).body[0]);
  await page.waitForSelector(`main a[href="/messages/${sent.id}"]`);
  await goes(page, ["g", "m"], "/messages");
  await page.waitForSelector("main tbody tr");
  // A row that is drawn anew between the two has lost the focus.
  await until("the keys open a message", async () => {
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    return page.evaluate(() => location.pathname.startsWith("/messages/"));
  });
  await ready(page);
  await page.waitForFunction(() => /accepted/i.test(document.querySelector("main").innerText));
  await page.keyboard.press("Escape");
  await page.waitForURL("**/messages");
  await link(page);
  await route(page);
  await reach(page, "#sign-out", true);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#key");
  expect(!faults.length, faults.join("\n"));
  await context.close();
}

// link pauses a link and lets it go on by its Undo.
async function link(page) {
  await goes(page, ["g", "l"], "/links");
  await reach(page, "main a[href='/links/app']");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/links/app");
  await ready(page);
  await reach(page, "main button", false, "Pause");
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog");
  await reach(page, "dialog button[type=submit]");
  await page.keyboard.press("Enter");
  await notes(page, "is paused");
  const paused = async () => (await api("GET", "/api/links/app")).body.state.paused;
  await until("paused", paused);
  await reach(page, ".note button:not([aria-label])");
  await page.keyboard.press("Enter");
  await until("undone", async () => !(await paused()));
  await page.waitForFunction(() => [...document.querySelectorAll("main button")].some((b) => b.textContent.trim() === "Pause"));
}

// route makes a route, asks the simulator about it, and deletes it.
async function route(page) {
  await goes(page, ["g", "r"], "/routing");
  await until("the form of a new route", async () => {
    await page.keyboard.press("n");
    return page.evaluate(() => !!document.querySelector("dialog [name=called_prefix]"));
  });
  await into(page, "dialog [name=called_prefix]", "4955");
  await into(page, "dialog [name=dest_smsc]", "app");
  await page.keyboard.press("Control+Enter");
  const mine = async () => (await api("GET", "/api/routes")).body.find((r) => r.called_prefix === "4955");
  const made = await until("the route", mine);
  await page.waitForSelector("dialog", { state: "detached" });
  await ready(page);
  await into(page, "form [name=to]", "495512345678");
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction((id) => document.querySelector("#verdict")?.innerText.includes("route " + id), made.id);
  await reach(page, `[aria-label="Edit route ${made.id}"]`, true);
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog");
  await reach(page, "dialog button", false, "Delete");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => [...document.querySelectorAll("dialog button[type=submit]")].some((b) => b.textContent.trim() === "Delete"));
  await reach(page, "dialog button[type=submit]");
  await page.keyboard.press("Enter");
  await until("deleted", async () => !(await mine()));
}
