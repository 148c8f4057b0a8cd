// Takes the picture of a page that the README shows: docs/view.png.
import { join, resolve } from "node:path";
import { event, launch, open, pageOf, turn } from "./pages.js";

const session = { session_id: "ses_ada" };

/** A session of three turns, in the last of which the result of one of two calls is missing, beside another session. */
function recording() {
  const first = turn("ses_ada", 0, 12);
  const other = turn("ses_bob", 8, 6);
  const [ls, cat] = ["ls", "cat"].map((name, number) => ({ ...session, tool_call_id: `call_${number + 7}`, tool_name: name }));
  const last = [
    event("session.status", 34, { ...session, pending: true, status_label: "thinking..." }),
    event("session.message.appended", 34.1, { ...session, message: { role: "user", content: "What is in this folder?" } }),
    event("session.tool.call.started", 36, { ...ls, tool_input: { path: "." } }),
    event("session.tool.call.started", 37, { ...cat, tool_input: { path: "notes.md" } }),
    event("session.tool.call.completed", 40, { ...ls, ok: true, duration_ms: 4000 }),
    event("session.tool.call.completed", 42, { ...cat, ok: true, duration_ms: 5000 }),
    event("session.tool.results", 42.5, { ...session, results: [{ tool_call_id: ls.tool_call_id, tool_name: "ls", ok: true, output: {} }] }),
    event("session.stream.chunk", 44, { ...session, text: "One file, ", done: false }),
    event("session.stream.chunk", 45, { ...session, text: "notes.md.", done: true }),
    event("session.completed", 46, { ...session, final_message: "One file, notes.md." }),
    event("session.status", 47, { ...session, pending: false, status_label: "idle" }),
  ].join("");
  const lines = (first.text + other.text).trim().split("\n");
  const time = (/** @type {string} */ line) => JSON.parse(line).timestamp;
  lines.sort((one, another) => (time(one) < time(another) ? -1 : 1));
  return `${lines.join("\n")}\n${last}`;
}

const browser = await launch();
const { page, close } = await open(browser, pageOf(recording(), [], "session.ndjson"));
await page.setViewportSize({ width: 1180, height: 700 });
await page.keyboard.press("t");
await page.waitForTimeout(300);
const root = resolve(import.meta.dirname, "../..");
await page.screenshot({ path: process.argv[2] ?? join(root, "docs/view.png") });
await close();
await browser.close();
