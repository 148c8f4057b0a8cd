// The page opens, filters, jumps, zooms, and does all that by the keyboard.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, before, test } from "node:test";
import { EXAMPLE, broken, event, launch, open, pageOf, recording } from "./pages.js";

/** @type {import("playwright-core").Browser} */
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

/** @param {import("playwright-core").Page} page */
const chosenLine = (page) => page.locator("#events [aria-selected=true] .line").textContent();

test("it opens at the first finding, without a complaint and without the network", async () => {
  const { page, complaints, close } = await open(browser, pageOf(broken()));
  assert.deepEqual(complaints, []);
  const heading = await page.locator(".explanation h2").textContent();
  assert.match(heading ?? "", /its tool call "call-1" has no session.tool.results|differs|final/);
  const names = await page.locator(".lane-name").allTextContents();
  assert.deepEqual(names.slice(0, 4).map((name) => name.trim()), ["ses-1", "tool-call", "turn", "reply"]);
  assert.ok(names.includes("tool-call"), String(names));
  await close();
});

test("a finding leads to its event and to those that explain it", async () => {
  const { page, close } = await open(browser, pageOf(broken()));
  await page.locator(".cause", { hasText: "has no session.tool.results" }).click();
  assert.equal(await chosenLine(page), "14");
  assert.match(await page.locator("#json .marked").first().textContent() ?? "", /session\.(completed|stream\.chunk)/);
  await page.getByRole("button", { name: /the call was started here/ }).click();
  assert.equal(await chosenLine(page), "11");
  await close();
});

test("filters leave what they say", async () => {
  const { page, close } = await open(browser, pageOf(broken()));
  const shown = () => page.locator("#findings .finding").count();
  const all = await shown();
  assert.ok(all >= 2, String(all));
  await page.fill("#filter-text", "boolean");
  assert.equal(await shown(), 1);
  await page.fill("#filter-text", "nothing has this");
  assert.equal(await shown(), 0);
  assert.match(await page.locator("#shown").textContent() ?? "", /No finding passes/);
  await page.fill("#filter-text", "");
  await page.selectOption("#filter-rule", "wrong-type");
  assert.equal(await shown(), 1);
  await page.selectOption("#filter-rule", "");
  await page.click("#filter-error");
  assert.equal(await page.locator("#findings .group.error").count(), 0);
  await close();
});

test("everything can be done by the keyboard", async () => {
  const { page, close } = await open(browser, pageOf(broken()));
  const first = await chosenLine(page);
  const heading = () => page.locator(".explanation h2").textContent();
  const of = await heading();
  await page.keyboard.press("j");
  assert.notEqual(await heading(), of);
  await page.keyboard.press("k");
  assert.equal(await heading(), of);
  assert.equal(await chosenLine(page), first);
  await page.keyboard.press("ArrowLeft");
  assert.equal(Number(await chosenLine(page)), Number(first) - 1);
  await page.locator("#events").focus();
  await page.keyboard.press("ArrowDown");
  assert.equal(await chosenLine(page), first);
  await page.keyboard.press("l");
  assert.equal(await page.locator("#tab-machine").getAttribute("aria-selected"), "true");
  await page.keyboard.press("e");
  assert.equal(await page.locator("#tab-event").getAttribute("aria-selected"), "true");
  await page.keyboard.press("t");
  assert.equal(await page.locator("#unit").getAttribute("aria-pressed"), "true");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "filter-text");
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  assert.ok(await page.locator("#keys").isVisible());
  await page.keyboard.press("Escape");
  assert.ok(!(await page.locator("#keys").isVisible()));
  // What was chosen is said to those who do not see it.
  assert.match(await page.locator("#announcer").textContent() ?? "", new RegExp(`line ${first}`));
  await close();
});

/**
 * Returns how much of the overview the frame of what is shown takes, 0 to 1.
 * @param {import("playwright-core").Page} page
 */
const shownShare = (page) => page.evaluate(() => {
  const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("overview"));
  const context = canvas.getContext("2d");
  const row = context?.getImageData(0, Math.floor(canvas.height / 2), canvas.width, 1).data ?? [];
  const frame = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(frame.slice(at, at + 2), 16));
  let [first, last] = [-1, -1];
  for (let x = 0; x < canvas.width; x++) {
    const near = [red, green, blue].every((value, part) => Math.abs(row[4 * x + part] - value) < 40);
    if (near && first < 0) first = x;
    if (near) last = x;
  }
  return (last - first) / canvas.width;
});

test("it zooms and moves, by keys and by the wheel", async () => {
  const { page, close } = await open(browser, pageOf(recording(1000)));
  const settle = () => page.waitForTimeout(100);
  await settle();
  assert.ok(await shownShare(page) > 0.97);
  await page.keyboard.press("+");
  await settle();
  const half = await shownShare(page);
  assert.ok(half > 0.45 && half < 0.55, String(half));
  await page.hover("#canvas");
  await page.mouse.wheel(0, -400);
  await settle();
  assert.ok(await shownShare(page) < half / 2);
  await page.keyboard.press("0");
  await settle();
  assert.ok(await shownShare(page) > 0.97);
  await close();
});

