// A page of 50,000 events opens in time, takes little memory, and never keeps people waiting while they move in it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { broken, launch, open, pageOf, recording } from "./pages.js";

const MOST_TASK = 50;
const MOST_OPENING = 5000;
const MOST_HEAP = 300 * 2 ** 20;

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/**
 * Scrolls and zooms, and returns the duration of the longest task meanwhile, in milliseconds; 0 if none took 50.
 * @param {import("playwright-core").Page} page
 */
function longestTask(page) {
  return page.evaluate(async () => {
    let longest = 0;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) longest = Math.max(longest, entry.duration);
    });
    observer.observe({ entryTypes: ["longtask"] });
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    const canvas = /** @type {HTMLElement} */ (document.getElementById("canvas"));
    const list = /** @type {HTMLElement} */ (document.getElementById("events"));
    const wheel = (/** @type {number} */ deltaX, /** @type {number} */ deltaY) =>
      canvas.dispatchEvent(new WheelEvent("wheel", { deltaX, deltaY, clientX: 900, clientY: 250, bubbles: true, cancelable: true }));
    for (let step = 0; step < 120; step++) {
      wheel(0, step < 60 ? -60 : 60);
      await frame();
    }
    for (let step = 0; step < 60; step++) {
      wheel(120, 0);
      list.scrollTop += 7000;
      await frame();
    }
    for (const key of ["t", "+", "+", "ArrowRight", "j", "k", "0", "t"]) {
      document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
      await frame();
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    observer.disconnect();
    return longest;
  });
}

test("a page of 50,000 events is quick", async (context) => {
  const path = pageOf(recording(49_900) + broken());
  const began = performance.now();
  const { page, close } = await open(browser, path);
  const opened = performance.now() - began;
  await page.waitForTimeout(500);
  const size = Number(await page.locator("#events [role=option]").first().getAttribute("aria-setsize"));
  assert.ok(size > 49_900 && size <= 50_000, `${size} events`);
  const tasks = /** @type {number[]} */ ([]);
  // Other programs on the machine can make one of these slow, and none of them fast.
  for (let run = 0; run < 3 && !tasks.includes(0); run++) tasks.push(await longestTask(page));
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  context.diagnostic(`opened in ${Math.round(opened)} ms, longest tasks ${tasks.map(Math.round)} ms, heap ${Math.round(usedSize / 2 ** 20)} MiB`);
  assert.ok(opened < MOST_OPENING, `${opened} ms`);
  assert.ok(Math.min(...tasks) <= MOST_TASK, `${tasks} ms`);
  assert.ok(usedSize < MOST_HEAP, `${usedSize} bytes`);
  await close();
});
