// The timeline: rows on a canvas, with their names beside it, and the ways to move in it.

const AXIS = 22;
const OVERVIEW = 26;
const LEAST_SPAN = { number: 8, time: 2 };

const timeline = (() => {
  const canvas = element("canvas", { id: "canvas", role: "img", "aria-label": "Timeline of events and lifecycles" });
  const overview = element("canvas", { id: "overview", "aria-hidden": "true" });
  const names = element("div", { id: "lane-names", "aria-hidden": "true" });
  const tip = element("div", { id: "tip", role: "tooltip", hidden: true });
  const stage = element("div", {
    id: "stage", tabindex: 0, role: "application",
    "aria-label": "Timeline. Left and right: the event before or after. Plus and minus: zoom. 0: everything. Shift and an arrow: move.",
  }, names, canvas, tip);
  const view = { start: 0, end: 1, scroll: 0 };
  let laid = layRows();
  let pending = false;
  /** @type {ReturnType<typeof painterOf> | null} */
  let painter = null;

  function span() {
    return view.end - view.start;
  }

  // To ask the browser for it is slow: it lays the page out anew.
  let measured = 1;

  function width() {
    return measured;
  }

  function measure() {
    measured = Math.max(1, canvas.clientWidth);
  }

  /** @param {number} position */
  function xOf(position) {
    return ((position - view.start) / span()) * width();
  }

  /** @param {number} x */
  function positionAt(x) {
    return view.start + (x / width()) * span();
  }

  /**
   * Shows a range, or as much of it as there is.
   * @param {number} start
   * @param {number} end
   */
  function show(start, end) {
    const { first, last } = extent();
    const least = Math.min(chosen.byTime ? LEAST_SPAN.time : LEAST_SPAN.number, last - first);
    const length = Math.min(Math.max(end - start, least), last - first);
    const middle = (start + end) / 2;
    view.start = Math.min(Math.max(middle - length / 2, first), last - length);
    view.end = view.start + length;
    schedule();
  }

  function fit() {
    const { first, last } = extent();
    show(first, last);
  }

  /**
   * Zooms around a place on the canvas.
   * @param {number} factor
   * @param {number} [x]
   */
  function zoom(factor, x = width() / 2) {
    const at = positionAt(x);
    const length = span() * factor;
    const start = at - (x / width()) * length;
    show(start, start + length);
  }

  /** @param {number} share of what is shown */
  function pan(share) {
    const by = span() * share;
    show(view.start + by, view.end + by);
  }

  /** @param {number} by in pixels */
  function scroll(by) {
    const most = Math.max(0, laid.height + AXIS - canvas.clientHeight);
    view.scroll = Math.min(Math.max(view.scroll + by, 0), most);
    schedule();
  }

  /** Brings the chosen event, and what explains the chosen finding, into view. */
  function reveal() {
    const finding = data.findings[chosen.finding];
    const wanted = finding && finding.event === chosen.event
      ? [chosen.event, ...finding.related.map((related) => related.event)] : [chosen.event];
    const at = wanted.filter((index) => index >= 0).map((index) => positions()[index]);
    if (at.length) {
      const [low, high] = [Math.min(...at), Math.max(...at)];
      const room = span() * 0.08;
      if (low < view.start || high > view.end) {
        const length = Math.max(span(), (high - low) * 1.3);
        show(low - room > high - length ? low - room : high - length + room, Math.max(high + room, low - room + length));
      }
    }
    const stream = events[chosen.event]?.stream;
    const row = laid.rows.find((one) => one.kind === "events" && one.stream === stream);
    const room = canvas.clientHeight - AXIS;
    if (row && (row.top < view.scroll || row.top + 3 * EVENTS_ROW > view.scroll + room)) scroll(row.top - view.scroll);
  }

  /** Shows the chosen finding and what explains it as large as fits. */
  function zoomToChosen() {
    const finding = data.findings[chosen.finding];
    const indices = [chosen.event, ...(finding?.related.map((related) => related.event) ?? [])].filter((index) => index >= 0);
    if (!indices.length) return;
    const at = indices.map((index) => positions()[index]);
    const [low, high] = [Math.min(...at), Math.max(...at)];
    const room = Math.max((high - low) * 0.3, chosen.byTime ? 50 : 10);
    show(low - room, high + room);
  }

  function schedule() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      paint();
    });
  }

  /** @param {HTMLCanvasElement} surface */
  function sized(surface) {
    const ratio = window.devicePixelRatio || 1;
    const [w, h] = [Math.round(surface.clientWidth * ratio), Math.round(surface.clientHeight * ratio)];
    if (surface.width !== w || surface.height !== h) [surface.width, surface.height] = [w, h];
    const context = surface.getContext("2d");
    context?.setTransform(ratio, 0, 0, ratio, 0, 0);
    context?.clearRect(0, 0, surface.clientWidth, surface.clientHeight);
    return context;
  }

  function paint() {
    const [main, small] = [sized(canvas), sized(overview)];
    if (!main || !small) return;
    measure();
    painter ??= painterOf();
    painter.paint(main, { laid, view, xOf, width: width(), height: canvas.clientHeight });
    painter.paintOverview(small, { view, width: overview.clientWidth, height: overview.clientHeight });
    placeNames();
  }

  /** Puts the names of the rows that are in view beside them. */
  function placeNames() {
    const inView = laid.rows.filter((row) => row.top + row.height > view.scroll && row.top - view.scroll < canvas.clientHeight - AXIS);
    while (names.children.length > inView.length) names.lastElementChild?.remove();
    inView.forEach((row, index) => {
      const label = /** @type {HTMLElement} */ (names.children[index] ?? names.appendChild(element("div")));
      label.className = `lane-name ${row.kind}`;
      const words = visible(row.label);
      if (label.textContent !== words) label.textContent = words;
      label.style.top = `${AXIS + row.top - view.scroll}px`;
      label.style.height = `${row.height}px`;
    });
  }

  function relay() {
    measure();
    laid = layRows();
    scroll(0);
  }

  /**
   * Returns the event or the bar at a place on the canvas.
   * @param {number} x
   * @param {number} y
   */
  function hit(x, y) {
    const row = laid.rows.find((one) => y >= AXIS + one.top - view.scroll && y < AXIS + one.top - view.scroll + one.height);
    if (!row || y < AXIS) return { row: null, event: -1, bar: -1 };
    const at = positionAt(x);
    if (row.kind === "bars") {
      const near = (3 / width()) * span();
      const bars = barsOfLane.get(row.lane) ?? [];
      const bar = bars.findLast((index) => {
        const [from, to] = barEnds(index);
        return from - near <= at && at <= to + near;
      });
      return { row, event: -1, bar: bar ?? -1 };
    }
    const candidates = (row.kind === "events" ? eventsOfStream.get(row.stream) : eventsOfLane.get(row.lane)) ?? [];
    const all = positions();
    let best = -1;
    let distance = 8;
    for (const index of candidates) {
      const away = Math.abs(xOf(all[index]) - x) - (findingsAt.has(index) ? 3 : 0);
      if (away < distance) [best, distance] = [index, away];
    }
    return { row, event: best, bar: -1 };
  }

  return {
    stage, canvas, overview, view, tip, fit, zoom, pan, scroll, show, schedule, relay, reveal, zoomToChosen, hit, positionAt,
    width, span,
    forgetColours() {
      painter = null;
      schedule();
    },
    /** The rows that are there, for tests. */
    rows: () => laid.rows,
  };
})();
