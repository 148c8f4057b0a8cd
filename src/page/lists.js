// The list of findings, with its filters, and the list of events.

const EVENT_ROW = 22;

/** What the filters leave. */
const filters = { text: "", rule: "", stream: -1, severities: new Set(["error", "warning", "note"]) };

const findingsList = (() => {
  const list = element("ul", { id: "findings", "aria-label": "Findings, by cause" });
  const status = element("p", { id: "shown", role: "status" });
  const bar = element("div", { id: "filters", role: "search", "aria-label": "Filter the findings" });
  /** @type {Map<number, HTMLButtonElement>} */
  const buttons = new Map();
  /** The causes that are opened, where there are many findings. */
  const opened = new Set();
  /** The most findings of a cause that are listed before it is opened. */
  const FEW = 4;
  /** The most causes that are listed at once, and the number of those that pass the filters. */
  const MOST_GROUPS = 300;
  let groups = 0;

  /** @param {Finding} finding */
  function passes(finding) {
    const words = filters.text.toLowerCase();
    const all = () => [finding.message, finding.rule, finding.type ?? "", finding.pointer ?? "", String(finding.line)];
    return filters.severities.has(finding.severity)
      && (!filters.rule || finding.rule === filters.rule)
      && (filters.stream < 0 || finding.stream === filters.stream)
      && (!words || all().some((text) => text.toLowerCase().includes(words)));
  }

  /**
   * @param {string} id
   * @param {string} label
   * @param {[string, string][]} choices
   * @param {(value: string) => void} choose
   */
  function select(id, label, choices, choose) {
    const made = element("select", { id, "aria-label": label }, ...choices.map(([value, words]) => element("option", { value }, words)));
    made.addEventListener("change", () => {
      choose(made.value);
      refresh();
    });
    return made;
  }

  function build() {
    const text = element("input", { id: "filter-text", type: "search", placeholder: "Filter findings  ( / )", "aria-label": "Filter by text" });
    text.addEventListener("input", () => {
      filters.text = text.value;
      refresh();
    });
    const severities = ["error", "warning", "note"].map((severity) => {
      const number = data.findings.filter((finding) => finding.severity === severity).length;
      const button = element("button", {
        type: "button", class: `severity ${severity}`, "aria-pressed": "true", id: `filter-${severity}`,
        "aria-label": `Show ${severity}s`,
      }, `${sign(severity)} ${number}`);
      button.addEventListener("click", () => {
        const on = !filters.severities.delete(severity);
        if (on) filters.severities.add(severity);
        button.setAttribute("aria-pressed", String(on));
        refresh();
      });
      return button;
    });
    const rules = [...new Set(data.findings.map((finding) => finding.rule))].sort();
    const streams = [...new Set(data.findings.map((finding) => finding.stream))].filter((stream) => stream >= 0);
    fill(bar, text,
      rules.length > 1 ? select("filter-rule", "Filter by rule", [["", "every rule"], ...rules.map((rule) => /** @type {[string, string]} */ ([rule, rule]))], (value) => { filters.rule = value; }) : null,
      streams.length > 1 ? select("filter-stream", "Filter by session", [["-1", "every session"], ...streams.map((stream) => /** @type {[string, string]} */ ([String(stream), shortened(streamName(stream), 40)]))], (value) => { filters.stream = Number(value); }) : null,
      element("div", { class: "severities", role: "group", "aria-label": "Severities" }, ...severities));
  }

  /** @param {number} index */
  function item(index) {
    const finding = data.findings[index];
    const place = finding.line > 0 ? `line ${finding.line}` : "";
    const button = element("button", { type: "button", class: `finding ${finding.severity}`, "data-finding": index, tabindex: -1 },
      element("span", { class: "where" }, place),
      element("span", { class: "what" }, finding.type ? `${finding.type}` : ""),
      data.streams.length > 1 && finding.stream >= 0 ? element("span", { class: "session" }, shortened(streamName(finding.stream), 18)) : null);
    button.addEventListener("click", () => chooseFinding(index));
    buttons.set(index, button);
    return element("li", {}, button);
  }

  /**
   * @param {Cause} cause
   * @param {number} number
   */
  function group(cause, number) {
    const shown = cause.findings.filter((index) => passes(data.findings[index]));
    if (!shown.length) return null;
    chosen.shown.push(...shown);
    if (++groups > MOST_GROUPS) return null;
    const first = data.findings[shown[0]];
    const head = element("button", { type: "button", class: `cause ${cause.severity}`, "data-finding": shown[0] },
      element("span", { class: "sign", "aria-hidden": "true" }, sign(cause.severity)),
      element("span", { class: "message" }, element("span", { class: "hidden" }, `${cause.severity}: `), first.message),
      element("span", { class: "rule" }, cause.rule, shown.length > 1 ? ` · ${shown.length} times` : ""));
    head.addEventListener("click", () => chooseFinding(shown[0]));
    const isOpen = opened.has(number);
    const some = isOpen ? shown.slice(0, 500) : shown.slice(0, FEW);
    const more = element("button", { type: "button", class: "more" }, `${shown.length - some.length} more`);
    more.addEventListener("click", () => {
      opened.add(number);
      refresh();
    });
    return element("li", { class: `group ${cause.severity}` }, head,
      element("ul", {}, ...some.map(item), shown.length > some.length && !isOpen ? element("li", {}, more) : null));
  }

  function refresh() {
    buttons.clear();
    chosen.shown = [];
    groups = 0;
    fill(list, ...data.causes.map(group));
    if (groups > MOST_GROUPS) append(list, [element("li", { class: "remark" }, `${groups - MOST_GROUPS} more causes: filter to see them.`)]);
    const none = data.findings.length ? "No finding passes the filters." : "No findings: the recording conforms.";
    const all = chosen.shown.length === data.findings.length;
    status.textContent = chosen.shown.length ? (all ? count(chosen.shown.length, "finding") : `${chosen.shown.length} of ${count(data.findings.length, "finding")}`) : none;
    mark();
  }

  function mark() {
    const cause = data.findings[chosen.finding]?.cause;
    list.querySelectorAll("[data-finding]").forEach((button) => {
      const index = Number(button.getAttribute("data-finding"));
      const isIt = index === chosen.finding || button.classList.contains("cause") && data.findings[index].cause === cause;
      button.setAttribute("aria-current", String(isIt));
      if (index === chosen.finding && button.classList.contains("finding")) button.scrollIntoView({ block: "nearest" });
    });
  }

  /**
   * Chooses the next finding that the filters leave, or the one before.
   * @param {number} by
   */
  function step(by) {
    const at = chosen.shown.indexOf(chosen.finding);
    const next = at < 0 ? 0 : Math.min(Math.max(at + by, 0), chosen.shown.length - 1);
    if (chosen.shown.length) chooseFinding(chosen.shown[next]);
  }

  return { list, status, bar, build, refresh, mark, step };
})();