test("a click on the timeline chooses an event, and the pointer tells what is there", async () => {
  const { page, close } = await open(browser, pageOf(broken()));
  const before = await chosenLine(page);
  const box = await page.locator("#canvas").boundingBox();
  assert.ok(box);
  // The first event stands at the left.
  const { x, y } = { x: box.x + box.width * 0.037, y: box.y + 22 + 82 };
  await page.mouse.move(x, y);
  assert.match(await page.locator("#tip").textContent() ?? "", /line 1: session\.status/);
  await page.mouse.click(x, y);
  assert.equal(await chosenLine(page), "1");
  assert.notEqual(before, "1");
  await close();
});

test("the fewest lines that show a finding are copied", async () => {
  const { page, close } = await open(browser, pageOf(broken()));
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.locator(".cause", { hasText: "has no session.tool.results" }).click();
  assert.match(await page.locator("#copy").textContent() ?? "", /fewest lines/);
  await page.keyboard.press("c");
  await page.waitForFunction(() => document.getElementById("copy")?.textContent === "Copied");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const types = copied.trim().split("\n").map((line) => JSON.parse(line).type);
  assert.ok(types.length <= 4 && types.includes("session.tool.call.started"), String(types));
  await close();
});

test("the lifecycle shows the path and the cell where it went wrong", async () => {
  const { page, close } = await open(browser, pageOf(broken()));
  await page.locator(".cause", { hasText: "has no session.tool.results" }).click();
  await page.keyboard.press("l");
  assert.equal(await page.locator("#lifecycle option:checked").textContent(), "tool-call");
  assert.match(await page.locator("#picture svg").textContent() ?? "", /it went wrong here/);
  assert.match(await page.locator("#path").textContent() ?? "", /absent → started, by session\.tool\.call\.started/);
  assert.equal(await page.locator("#picture .state.wrong").count(), 1);
  await close();
});

test("what is missing has a row between the events, and leads to its finding", async () => {
  const { page, close } = await open(browser, pageOf(broken()));
  const gap = page.locator("#events .gap");
  assert.equal(await gap.count(), 1);
  assert.match(await gap.textContent() ?? "", /missing here: session\.tool\.results$/);
  // It stands between the event before and the one at which it was noticed.
  const [before, at, after] = await Promise.all([13, 0, 14].map(async (line) => {
    const row = line ? page.locator("#events .event", { has: page.locator(".line", { hasText: new RegExp(`^${line}$`) }) }) : gap;
    return (await row.boundingBox())?.y ?? -1;
  }));
  assert.ok(before < at && at < after, `${before} ${at} ${after}`);
  await page.locator(".cause", { hasText: "boolean" }).click();
  await gap.click();
  assert.match(await page.locator(".explanation h2").textContent() ?? "", /has no session.tool.results/);
  assert.equal(await chosenLine(page), "14");
  await close();
});

test("what is missing at the end has a row behind the last event", async () => {
  const { page, close } = await open(browser, pageOf(event("session.status", 1, { session_id: "s", pending: true, status_label: "thinking..." })));
  const rows = await page.locator("#events [role=option]").evaluateAll((all) => all.map((one) => one.className));
  assert.deepEqual(rows, ["event error related", "gap error"]);
  await close();
});

test("an event has its number beside its line", async () => {
  const idle = event("session.status", 1, { session_id: "s", pending: false, status_label: "idle" });
  const { page, close } = await open(browser, pageOf(`\n\n${idle}\n${idle}`));
  const numbers = await page.locator("#events .event").evaluateAll((all) => all.map((one) => [".number", ".line"].map((name) => one.querySelector(name)?.textContent)));
  assert.deepEqual(numbers, [["1", "3"], ["2", "5"]]);
  await close();
});

test("a warning has the colour of warnings in the picture of a lifecycle", async () => {
  const config = "version = 1\n[rules]\ntool-result-missing = \"warning\"\n";
  const { page, close } = await open(browser, pageOf(broken(), [], undefined, config));
  await page.locator(".cause", { hasText: "has no session.tool.results" }).click();
  await page.keyboard.press("l");
  assert.equal(await page.locator("#picture .move.error, #picture .state.error, #picture text.error").count(), 0);
  assert.equal(await page.locator("#picture .move.warning").count(), 1);
  const colour = await page.locator("#picture .move.warning").evaluate((line) => getComputedStyle(line).stroke);
  const [expected, error] = await page.evaluate(() => ["--warning", "--error"].map((name) => {
    const shown = document.createElement("p");
    document.body.append(shown);
    shown.style.color = `var(${name})`;
    return getComputedStyle(shown).color;
  }));
  assert.equal(colour, expected);
  assert.notEqual(colour, error);
  assert.match(await page.locator("#picture .here").textContent() ?? "", /^⚠ it went wrong here$/);
  await close();
});

