// What the timeline shows, in units of events or of milliseconds: rows, bars in them, and where each event is.

/** @typedef {{kind: "events" | "named" | "bars", stream: number, lane: number, top: number, height: number,
 *   label: string, title: string}} Row */

const EVENTS_ROW = 34;
/** The row of the stream with the chosen finding has room for words. */
const TALL_ROW = 90;
const BARS_ROW = 20;
const STREAM_GAP = 8;

/** By event: its position among the events, and in time. */
const numbers = Float64Array.from(events, (event) => event.at);
const times = timesOfEvents();

/** By bar: the times of its ends. */
const barTimes = new Float64Array(data.bars.length * 2);

/** By lane: the indices of its bars, in their order. */
const barsOfLane = /** @type {Map<number, number[]>} */ (new Map());
data.bars.forEach(([instance, , from, to], index) => {
  const lane = data.instances[instance][2];
  const bars = barsOfLane.get(lane);
  if (bars) bars.push(index);
  else barsOfLane.set(lane, [index]);
  barTimes[2 * index] = timeAt(from);
  barTimes[2 * index + 1] = timeAt(to);
});

/** By stream, and by lane of events: the indices of events, in their order. */
const eventsOfStream = grouped((event) => event.stream);
const eventsOfLane = grouped((event) => event.lane);

/** Returns the time of each event since the first one; of those without a time, that of the one before. */
function timesOfEvents() {
  const first = events.reduce((least, event) => (event.time === null ? least : Math.min(least, event.time)), Infinity);
  let last = 0;
  return Float64Array.from(events, (event) => {
    if (event.time !== null) last = event.time - first;
    return last;
  });
}

/** The moment at which times begin; `null` if no event has a time. */
const firstTime = hasTimes ? events.reduce((least, event) => Math.min(least, event.time ?? Infinity), Infinity) : null;

/** By event: 2 if it moves something, else 1. */
const levels = Uint8Array.from(events, (event) => (event.moves.length ? 2 : 1));

/** By stream: the events with findings, in their order. */
const foundInStream = /** @type {Map<number, number[]>} */ (new Map());
for (const index of [...findingsAt.keys()].sort((one, other) => one - other)) {
  const { stream } = events[index];
  foundInStream.set(stream, [...(foundInStream.get(stream) ?? []), index]);
}

/**
 * Returns the index of the first event that is not before a position.
 * @param {Float64Array} positions
 * @param {number} position
 */
function indexAt(positions, position) {
  let low = 0;
  let high = positions.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (positions[middle] < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Returns the time of the last shown event that is not after a position.
 * @param {number} at
 */
function timeAt(at) {
  const index = indexAt(numbers, at);
  return times[numbers[index] === at ? index : Math.max(0, index - 1)] ?? 0;
}

/**
 * @param {(event: PageEvent) => number} key
 */
function grouped(key) {
  const groups = /** @type {Map<number, number[]>} */ (new Map());
  events.forEach((event, index) => {
    const group = groups.get(key(event));
    if (group) group.push(index);
    else groups.set(key(event), [index]);
  });
  return groups;
}

/** Returns the positions of events in the unit that is chosen. */
function positions() {
  return chosen.byTime ? times : numbers;
}

/** The last moment, and the last number. */
const lastTime = times.reduce((last, time) => Math.max(last, time), 0);
const lastNumber = Math.max(numbers[numbers.length - 1] ?? 0, data.total.events - 1);

/** Returns the first and the last position that can be shown, with room around them. */
function extent() {
  const [first, last] = chosen.byTime ? [0, lastTime] : [Math.min(numbers[0] ?? 0, 0), lastNumber];
  const room = Math.max((last - first) * 0.02, chosen.byTime ? 1 : 0.7);
  return { first: first - room, last: last + room };
}

/**
 * Returns both ends of a bar in the unit that is chosen.
 * @param {number} index
 */
function barEnds(index) {
  if (chosen.byTime) return [barTimes[2 * index], barTimes[2 * index + 1]];
  const [, , from, to] = data.bars[index];
  return [from, to];
}

/** Returns the lifecycles of which lanes are shown: those with words for people, and that of the chosen finding. */
function shownLifecycles() {
  const cell = data.findings[chosen.finding]?.cell;
  return new Set(data.lifecycles.map((_, number) => number)
    .filter((number) => chosen.allLanes || data.lifecycles[number].shown || cell?.lifecycle === number));
}

/**
 * Returns the rows of the timeline from top to bottom.
 * @returns {{rows: Row[], height: number}}
 */
function layRows() {
  const shown = shownLifecycles();
  /** @type {Row[]} */
  const rows = [];
  let top = 0;
  const add = (/** @type {Omit<Row, "top">} */ row) => {
    rows.push({ ...row, top });
    top += row.height;
  };
  const lanesOf = /** @type {Map<number, Lane[]>} */ (new Map());
  data.lanes.forEach((lane) => lanesOf.set(lane.stream, [...(lanesOf.get(lane.stream) ?? []), lane]));
  const streams = [...data.streams.keys()].filter((stream) => eventsOfStream.has(stream) || lanesOf.has(stream));
  if (eventsOfStream.has(-1)) streams.push(-1);
  for (const stream of streams) {
    const name = streamName(stream);
    const isTall = events[chosen.event]?.stream === stream && data.findings.length > 0;
    add({ kind: "events", stream, lane: -1, height: isTall ? TALL_ROW : EVENTS_ROW, label: name, title: `events of ${name}` });
    let before = -1;
    // The lane in which the chosen finding went wrong comes first: it must not be out of view.
    const { cell } = data.findings[chosen.finding] ?? {};
    const first = cell && data.instances[cell.instance][1] === stream ? data.instances[cell.instance][2] : -1;
    const lanes = lanesOf.get(stream) ?? [];
    for (const lane of [...lanes.filter((one) => one.number === first), ...lanes.filter((one) => one.number !== first)]) {
      if (lane.lifecycle === null) {
        add({ kind: "named", stream, lane: lane.number, height: BARS_ROW, label: lane.label, title: `events: ${lane.label}` });
      } else if (shown.has(lane.lifecycle) && barsOfLane.has(lane.number)) {
        const label = lane.lifecycle === before ? "" : lane.label;
        before = lane.lifecycle;
        add({ kind: "bars", stream, lane: lane.number, height: BARS_ROW, label, title: lane.label });
      }
    }
    top += STREAM_GAP;
  }
  return { rows, height: top };
}

/** Returns the runs of events that are not shown one by one, where they are known: between shown ones. */
function omittedRuns() {
  if (!data.leftOut.length || data.protocol.records) return [];
  const runs = [];
  for (let index = 1; index < numbers.length; index++) {
    if (numbers[index] - numbers[index - 1] > 1.5) runs.push([numbers[index - 1] + 0.5, numbers[index] - 0.5]);
  }
  const last = numbers[numbers.length - 1] ?? 0;
  if (last < data.total.events - 1.5) runs.push([last + 0.5, data.total.events - 0.5]);
  return runs;
}

/**
 * Returns the words of the axis at a position.
 * @param {number} at
 * @param {number} step from one mark to the next
 */
function axisWords(at, step) {
  if (!chosen.byTime) return `event ${Math.round(at) + 1}`;
  if (step >= 60_000) return duration(at);
  return step >= 1000 ? `${Math.round(at / 1000)} s` : step >= 10 ? `${(at / 1000).toFixed(2)} s` : `${at.toFixed(step < 1 ? 2 : 0)} ms`;
}
