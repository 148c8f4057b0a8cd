// Puts the page together, and takes what people do.

const announcer = element("div", { id: "announcer", class: "hidden", role: "status", "aria-live": "polite" });

/** The keys, as the help lists them. */
const KEYS = [
  ["j, k", "the next finding, the one before"], ["←, →", "the event before, the event after"],
  ["+, −, 0", "zoom in, zoom out, show everything"], ["f", "zoom to the finding and what explains it"],
  ["Shift ←, →", "move along the timeline"], ["Shift ↑, ↓", "move over the lanes"], ["t", "by time, or by number"],
  ["a", "all lanes, or the main ones"], ["l, e", "the lifecycle, the event"], ["/", "filter the findings"], ["c", "copy the lines"], ["?", "this list"],
];

function headline() {
  const { findings } = data.total;
  const all = ["error", "warning", "note"].filter((severity) => findings[severity] > 0);
  const counts = all.map((severity) => element("span", { class: `count ${severity}` }, `${sign(severity)} ${count(findings[severity], severity)}`));
  return element("header", { id: "top" },
    element("h1", {}, data.title),
    element("p", { id: "counts" }, ...(counts.length ? counts : [element("span", { class: "count clean" }, "✓ no findings")])),
    element("p", { class: "what" }, `${data.total.words} · ${data.protocol.title} · ${data.program}`),
    button("help", "Keys ( ? )", () => toggleHelp(), { "aria-haspopup": "dialog" }));
}

/**
 * @param {string} id
 * @param {string} words
 * @param {() => void} act
 * @param {Record<string, string>} [attributes]
 */
function button(id, words, act, attributes = {}) {
  const made = element("button", { type: "button", id, ...attributes }, words);
  made.addEventListener("click", act);
  return made;
}

const dialog = element("dialog", { id: "keys", "aria-label": "Keys" },
  element("h2", {}, "Keys"),
  element("dl", {}, ...KEYS.flatMap(([keys, words]) => [element("dt", {}, keys), element("dd", {}, words)])),
  element("form", { method: "dialog" }, element("button", {}, "Close")));

function toggleHelp() {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

function tools() {
  const unit = button("unit", "By time", () => setUnit(!chosen.byTime), { "aria-pressed": "false" });
  const lanes = button("lanes", "All lanes", () => setLanes(!chosen.allLanes), { "aria-pressed": "false" });
  if (!hasTimes) {
    unit.setAttribute("disabled", "");
    unit.title = "the events have no times";
  }
  return element("div", { id: "tools", role: "toolbar", "aria-label": "Timeline" },
    unit, lanes, button("zoom-in", "+", () => timeline.zoom(0.5), { "aria-label": "Zoom in" }),
    button("zoom-out", "−", () => timeline.zoom(2), { "aria-label": "Zoom out" }), button("fit", "Everything", () => timeline.fit()),
    button("focus", "To the finding", () => timeline.zoomToChosen()), element("span", { id: "now" }));
}

/** @param {boolean} byTime */
function setUnit(byTime) {
  if (!hasTimes) return;
  chosen.byTime = byTime;
  byId("unit").setAttribute("aria-pressed", String(byTime));
  timeline.fit();
}

/** @param {boolean} all */
function setLanes(all) {
  chosen.allLanes = all;
  byId("lanes").setAttribute("aria-pressed", String(all));
  timeline.relay();
}

/** @param {"event" | "machine"} which */
function showTab(which) {
  for (const one of ["event", "machine"]) {
    byId(`tab-${one}`).setAttribute("aria-selected", String(one === which));
    byId(`tab-${one}`).tabIndex = one === which ? 0 : -1;
    byId(`panel-${one}`).hidden = one !== which;
  }
  if (which === "machine") machine.refresh();
}

function tabs() {
  const tab = (/** @type {"event" | "machine"} */ one, /** @type {string} */ words) =>
    button(`tab-${one}`, words, () => showTab(one), { role: "tab", "aria-controls": `panel-${one}`, "aria-selected": "false" });
  const list = element("div", { role: "tablist", "aria-label": "Details" }, tab("event", "Finding and event"), data.lifecycles.length ? tab("machine", "Lifecycle") : tab("machine", "No lifecycles"));
  list.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.stopPropagation();
    const next = byId("panel-event").hidden ? "event" : "machine";
    showTab(next);
    byId(`tab-${next}`).focus();
  });
  return element("section", { id: "detail", "aria-label": "Details" }, list,
    element("div", { id: "panel-event", role: "tabpanel", "aria-labelledby": "tab-event", tabindex: 0 }, detail.place),
    element("div", { id: "panel-machine", role: "tabpanel", "aria-labelledby": "tab-machine" },
      element("div", { id: "machine-tools", role: "toolbar", "aria-label": "Picture" }, machine.choice, machine.all,
        button("picture-in", "+", () => machine.zoom(1.4), { "aria-label": "Enlarge the picture" }),
        button("picture-out", "−", () => machine.zoom(1 / 1.4), { "aria-label": "Reduce the picture" }),
        button("picture-fit", "Fit", () => machine.zoom(0))), element("div", { id: "machine-body" }, machine.picture, machine.path)));
}

