// An overview that stays open while a bench runs: it prints what each second
// changed in the page, and at the end of its input what the tab cost. See
// panel.js.
"use strict";

const fs = require("node:fs");

const { LIVE, open, signedIn, tell } = require("./panel.js");

module.exports = async function bench(browser) {
  const { context, page, faults } = await signedIn(browser);
  await open(page, "/");
  await page.waitForSelector(LIVE);
  const wire = await browser.newBrowserCDPSession();
  const spent = async () => (await wire.send("SystemInfo.getProcessInfo")).processInfo;
  // Seconds in which the figure of the tile or its spark line changed.
  await page.evaluate(() => {
    const seen = (window.seen = []);
    const read = () => [...document.querySelectorAll(".tile")].filter((t) => /^(Accepted|Delivered)/.test(t.innerText)).map((t) => t.querySelector(".figure").textContent + (t.querySelector("path")?.getAttribute("d") ?? "")).join("|");
    let last = read();
    new MutationObserver(() => {
      const now = read();
      if (now !== last) seen.push([performance.now(), document.querySelector(".tile .figure").textContent]);
      last = now;
    }).observe(document.querySelector("main"), { subtree: true, childList: true, characterData: true, attributes: true });
  });
  const began = Date.now();
  const before = await spent();
  tell({ event: "watching" });
  await new Promise((done) => process.stdin.on("end", done).resume());
  const after = await spent();
  const cpu = (type) => after.filter((p) => p.type === type).reduce((sum, p) => sum + p.cpuTime - (before.find((b) => b.id === p.id)?.cpuTime ?? 0), 0);
  const tab = after.filter((p) => p.type === "renderer").map((p) => p.id);
  const kib = (pid, name) => Number(new RegExp(name + ":\\s+(\\d+)").exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0);
  const seen = await page.evaluate(() => window.seen);
  tell({
    overview: {
      seconds: (Date.now() - began) / 1000, updates: seen.length, figures: seen.map((s) => s[1]).slice(-20),
      gap_ms: Math.round(Math.max(0, ...seen.slice(1).map((s, i) => s[0] - seen[i][0]))),
      tab_cpu_seconds: cpu("renderer"), browser_cpu_seconds: after.reduce((sum, p) => sum + p.cpuTime, 0) - before.reduce((sum, p) => sum + p.cpuTime, 0),
      // Beside the tab there may be an empty process kept for the next one.
      tab_mib: Math.max(...tab.map((pid) => kib(pid, "Pss"))) / 1024, faults,
    },
  });
  await context.close();
};