test("the picture of each lifecycle fits into its pane, and can be enlarged", async () => {
  const { page, close } = await open(browser, pageOf(broken()));
  await page.keyboard.press("l");
  const beyond = () => page.locator("#picture").evaluate((pane) => [pane.scrollWidth - pane.clientWidth, pane.scrollHeight - pane.clientHeight]);
  const names = await page.locator("#lifecycle option").allTextContents();
  assert.ok(names.length >= 3, String(names));
  for (const all of [false, true]) {
    if (all) await page.click("#all-moves");
    for (const name of names) {
      await page.selectOption("#lifecycle", { label: name });
      assert.deepEqual(await beyond(), [0, 0], `${name}, all: ${all}`);
    }
  }
  const size = () => page.locator("#picture svg").evaluate((svg) => svg.getBoundingClientRect().width);
  const fitted = await size();
  await page.click("#picture-in");
  assert.ok(await size() > 1.3 * fitted);
  await page.click("#picture-fit");
  assert.equal(await size(), fitted);
  await close();
});

test("all moves are more than those that were made", async () => {
  const { page, close } = await open(browser, pageOf(broken()));
  await page.keyboard.press("l");
  const moves = () => page.locator("#picture .move").count();
  const near = await moves();
  await page.click("#all-moves");
  assert.ok(await moves() > near, `${near} moves`);
  assert.equal(await page.locator("#all-moves").getAttribute("aria-pressed"), "true");
  await close();
});

test("a user's own protocol has lanes and labels without a line of code", async () => {
  const { readFileSync } = await import("node:fs");
  const stream = readFileSync(`${EXAMPLE}/recording.ndjson`, "utf8").split("\n").filter((line) => !line.includes("session.tool.results")).join("\n");
  const { page, complaints, close } = await open(browser, pageOf(stream, ["--protocol", EXAMPLE]));
  assert.deepEqual(complaints, []);
  const names = (await page.locator(".lane-name").allTextContents()).map((name) => name.trim());
  // The lane in which it went wrong comes first.
  assert.deepEqual(names, ["s1", "tool-round", "user", "assistant", "turn", "no session"]);
  assert.match(await page.locator(".explanation h2").textContent() ?? "", /results of its tools were never reported/);
  assert.ok((await page.locator("#events .said").allTextContents()).includes("What is in this folder?"));
  await close();
});

test("items, parts and calls of an OpenAI dump are lanes by the tables alone", async () => {
  const lines = [
    { type: "response.created", response: { id: "r", object: "response", status: "in_progress", model: "m", output: [] } },
    { type: "response.output_item.added", output_index: 0, item: { id: "i", type: "message", role: "assistant", status: "in_progress", content: [] } },
    { type: "response.content_part.added", item_id: "i", output_index: 0, content_index: 0, part: { type: "output_text", text: "", annotations: [] } },
    { type: "response.output_text.delta", item_id: "i", output_index: 0, content_index: 0, delta: "Hi" },
    { type: "response.output_item.done", output_index: 0, item: { id: "i", type: "message", role: "assistant", status: "completed", content: [] } },
  ];
  const dump = lines.map((line, sequence_number) => JSON.stringify({ ...line, sequence_number })).join("\n");
  const { page, close } = await open(browser, pageOf(`${dump}\n`, ["--protocol", "openai-responses"]));
  const names = (await page.locator(".lane-name").allTextContents()).map((name) => name.trim());
  for (const name of ["response", "item", "part"]) assert.ok(names.includes(name), `${name}: ${names}`);
  await close();
});

test("what is left out is said", async () => {
  const { page, close } = await open(browser, pageOf(recording(2000) + broken(), ["--max-events", "500"]));
  assert.match(await page.locator("#left-out").textContent() ?? "", /of 2,?0\d\d events are not shown one by one/);
  const size = Number(await page.locator("#events [role=option]").first().getAttribute("aria-setsize"));
  assert.ok(size <= 500 && size > 400, String(size));
  await close();
});

test("stored records are a plain list", async () => {
  const { page, complaints, close } = await open(browser, pageOf(`${JSON.stringify({ session_id: "s", duration: -1 })}\n`, ["--protocol", "session-records"]));
  assert.deepEqual(complaints, []);
  assert.match(await page.locator("#top .what").textContent() ?? "", /1 record/);
  await close();
});

test("a recording without findings says so, and its page is small", async () => {
  const path = pageOf(recording(5000));
  assert.ok(statSync(path).size < 3_000_000, `${statSync(path).size} bytes`);
  const { page, close } = await open(browser, path);
  assert.match(await page.locator("#counts").textContent() ?? "", /no findings/);
  await close();
});

test("a line that is no event is shown where it is", async () => {
  const idle = event("session.status", 1, { session_id: "s", pending: false, status_label: "idle" });
  const { page, close } = await open(browser, pageOf(`${idle}{"type": broken\n${idle}`));
  assert.match(await page.locator(".explanation h2").textContent() ?? "", /JSON/);
  assert.equal(await chosenLine(page), "2");
  assert.match(await page.locator("#json").textContent() ?? "", /broken/);
  await close();
});