function build() {
  findingsList.build();
  machine.build();
  const notes = data.leftOut.length ? element("p", { id: "left-out", role: "note" }, `${data.leftOut.join("; ")}.`) : null;
  byId("page").append(headline(),
    element("main", { id: "main" },
      element("section", { id: "side", "aria-label": "Findings" }, findingsList.bar, findingsList.status, findingsList.list, notes),
      element("section", { id: "time", "aria-label": "Timeline" }, tools(), timeline.overview, timeline.stage),
      element("section", { id: "stream", "aria-label": "Events" }, eventsList.heads, eventsList.list), tabs()),
    announcer, dialog);
  const most = events.reduce((most, event) => Math.max(most, event.line), data.total.events);
  byId("stream").style.setProperty("--digits", String(String(most).length));
  listen();
  findingsList.refresh();
  timeline.relay();
  timeline.fit();
  showTab("event");
  if (data.findings.length) chooseFinding(chosen.shown[0] ?? 0);
  else chooseEvent(0);
}

function announce() {
  const finding = data.findings[chosen.finding];
  const event = events[chosen.event];
  const isHere = finding && finding.event === chosen.event;
  announcer.textContent = visible(isHere ? `${finding.severity}, line ${finding.line}: ${finding.message}` : event ? `line ${event.line}: ${data.types[event.type]}` : "");
  const time = firstTime !== null && event && event.time !== null ? ` · ${duration(event.time - firstTime)} after the start` : "";
  byId("now").textContent = event ? visible(`line ${event.line}${time}`) : "";
}

function listen() {
  onChange(() => {
    timeline.relay();
    timeline.reveal();
    timeline.schedule();
    eventsList.reveal();
    findingsList.mark();
    detail.refresh();
    if (!byId("panel-machine").hidden) machine.follow();
    announce();
  });
  eventsList.list.addEventListener("scroll", () => eventsList.schedule());
  new ResizeObserver(() => {
    timeline.relay();
    eventsList.reveal();
  }).observe(timeline.stage);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => timeline.forgetColours());
  listenToPointer();
  document.addEventListener("keydown", onKey);
}

