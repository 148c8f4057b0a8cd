// Paints the timeline. Nothing here changes what is shown.

/** Returns a painter with the colours of the page's style. */
function painterOf() {
  const style = getComputedStyle(document.documentElement);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const [ink, soft, line, ground, accent] = ["--ink", "--soft", "--line", "--ground", "--accent"].map(colour);
  const severity = /** @type {Record<string, string>} */ ({
    error: colour("--error"), warning: colour("--warning"), note: colour("--note"),
  });
  const hues = Array.from({ length: 8 }, (_, number) => colour(`--state-${number}`));
  const [rest, wrong, unsure, inkOnBar] = ["--rest", "--wrong", "--unsure", "--bar-ink"].map(colour);
  const small = "11px system-ui, sans-serif";
  const omitted = omittedRuns();

  /**
   * @param {number} lifecycle
   * @param {number} state
   */
  function barColour(lifecycle, state) {
    const kind = stateKind(lifecycle, state);
    if (kind === "unsure") return unsure;
    if (kind === "wrong") return wrong;
    if (kind === "rest") return rest;
    return hues[(state - 1 + lifecycle * 3) % hues.length];
  }

  /**
   * @typedef {{laid: {rows: Row[], height: number}, view: {start: number, end: number, scroll: number},
   *   xOf: (position: number) => number, width: number, height: number}} Frame
   * @param {CanvasRenderingContext2D} on
   * @param {Frame} frame
   */
  function paint(on, frame) {
    on.font = small;
    on.textBaseline = "middle";
    paintGaps(on, frame);
    on.save();
    on.beginPath();
    on.rect(0, AXIS, frame.width, frame.height - AXIS);
    on.clip();
    const top = (/** @type {Row} */ row) => AXIS + row.top - frame.view.scroll;
    const rows = frame.laid.rows.filter((row) => top(row) < frame.height && top(row) + row.height > AXIS);
    for (const row of rows) {
      on.fillStyle = line;
      on.fillRect(0, top(row) + row.height - 0.5, frame.width, 0.5);
      if (row.kind === "bars") paintBars(on, frame, row, top(row));
      else paintTicks(on, frame, row, top(row));
    }
    paintChosen(on, frame);
    on.restore();
    paintAxis(on, frame);
  }

  /**
   * @param {CanvasRenderingContext2D} on
   * @param {Frame} frame
   */
  function paintGaps(on, { view, xOf, height }) {
    if (chosen.byTime) return;
    on.fillStyle = line;
    on.globalAlpha = 0.45;
    for (const [from, to] of omitted) {
      if (to < view.start || from > view.end) continue;
      const [left, right] = [xOf(from), xOf(to)];
      if (right - left > 3) on.fillRect(left, AXIS, right - left, height);
    }
    on.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} on
   * @param {Frame} frame
   * @param {Row} row
   * @param {number} top
   */
  function paintBars(on, { view, xOf, width }, row, top) {
    let drawn = -1;
    let before = -1;
    for (const index of barsOfLane.get(row.lane) ?? []) {
      const [from, to] = barEnds(index);
      if (from > view.end) break;
      if (to < view.start) continue;
      const [instance, state] = data.bars[index];
      const lifecycle = data.instances[instance][0];
      const left = Math.max(xOf(from), -4);
      const right = Math.min(xOf(to), width + 4);
      const isEnd = stateKind(lifecycle, state) === "rest";
      if (right < drawn + 0.5 && !isEnd) continue;
      on.fillStyle = barColour(lifecycle, state);
      if (isEnd) {
        on.fillRect(left - 1.5, top + 2, 3, row.height - 5);
      } else {
        on.fillRect(left, top + 3, Math.max(right - left, 2), row.height - 7);
        if (right - left > 26) paintWords(on, barWords(instance, state, instance !== before), left + 4, top + row.height / 2 - 0.5, right - left - 8);
      }
      drawn = Math.max(drawn, right);
      before = instance;
    }
  }

  /**
   * @param {number} instance
   * @param {number} state
   * @param {boolean} isFirst
   */
  function barWords(instance, state, isFirst) {
    const [lifecycle, , , label] = data.instances[instance];
    return label && isFirst ? `${label} · ${stateName(lifecycle, state)}` : stateName(lifecycle, state);
  }

  /**
   * Writes what fits of a text.
   * @param {CanvasRenderingContext2D} on
   * @param {string} words
   * @param {number} x
   * @param {number} y
   * @param {number} room
   */
  function paintWords(on, words, x, y, room) {
    const shown = shortened(visible(words), Math.floor(room / 5.6));
    if (shown.length < 2) return;
    on.fillStyle = inkOnBar;
    on.fillText(shown, x, y, room);
  }

  /**
   * Paints the events of a row: a tick each, taller where an event moves something, and a mark where a finding is.
   * @param {CanvasRenderingContext2D} on
   * @param {Frame} frame
   * @param {Row} row
   * @param {number} top
   */
  function paintTicks(on, { view, xOf, width }, row, top) {
    const all = positions();
    const indices = (row.kind === "events" ? eventsOfStream.get(row.stream) : eventsOfLane.get(row.lane)) ?? [];
    const base = top + row.height - 4;
    const tall = row.kind === "events" ? 13 : 10;
    const columns = new Uint8Array(Math.ceil(width) + 2);
    let labelled = -Infinity;
    for (let number = firstIn(indices, all, view.start); number < indices.length; number++) {
      const index = indices[number];
      const position = all[index];
      if (position > view.end) break;
      const x = xOf(position);
      const level = levels[index];
      if (columns[x | 0] < level) {
        columns[x | 0] = level;
        on.fillStyle = level === 2 ? ink : soft;
        const height = row.kind === "named" || level === 2 ? tall : tall * 0.55;
        on.fillRect(x - 0.5, base - height, level === 2 ? 1.5 : 1, height);
      }
      if (row.kind === "named" && x > labelled && events[index].said) {
        const words = shortened(visible(events[index].said), 24);
        on.fillStyle = ink;
        on.fillText(words, x + 4, top + row.height / 2);
        labelled = x + 12 + words.length * 6;
      }
    }
    if (row.kind === "named") return;
    const marks = (foundInStream.get(row.stream) ?? []).filter((index) => all[index] >= view.start && all[index] <= view.end)
      .map((index) => /** @type {[number, number]} */ ([xOf(all[index]), index]));
    let last = -Infinity;
    for (const [x, index] of marks) {
      if (x - last < 3 && index !== chosen.event) continue;
      last = x;
      paintMark(on, x, top + 3, worstAt(index) ?? "note", index === chosen.event);
    }
  }

  /**
   * Returns the place in a list of events, in their order, of the first that is not before a position.
   * @param {number[]} indices
   * @param {Float64Array} all
   * @param {number} position
   */
  function firstIn(indices, all, position) {
    let [low, high] = [0, indices.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (all[indices[middle]] < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * @param {CanvasRenderingContext2D} on
   * @param {number} x
   * @param {number} y
   * @param {string} worst
   * @param {boolean} isChosen
   */
  function paintMark(on, x, y, worst, isChosen) {
    const size = isChosen ? 7 : 5;
    on.fillStyle = severity[worst];
    on.beginPath();
    if (worst === "note") on.arc(x, y + 5, size - 1.5, 0, 7);
    else {
      on.moveTo(x - size, y);
      on.lineTo(x + size, y);
      on.lineTo(x, y + size * 1.7);
    }
    on.fill();
  }

  /**
   * Paints the chosen event through all rows of its stream, and lines to the events that explain the finding there.
   * @param {CanvasRenderingContext2D} on
   * @param {Frame} frame
   */
  function paintChosen(on, frame) {
    const event = events[chosen.event];
    if (!event) return;
    const { xOf, laid, view } = frame;
    const all = positions();
    const x = xOf(all[chosen.event]);
    const rows = laid.rows.filter((row) => row.stream === event.stream);
    if (!rows.length) return;
    const place = (/** @type {Row} */ row) => AXIS + row.top - view.scroll;
    const top = place(rows[0]);
    const last = rows[rows.length - 1];
    const finding = data.findings[chosen.finding];
    const isFinding = finding?.event === chosen.event;
    on.strokeStyle = isFinding ? severity[finding.severity] : accent;
    on.lineWidth = 1.5;
    on.beginPath();
    on.moveTo(x, top);
    on.lineTo(x, place(last) + last.height);
    on.stroke();
    if (!isFinding) return;
    const low = top + rows[0].height - 4;
    for (const related of finding.related) {
      if (related.event >= 0) paintArc(on, xOf(all[related.event]), x, { top, low }, severity[finding.severity]);
    }
    const flags = finding.related.filter((related) => related.event >= 0)
      .map((related) => ({ x: xOf(all[related.event]), words: related.message, colour: ink }));
    flags.push({ x, words: `${sign(finding.severity)} ${finding.rule}`, colour: severity[finding.severity] });
    paintFlags(on, frame, flags.slice(-5), top + 9);
    paintCell(on, frame, finding, x);
  }

  /**
   * @param {CanvasRenderingContext2D} on
   * @param {Frame} frame
   * @param {Finding} finding
   * @param {number} x
   */
  function paintCell(on, { laid, view }, finding, x) {
    const { cell } = finding;
    if (!cell) return;
    const row = laid.rows.find((one) => one.lane === data.instances[cell.instance][2] && one.kind === "bars");
    if (!row) return;
    const y = AXIS + row.top - view.scroll + row.height / 2;
    on.fillStyle = ground;
    on.strokeStyle = severity[finding.severity];
    on.lineWidth = 2;
    on.beginPath();
    on.arc(x, y, 6, 0, 7);
    on.fill();
    on.stroke();
    on.beginPath();
    on.moveTo(x - 2.5, y - 2.5);
    on.lineTo(x + 2.5, y + 2.5);
    on.moveTo(x + 2.5, y - 2.5);
    on.lineTo(x - 2.5, y + 2.5);
    on.stroke();
  }

  /**
   * @param {CanvasRenderingContext2D} on
   * @param {number} from
   * @param {number} to
   * @param {{top: number, low: number}} row
   * @param {string} stroke
   */
  function paintArc(on, from, to, { top, low }, stroke) {
    on.strokeStyle = stroke;
    on.lineWidth = 1.2;
    on.setLineDash([4, 3]);
    on.beginPath();
    on.moveTo(from, low);
    on.bezierCurveTo(from, top + 42, to, top + 42, to, low);
    on.stroke();
    on.setLineDash([]);
    on.fillStyle = stroke;
    on.beginPath();
    on.arc(from, low, 3, 0, 7);
    on.fill();
  }

  /**
   * Writes words on cards beside their places, each on the first line on which it covers no other.
   * @param {CanvasRenderingContext2D} on
   * @param {Frame} frame
   * @param {{x: number, words: string, colour: string}[]} flags
   * @param {number} top
   */
  function paintFlags(on, { width }, flags, top) {
    /** @type {[number, number][][]} */
    const taken = [[], [], [], []];
    for (const { x, words, colour } of flags.reverse()) {
      const shown = shortened(visible(words), 60);
      const length = on.measureText(shown).width + 8;
      const left = Math.max(0, x + 6 + length > width ? x - 6 - length : x + 6);
      const number = taken.findIndex((line) => line.every(([from, to]) => left > to + 4 || left + length < from - 4));
      // Where there is no room for all, the list of what led there has the others.
      if (number < 0) continue;
      taken[number].push([left, left + length]);
      const y = top + number * 15;
      on.fillStyle = ground;
      on.fillRect(left, y - 7, length, 14);
      on.fillStyle = colour;
      on.fillText(shown, left + 4, y);
      on.fillRect(x > left ? left + length : left - 2, y - 6, 2, 12);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} on
   * @param {Frame} frame
   */
  function paintAxis(on, { view, xOf, width }) {
    on.fillStyle = ground;
    on.fillRect(0, 0, width, AXIS);
    on.fillStyle = line;
    on.fillRect(0, AXIS - 1, width, 1);
    const span = view.end - view.start;
    const rough = span / Math.max(2, width / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    let step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough) ?? rough;
    if (!chosen.byTime) step = Math.max(1, step);
    for (let at = Math.ceil(view.start / step) * step; at <= view.end; at += step) {
      const x = xOf(at);
      on.fillStyle = line;
      on.fillRect(x, AXIS - 6, 1, 5);
      on.fillStyle = soft;
      on.fillText(axisWords(at, step), x + 3, AXIS / 2);
    }
  }

  let known = { key: "", columns: new Float32Array(0) };

  /**
   * Returns how full each column of the overview is, from 0 to 1. It is counted once for each width and unit.
   * @param {Float64Array} all
   * @param {number} first
   * @param {number} scale
   * @param {number} width
   */
  function columnsOf(all, first, scale, width) {
    const key = `${chosen.byTime} ${width}`;
    if (known.key === key) return known.columns;
    const counts = new Uint32Array(Math.ceil(width) + 2);
    for (const position of all) counts[((position - first) * scale) | 0]++;
    const most = counts.reduce((most, number) => Math.max(most, number), 1);
    known = { key, columns: Float32Array.from(counts, (number) => Math.sqrt(number / most)) };
    return known.columns;
  }

  /**
   * Paints all events and findings, and the part that is shown.
   * @param {CanvasRenderingContext2D} on
   * @param {{view: {start: number, end: number}, width: number, height: number}} frame
   */
  function paintOverview(on, { view, width, height }) {
    const { first, last } = extent();
    const scale = width / (last - first || 1);
    const all = positions();
    const columns = columnsOf(all, first, scale, width);
    on.fillStyle = soft;
    columns.forEach((share, x) => {
      if (share) on.fillRect(x, height - 2 - (height - 9) * share, 1, (height - 9) * share);
    });
    for (const found of foundInStream.values()) {
      let before = -Infinity;
      for (const index of found) {
        const x = (all[index] - first) * scale;
        if (x - before < 1) continue;
        before = x;
        on.fillStyle = severity[worstAt(index) ?? "note"];
        on.fillRect(x - 1, 0, 2.5, 7);
      }
    }
    on.strokeStyle = accent;
    on.lineWidth = 1.5;
    on.strokeRect((view.start - first) * scale + 1, 1, Math.max((view.end - view.start) * scale - 2, 3), height - 2);
  }

  return { paint, paintOverview };
}
