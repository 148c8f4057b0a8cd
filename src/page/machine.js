// The lifecycles as pictures, with the path that an instance took and the cell where it went wrong.

const machine = (() => {
  const picture = element("div", { id: "picture", tabindex: 0, role: "group", "aria-label": "Picture of a lifecycle" });
  const path = element("ol", { id: "path", "aria-label": "The path of this instance", tabindex: 0 });
  const choice = element("select", { id: "lifecycle", "aria-label": "Lifecycle" });
  const all = element("button", { type: "button", id: "all-moves", "aria-pressed": "false" }, "All moves");
  let wanted = -1;
  /** How much larger than its pane the picture is. */
  let zoomed = 1;

  function build() {
    fill(choice, ...data.lifecycles.map((lifecycle, number) => element("option", { value: number }, lifecycle.name)));
    choice.addEventListener("change", () => {
      wanted = Number(choice.value);
      zoomed = 1;
      refresh();
    });
    all.addEventListener("click", () => {
      all.setAttribute("aria-pressed", String(all.getAttribute("aria-pressed") !== "true"));
      zoomed = 1;
      refresh();
    });
  }

  /** Returns the instance of which the path is shown, and its lifecycle. */
  function subject() {
    const finding = data.findings[chosen.finding];
    const cell = finding && finding.event === chosen.event ? finding.cell : null;
    const moves = events[chosen.event]?.moves ?? [];
    const stream = events[chosen.event]?.stream ?? -1;
    const ofWanted = () => {
      const here = moves.find(([instance]) => data.instances[instance][0] === wanted);
      if (here) return here[0];
      return data.instances.findLastIndex(([lifecycle, of]) => lifecycle === wanted && of === stream);
    };
    if (wanted >= 0) return { lifecycle: wanted, instance: cell?.lifecycle === wanted ? cell.instance : ofWanted() };
    if (cell) return { lifecycle: cell.lifecycle, instance: cell.instance };
    if (moves.length) return { lifecycle: data.instances[moves[0][0]][0], instance: moves[0][0] };
    return { lifecycle: 0, instance: data.instances.findIndex(([lifecycle, of]) => lifecycle === 0 && of === stream) };
  }

  /**
   * Returns the moves of an instance up to the chosen event, each with the index of its event.
   * @param {number} instance
   */
  function walked(instance) {
    const steps = /** @type {{index: number, move: [number, number, number, number | null]}[]} */ ([]);
    if (instance < 0) return steps;
    const stream = data.instances[instance][1];
    for (const index of eventsOfStream.get(stream) ?? []) {
      if (index > chosen.event && chosen.event >= 0) break;
      // That nothing is known yet is no step.
      const isStep = (/** @type {[number, number, number, number | null]} */ [of, from, to, rule]) => of === instance && (from >= 0 || to >= 0 || rule !== null);
      for (const move of events[index].moves) if (isStep(move)) steps.push({ index, move });
    }
    return steps;
  }

  function refresh() {
    if (!data.lifecycles.length) return;
    const { lifecycle, instance } = subject();
    choice.value = String(lifecycle);
    const finding = data.findings[chosen.finding];
    const cell = finding?.cell && finding.cell.instance === instance && finding.event === chosen.event ? finding.cell : null;
    const steps = walked(instance);
    const { near, whole, notes } = data.lifecycles[lifecycle];
    all.toggleAttribute("disabled", !near);
    const shown = near && all.getAttribute("aria-pressed") !== "true" ? near : whole;
    fill(picture, drawing(shown, steps.map((step) => step.move), cell, finding));
    centre(shown, cell?.from ?? steps.at(-1)?.move[2] ?? 0);
    const items = steps.slice(-60).map(({ index, move }) => {
      const [, from, to] = move;
      const words = `line ${events[index].line}: ${stateName(lifecycle, from)} → ${stateName(lifecycle, to)}, by ${data.types[events[index].type]}`;
      const button = element("button", { type: "button", class: `link ${severityOfMove(move) ?? ""}` }, words);
      button.addEventListener("click", () => chooseEvent(index));
      return element("li", {}, button);
    });
    if (cell?.end) items.push(element("li", { class: finding.severity }, `the end of the stream, in ${stateName(lifecycle, cell.from)}`));
    fill(path, ...(items.length ? items : [element("li", { class: "remark" }, "It made no move up to this event.")]),
      ...notes.map((note) => element("li", { class: "remark" }, note)));
  }

  /**
   * Brings the box of a state into view.
   * @param {Picture} shown
   * @param {number} state
   */
  function centre(shown, state) {
    const box = shown.boxes.find((one) => one.state === state);
    const svg = picture.firstElementChild;
    if (!box || !svg) return;
    const scale = Number(svg.getAttribute("width")) / (shown.size[0] + 40);
    const [x, y, w, h] = box.place;
    picture.scrollLeft = (x + 20 + w / 2) * scale - picture.clientWidth / 2;
    picture.scrollTop = (y + 40 + h / 2) * scale - picture.clientHeight / 2;
  }

  /**
   * @param {Picture} shown
   * @param {[number, number, number, number | null][]} moves
   * @param {Cell | null} cell
   * @param {Finding | undefined} finding
   */
  function drawing(shown, moves, cell, finding) {
    const [w, h] = [shown.size[0] + 40, shown.size[1] + 60];
    const scale = Math.min(1, (picture.clientWidth - 16) / w, (picture.clientHeight - 16) / h) * zoomed;
    const svg = drawn("svg", { viewBox: `-20 -40 ${w} ${h}`, width: w * scale, height: h * scale, role: "img", "aria-label": `The lifecycle ${shown.title}` });
    const defs = drawn("defs", {});
    for (const kind of ["plain", "taken", "error", "warning", "note"]) {
      const marker = drawn("marker", { id: `tip-${kind}`, viewBox: "0 0 8 8", refX: 7.5, refY: 4, markerWidth: 8, markerHeight: 8, markerUnits: "userSpaceOnUse", orient: "auto" });
      marker.append(drawn("path", { class: `tip ${kind}`, d: "M0 0.5L8 4L0 7.5z" }));
      defs.append(marker);
    }
    svg.append(defs);
    // A move that broke a rule is not the legal one between the same states.
    const isTaken = (/** @type {Line} */ line) =>
      moves.some((move) => move[1] === line.from && move[2] === line.to && (move[3] === null) === (line.rule === null));
    const lines = shown.lines.map((line) => {
      const isWrong = cell && !cell.end && line.rule === finding?.rule && line.from === cell.from && line.to === cell.to;
      if (line.rule !== null) return { ...line, kind: isWrong || isTaken(line) ? severityOf(line.rule) : "plain" };
      return { ...line, kind: isTaken(line) ? "taken" : "plain" };
    });
    lines.sort((one, other) => Number(one.kind !== "plain") - Number(other.kind !== "plain"));
    for (const line of lines) svg.append(drawn("path", { class: `move ${line.kind}${line.rule ? " forbidden" : ""}`, d: line.path, "marker-end": `url(#tip-${line.kind})` }));
    for (const line of lines) svg.append(label(line));
    const visited = new Set(moves.flatMap((move) => [move[1], move[2]]));
    for (const box of shown.boxes) svg.append(...state(box, visited.has(box.state), cell, finding?.severity ?? "error"));
    return svg;
  }

  /** @param {Line & {kind: string}} line */
  function label(line) {
    const group = drawn("g", { class: `label ${line.kind}` });
    const [x, y, w, h] = line.label;
    group.append(drawn("rect", { x, y, width: w, height: h, rx: 3 }));
    line.words.forEach((words, number) => group.append(drawn("text", { x: x + 4, y: y + 11.5 + number * 14, class: line.rule && number === 0 ? `rule ${severityOf(line.rule)}` : "event" }, words)));
    return group;
  }

  /**
   * @param {Box} box
   * @param {boolean} isVisited
   * @param {Cell | null} cell
   * @param {string} severity
   */
  function state(box, isVisited, cell, severity) {
    const [x, y, w, h] = box.place;
    const isWrong = cell?.from === box.state;
    const kind = isWrong ? `wrong ${severity}` : isVisited ? "visited" : box.recovery ? "recovery" : "plain";
    const parts = [drawn("rect", { class: `state ${kind}`, x, y, width: w, height: h, rx: 8 }), drawn("text", { class: "name", x: x + 8, y: y + 18 }, box.name)];
    box.words.forEach(([isRule, words], number) => parts.push(drawn("text", { class: isRule ? `rule ${severityOf(data.ruleNames.find((name) => words.endsWith(name)) ?? "")}` : "event", x: x + 8, y: y + 35 + number * 14 }, words)));
    if (box.initial) {
      const middle = x + w / 2;
      parts.push(drawn("circle", { class: "tip plain", cx: middle, cy: y - 26, r: 5 }), drawn("path", { class: "move plain", d: `M${middle} ${y - 26}V${y}`, "marker-end": "url(#tip-plain)" }));
    }
    if (isWrong) parts.push(drawn("text", { class: `here ${severity}`, x: x + w - 4, y: y - 6, "text-anchor": "end" }, `${sign(severity)} ${cell.end ? "the stream ended here" : "it went wrong here"}`));
    return parts;
  }

  return {
    picture, path, choice, all, build, refresh,
    /** @param {number} by a factor; 0 fits the picture into its pane */
    zoom(by) {
      zoomed = Math.min(Math.max(zoomed * by, by ? 0.5 : 1), 12);
      refresh();
    },
    follow() {
      wanted = -1;
      zoomed = 1;
      refresh();
    },
  };
})();
