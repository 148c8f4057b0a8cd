// Three pages are laid out as they should be: the boxes of named elements, not their pixels.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { EXAMPLE, broken, launch, open, pageOf, recording } from "./pages.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/** In a window of 1440 by 860: left, top, width and height, as the style says. Fonts may move what is below by a little. */
const BOXES = {
  "#top": [0, 0, 1440, 40],
  "#side": [0, 40, 331, 820],
  "#time": [331, 40, 1109, 361],
  "#overview": [331, 76, 1109, 26],
  "#lane-names": [331, 102, 132, 298],
  "#canvas": [463, 102, 977, 298],
  "#stream": [331, 401, 516, 459],
  "#detail": [847, 401, 593, 459],
};
const TOLERANCE = 8;

/** @type {[string, () => string][]} */
const PAGES = [
  ["a broken stream", () => pageOf(broken())],
  ["a stream of 5,000 events", () => pageOf(recording(5000))],
  ["a stream of a user's own protocol", () => pageOf(readFileSync(`${EXAMPLE}/recording.ndjson`, "utf8"), ["--protocol", EXAMPLE])],
];

for (const [name, make] of PAGES) {
  test(`the parts of the page of ${name} are where they should be`, async () => {
    const { page, close } = await open(browser, make());
    for (const [part, expected] of Object.entries(BOXES)) {
      const box = await page.locator(part).boundingBox();
      assert.ok(box, part);
      const found = [box.x, box.y, box.width, box.height];
      const away = found.map((value, number) => Math.abs(value - expected[number]));
      assert.ok(Math.max(...away) <= TOLERANCE, `${part}: ${found} instead of ${expected}`);
    }
    // The names of lanes stand one below the other, and no two cover each other.
    const lanes = await page.locator(".lane-name").evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom]));
    assert.ok(lanes.length >= 2);
    lanes.slice(1).forEach(([top], number) => assert.ok(top >= lanes[number][1] - 0.5, `${lanes}`));
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth || document.documentElement.scrollHeight > innerHeight);
    assert.ok(!beyond, "the page itself does not scroll");
    await close();
  });
}
