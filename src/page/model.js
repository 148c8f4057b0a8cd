// What the page was given, and what is chosen in it. Everything else asks here, and is told of changes.

/**
 * @typedef {{at: number, file: number, line: number, type: number, stream: number, time: number | null, said: string,
 *   moves: [number, number, number, number | null][], lane: number, text: string, cut: boolean}} PageEvent
 * @typedef {{message: string, line: number, event: number}} Related
 * @typedef {{lifecycle: number, instance: number, from: number, to: number, end: boolean}} Cell
 * @typedef {{rule: string, severity: string, message: string, file: number, line: number, column: number,
 *   type: string | null, event: number, stream: number, pointer: string | null, mark: [number, number] | null,
 *   help: string | null, quote: string | null, related: Related[], cell: Cell | null, missing: string | null, cause: number,
 *   lines: string[], fewest: boolean}} Finding
 * @typedef {{rule: string, severity: string, message: string, findings: number[]}} Cause
 * @typedef {{means: string, help: string, basis: string, source: string, quotes: string[], page: string | null}} Rule
 * @typedef {{state: number, name: string, place: number[], words: [boolean, string][], initial: boolean,
 *   recovery: boolean}} Box
 * @typedef {{from: number, to: number, rule: string | null, path: string, label: number[], words: string[]}} Line
 * @typedef {{title: string, size: number[], boxes: Box[], lines: Line[]}} Picture
 * @typedef {{name: string, within: number | null, shown: boolean, states: {name: string, kind: string}[],
 *   near: Picture | null, whole: Picture, notes: string[]}} Lifecycle
 * @typedef {{number: number, stream: number, lifecycle: number | null, label: string}} Lane
 * @typedef {{program: string, title: string, protocol: {name: string, title: string, records: boolean},
 *   total: {words: string, events: number, findings: Record<string, number>}, leftOut: string[], files: string[],
 *   types: string[], streams: {file: number, name: string}[], lifecycles: Lifecycle[], lanes: Lane[],
 *   instances: [number, number, number, string, string][], bars: [number, number, number, number][],
 *   events: any[], rules: Record<string, Rule>, ruleNames: string[], severities: Record<string, string>,
 *   findings: Finding[], causes: Cause[]}} Data
 */

/** @type {Data} */
const data = JSON.parse(byId("data").textContent || "{}");

/** @type {PageEvent[]} */
const events = data.events.map(([at, file, line, type, stream, time, said, moves, lane, text, cut]) => (
  { at, file, line, type, stream, time, said, moves, lane, text, cut: cut === 1 }
));
data.events = [];
byId("data").textContent = "";

/** What is chosen. */
const chosen = {
  /** The index of a finding; -1 for none. */
  finding: -1,
  /** The index of an event; -1 for none. */
  event: -1,
  byTime: false,
  allLanes: false,
  /** The findings that the filters leave, by their indices. */
  shown: /** @type {number[]} */ ([]),
};

/** @type {(() => void)[]} */
const listeners = [];

/**
 * Calls something after each change of what is chosen.
 * @param {() => void} listener
 */
function onChange(listener) {
  listeners.push(listener);
}

function changed() {
  listeners.forEach((listener) => listener());
}

/** @param {number} index */
function chooseFinding(index) {
  if (index < 0 || index >= data.findings.length) return;
  chosen.finding = index;
  const { event } = data.findings[index];
  if (event >= 0) chosen.event = event;
  changed();
}

/** @param {number} index */
function chooseEvent(index) {
  if (index < 0 || index >= events.length) return;
  chosen.event = index;
  const current = data.findings[chosen.finding];
  if (!current || current.event !== index) {
    const here = data.findings.findIndex((finding) => finding.event === index);
    if (here >= 0) chosen.finding = here;
  }
  changed();
}

/** The findings by the index of their event. */
const findingsAt = /** @type {Map<number, number[]>} */ (new Map());
data.findings.forEach((finding, index) => {
  if (finding.event < 0) return;
  const here = findingsAt.get(finding.event);
  if (here) here.push(index);
  else findingsAt.set(finding.event, [index]);
});

/**
 * Returns the highest severity of the findings at an event; `null` if there are none.
 * @param {number} event
 */
function worstAt(event) {
  const there = (findingsAt.get(event) ?? []).map((index) => data.findings[index].severity);
  return ["error", "warning", "note"].find((one) => there.includes(one)) ?? null;
}

/**
 * Returns the severity of a rule.
 * @param {string} rule
 */
function severityOf(rule) {
  return data.severities[rule] ?? "error";
}

/**
 * Returns the severity of the rule that a move broke; `null` if it broke none.
 * @param {[number, number, number, number | null]} move
 */
function severityOfMove([, , , rule]) {
  return rule === null ? null : severityOf(data.ruleNames[rule]);
}

/**
 * Returns the name of a stream, with its file where there are several.
 * @param {number} stream
 */
function streamName(stream) {
  if (stream < 0) return "no session";
  const { name, file } = data.streams[stream];
  const shown = name || "the stream";
  return data.files.length > 1 ? `${data.files[file]}: ${shown}` : shown;
}

/**
 * Returns the name of an instance, such as `turn 2`.
 * @param {number} number
 */
function instanceName(number) {
  const [lifecycle, , , label, key] = data.instances[number];
  const name = data.lifecycles[lifecycle].name;
  const words = label && key && !key.endsWith(label) ? `${label} (${key})` : key || label;
  return words ? `${name} ${words}` : name;
}

/**
 * @param {number} lifecycle
 * @param {number} state
 */
function stateName(lifecycle, state) {
  return state < 0 ? "unsure" : data.lifecycles[lifecycle].states[state].name;
}

/**
 * @param {number} lifecycle
 * @param {number} state
 */
function stateKind(lifecycle, state) {
  return state < 0 ? "unsure" : data.lifecycles[lifecycle].states[state].kind;
}

/**
 * Returns a move in words, such as `turn 1: active → completed`.
 * @param {[number, number, number, number | null]} move
 */
function moveWords([instance, from, to]) {
  const lifecycle = data.instances[instance][0];
  const after = stateName(lifecycle, to);
  return from === to
    ? `${instanceName(instance)}: stays ${after}`
    : `${instanceName(instance)}: ${stateName(lifecycle, from)} → ${after}`;
}

const hasTimes = events.filter((event) => event.time !== null).length > 1;