/** Moving with a pointer: drag to move, wheel to zoom, click to choose. */
function listenToPointer() {
  const { canvas, stage, tip, overview } = timeline;
  let drag = /** @type {{x: number, y: number, moved: boolean} | null} */ (null);
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.clientX, y: event.clientY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
      if (drag.moved || Math.abs(x) + Math.abs(y) > 3) {
        timeline.pan(-x / timeline.width());
        timeline.scroll(-y);
        drag = { x: event.clientX, y: event.clientY, moved: true };
      }
      return;
    }
    showTip(event);
  });
  canvas.addEventListener("pointerup", (event) => {
    const isClick = drag && !drag.moved;
    drag = null;
    const { event: index, bar } = timeline.hit(event.offsetX, event.offsetY);
    if (!isClick) return;
    if (index >= 0) chooseEvent(index);
    else if (bar >= 0) chooseEvent(Math.min(indexAt(numbers, data.bars[bar][2]), events.length - 1));
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const sideways = event.shiftKey ? event.deltaY : event.deltaX;
    if (event.target !== canvas || event.altKey) timeline.scroll(event.deltaY);
    else if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) timeline.pan(sideways / timeline.width());
    else timeline.zoom(Math.exp(event.deltaY / 300), event.offsetX);
  }, { passive: false });
  overview.addEventListener("pointerdown", (event) => centre(event));
  overview.addEventListener("pointermove", (event) => {
    if (event.buttons) centre(event);
  });
  const centre = (/** @type {PointerEvent} */ event) => {
    const { first, last } = extent();
    const at = first + (event.offsetX / overview.clientWidth) * (last - first);
    timeline.show(at - timeline.span() / 2, at + timeline.span() / 2);
  };
}

/** @param {PointerEvent} event */
function showTip(event) {
  const { tip, stage } = timeline;
  const { row, event: index, bar } = timeline.hit(event.offsetX, event.offsetY);
  let words = "";
  if (row && index >= 0) {
    const found = (findingsAt.get(index) ?? []).map((number) => `\n${sign(data.findings[number].severity)} ${data.findings[number].message}`);
    words = `line ${events[index].line}: ${data.types[events[index].type]}\n${shortened(events[index].said, 80)}${found.join("")}`;
  } else if (row && bar >= 0) {
    const [instance, state, from, to] = data.bars[bar];
    const span = chosen.byTime || hasTimes ? `, ${duration(timeAt(to) - timeAt(from))}` : "";
    words = `${instanceName(instance)}: ${stateName(data.instances[instance][0], state)}\nevents ${from + 1} to ${to + 1}${span}`;
  }
  tip.hidden = !words;
  tip.textContent = visible(words);
  const left = timeline.canvas.offsetLeft + event.offsetX;
  tip.style.left = `${Math.min(left + 12, stage.clientWidth - 260)}px`;
  tip.style.top = `${Math.min(event.offsetY + 14, stage.clientHeight - 60)}px`;
}

/** @type {Record<string, () => void>} */
const ACTIONS = {
  j: () => findingsList.step(1), k: () => findingsList.step(-1),
  ArrowRight: () => eventsList.step(1), ArrowLeft: () => eventsList.step(-1),
  "+": () => timeline.zoom(0.5), "=": () => timeline.zoom(0.5), "-": () => timeline.zoom(2), 0: () => timeline.fit(),
  f: () => timeline.zoomToChosen(), t: () => setUnit(!chosen.byTime), a: () => setLanes(!chosen.allLanes),
  l: () => showTab("machine"), e: () => showTab("event"), "/": () => byId("filter-text").focus(), "?": toggleHelp,
  c: () => { if (document.getElementById("copy")) detail.copy(); },
  "Shift ArrowRight": () => timeline.pan(0.2), "Shift ArrowLeft": () => timeline.pan(-0.2),
  "Shift ArrowDown": () => timeline.scroll(40), "Shift ArrowUp": () => timeline.scroll(-40),
};

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.key === "Escape" && target.matches("input")) return target.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, select, textarea") || dialog.open) return;
  const isList = target === eventsList.list;
  if (isList && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    return eventsList.step(event.key === "ArrowDown" ? 1 : -1);
  }
  const act = ACTIONS[event.shiftKey && event.key.startsWith("Arrow") ? `Shift ${event.key}` : event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

build();
