// The page can be used by everybody: no rule of WCAG 2 A and AA that a machine can check is broken.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { broken, launch, open, pageOf, recording } from "./pages.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/** @param {import("playwright-core").Page} page */
async function violations(page) {
  // The debugger's evaluation is no script of the page, so that the page's policy does not keep it out.
  await page.evaluate(axe);
  return page.evaluate(async () => {
    // @ts-ignore axe is what was evaluated just now.
    const result = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa"] });
    return result.violations.map((/** @type {any} */ one) => `${one.id}: ${one.nodes.map((/** @type {any} */ node) => node.html.slice(0, 160)).slice(0, 3).join(" | ")}`);
  });
}

for (const dark of [false, true]) {
  test(`axe finds nothing in a ${dark ? "dark" : "light"} page`, async () => {
    const { page, close } = await open(browser, pageOf(broken()), { dark });
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("j");
    await page.keyboard.press("l");
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("?");
    assert.deepEqual(await violations(page), []);
    await close();
  });
}

test("axe finds nothing in a page without findings", async () => {
  const { page, close } = await open(browser, pageOf(recording(100)));
  assert.deepEqual(await violations(page), []);
  await close();
});