const eventsList = (() => {
  const heads = element("div", { id: "events-head", class: data.streams.length > 1 ? "sessions" : null, "aria-hidden": "true" },
    ...["event", "line", "", ...(data.streams.length > 1 ? ["session"] : []), "type", "what it says or moves"].map((word) => element("span", {}, word)));
  const { rows, rowOfEvent } = layRows();
  const inside = element("div", { class: "rows", role: "presentation" });
  const list = element("div", {
    id: "events", class: data.streams.length > 1 ? "sessions" : null, role: "listbox", tabindex: 0, "aria-label": "Events. Up and down: the event before or after.",
  }, inside);
  let pending = false;

  /**
   * Lays out the rows: an event each, and before it a row for each thing that a finding says is missing there. A row is the
   * index of an event, or the complement of that of a finding.
   */
  function layRows() {
    const gaps = /** @type {Map<number, number[]>} */ (new Map());
    const said = new Set();
    data.findings.forEach(({ event, stream, cell, missing }, index) => {
      if (!missing || event < 0) return;
      // What is missing at the end of a stream is missing after its last event.
      const at = cell?.end ? (eventsOfStream.get(stream)?.at(-1) ?? event) + 1 : event;
      const key = `${at} ${stream} ${missing}`;
      if (said.has(key)) return;
      said.add(key);
      gaps.set(at, [...(gaps.get(at) ?? []), index]);
    });
    const rows = /** @type {number[]} */ ([]);
    const rowOfEvent = new Uint32Array(events.length);
    for (let index = 0; index <= events.length; index++) {
      rows.push(...(gaps.get(index) ?? []).map((finding) => ~finding));
      if (index === events.length) break;
      rowOfEvent[index] = rows.length;
      rows.push(index);
    }
    return { rows, rowOfEvent };
  }

  /** @param {number} row */
  function rowAt(row) {
    const made = rows[row] < 0 ? gapRow(~rows[row]) : eventRow(rows[row]);
    made.style.top = `${row * EVENT_ROW}px`;
    return made;
  }

  /** @param {number} index */
  function gapRow(index) {
    const { severity, missing } = data.findings[index];
    const row = element("div", { role: "option", class: `gap ${severity}`, "aria-selected": "false" },
      element("span", { class: "sign", "aria-hidden": "true" }, "…"), `missing here: ${missing}`);
    row.addEventListener("click", () => chooseFinding(index));
    return row;
  }

  /** @param {number} index */
  function eventRow(index) {
    const event = events[index];
    const worst = worstAt(index);
    const related = data.findings[chosen.finding]?.related.find((one) => one.event === index);
    const label = event.moves.length && !event.said ? moveWords(event.moves[0]) : event.said;
    const row = element("div", {
      role: "option", id: `event-${index}`, class: `event${worst ? ` ${worst}` : ""}${related ? " related" : ""}`,
      "aria-selected": String(index === chosen.event), "aria-setsize": events.length, "aria-posinset": index + 1,
    },
      element("span", { class: "number" }, Number.isInteger(event.at) && !data.protocol.records ? String(event.at + 1) : ""),
      element("span", { class: "line" }, String(event.line)),
      element("span", { class: "sign" }, worst ? sign(worst) : related ? "↳" : ""),
      data.streams.length > 1 ? element("span", { class: "of" }, shortened(streamName(event.stream), 24)) : null,
      element("span", { class: "type" }, data.types[event.type]),
      element("span", { class: "said" }, related ? related.message : shortened(label, 90)));
    row.addEventListener("click", () => chooseEvent(index));
    return row;
  }

  function paint() {
    inside.style.height = `${rows.length * EVENT_ROW}px`;
    const first = Math.max(0, Math.floor(list.scrollTop / EVENT_ROW) - 4);
    const last = Math.min(rows.length, Math.ceil((list.scrollTop + list.clientHeight) / EVENT_ROW) + 4);
    inside.replaceChildren(...Array.from({ length: Math.max(0, last - first) }, (_, number) => rowAt(first + number)));
    const row = rowOfEvent[chosen.event] ?? -1;
    const isThere = row >= first && row < last;
    if (isThere) list.setAttribute("aria-activedescendant", `event-${chosen.event}`);
    else list.removeAttribute("aria-activedescendant");
  }

  function schedule() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      paint();
    });
  }

  function reveal() {
    inside.style.height = `${rows.length * EVENT_ROW}px`;
    const top = (rowOfEvent[chosen.event] ?? 0) * EVENT_ROW;
    if (top < list.scrollTop + EVENT_ROW || top > list.scrollTop + list.clientHeight - 2 * EVENT_ROW) {
      list.scrollTop = Math.max(0, top - list.clientHeight * 0.6);
    }
    paint();
  }

  /** @param {number} by */
  function step(by) {
    chooseEvent(Math.min(Math.max(chosen.event + by, 0), events.length - 1));
  }

  return { heads, list, schedule, reveal, step };
})();
