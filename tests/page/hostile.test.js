// What a recording says is text, whatever it says.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { event, launch, open, pageOf } from "./pages.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

const ATTACKS = [
  "</script><script>window.harmed = 1</script>",
  "<img src=x onerror='window.harmed = 1'>",
  "<style>* { display: none !important }</style>",
  "<a href='javascript:window.harmed = 1'>here</a>",
  "<!-- <script>",
  "]]><svg onload='window.harmed = 1'>",
  "\u202Egnp.exe\u202C \u2066x\u2069 \u200B\uFEFF\u2028\u2029\u0007",
  "javascript:window.harmed=1//\"'`${window.harmed=1}",
];

/** Returns a recording that says an attack wherever it can. */
function recordingOf() {
  return ATTACKS.map((attack, second) => [
    event("session.status", second * 10, { session_id: attack, pending: true, status_label: attack }),
    event("session.tool.call.started", second * 10 + 1, { session_id: attack, tool_call_id: attack, tool_name: attack, tool_input: { [attack]: attack } }),
    event(attack, second * 10 + 2, { session_id: attack, [attack]: attack }),
    event("session.message.appended", second * 10 + 3, { session_id: attack, message: { role: attack, content: attack } }),
    `${attack}\n`,
  ].join("")).join("");
}

test("nothing that a recording says is run, styled, linked or turned around", async () => {
  const { page, complaints, close } = await open(browser, pageOf(recordingOf(), [], "<img src=x onerror=alert(1)>\u202E.ndjson"));
  const findings = await page.locator("#findings .cause").count();
  assert.ok(findings > 3, String(findings));
  for (let step = 0; step < 40; step++) await page.keyboard.press(step % 2 ? "j" : "ArrowRight");
  await page.keyboard.press("l");
  await page.keyboard.press("a");
  await page.keyboard.press("t");
  const found = await page.evaluate(() => ({
    harmed: "harmed" in window,
    scripts: document.scripts.length,
    styles: document.querySelectorAll("style, link").length,
    inline: document.querySelectorAll("[onerror], [onload], [onclick], [href], [src], img, iframe, object, a").length,
    turned: /[\u202a-\u202e\u2066-\u2069\u200b\ufeff\u2028\u2029\u0007]/.test(document.body.innerText),
    named: document.body.innerText.includes("⟨U+202E⟩"),
    shown: getComputedStyle(document.body).display !== "none",
  }));
  assert.deepEqual(found, { harmed: false, scripts: 2, styles: 1, inline: 0, turned: false, named: true, shown: true });
  assert.deepEqual(complaints, []);
  await close();
});

test("the policy forbids what the page did not bring", async () => {
  const { page, close } = await open(browser, pageOf(recordingOf()));
  const policy = await page.locator("meta[http-equiv]").getAttribute("content");
  assert.match(policy ?? "", /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'$/);
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "window.harmed = 1";
    document.body.append(script);
    const image = document.createElement("img");
    const loaded = new Promise((resolve) => {
      image.onload = () => resolve(true);
      image.onerror = () => resolve(false);
    });
    image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
    document.body.append(image);
    return { harmed: "harmed" in window, loaded: await loaded };
  });
  assert.deepEqual(ran, { harmed: false, loaded: false });
  await close();
});
