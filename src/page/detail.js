// What is known of the chosen event and the chosen finding.

const detail = (() => {
  const place = element("div", { id: "detail-body" });

  /**
   * Divides JSON text into tokens, whatever it is; text that is no JSON is one token.
   * @param {string} text
   * @returns {{kind: string, text: string, at: number}[]}
   */
  function tokens(text) {
    const found = [];
    const pattern = /"(?:[^"\\]|\\.)*"?|[{}[\]:,]|[^\s{}[\]:,"]+/g;
    for (const match of text.matchAll(pattern)) {
      const [token] = match;
      const kind = token.startsWith('"') ? "string" : /^[{}[\]:,]$/.test(token) ? "mark" : "value";
      found.push({ kind, text: token, at: match.index });
    }
    return found;
  }

  /**
   * Returns JSON text, one member a line, with a part of it marked.
   * @param {string} text
   * @param {[number, number] | null} marked
   * @param {string} severity
   */
  function pretty(text, marked, severity) {
    const code = element("code");
    let depth = 0;
    let line = element("span", { class: "json-line" });
    const isMarked = (/** @type {number} */ at, /** @type {number} */ end) => marked && at < marked[1] && end > marked[0];
    const breakLine = () => {
      code.append(line, document.createTextNode("\n"));
      line = element("span", { class: "json-line" });
      line.append(document.createTextNode("  ".repeat(Math.min(Math.max(depth, 0), 40))));
    };
    const all = tokens(text);
    all.forEach((token, number) => {
      const next = all[number + 1];
      const closes = token.text === "}" || token.text === "]";
      const before = all[number - 1]?.text;
      if (closes) {
        depth--;
        if (before !== "{" && before !== "[") breakLine();
      }
      const isKey = token.kind === "string" && next?.text === ":";
      const span = element("span", { class: isKey ? "key" : token.kind }, shortened(token.text, 4000));
      if (isMarked(token.at, token.at + token.text.length)) {
        span.classList.add("marked", severity);
        line.classList.add("has-mark", severity);
      }
      line.append(span);
      if (token.text === ":") line.append(document.createTextNode(" "));
      if (token.text === "{" || token.text === "[") {
        depth++;
        if (next && next.text !== "}" && next.text !== "]") breakLine();
      } else if (token.text === ",") breakLine();
    });
    code.append(line);
    return element("pre", { id: "json", tabindex: 0, "aria-label": "The event's JSON" }, code);
  }

  /** @param {Finding} finding */
  function explanation(finding) {
    const rule = data.rules[finding.rule] ?? {};
    const quotes = finding.quote ? [finding.quote] : rule.quotes ?? [];
    const source = quotes.length ? ` — ${rule.source}` : "";
    return element("section", { class: `explanation ${finding.severity}`, "aria-label": "The finding" },
      element("h2", {}, element("span", { class: "sign", "aria-hidden": "true" }, `${sign(finding.severity)} `),
        element("span", { class: "hidden" }, `${finding.severity}: `), finding.message),
      element("p", { class: "place" }, places(finding)),
      element("dl", {},
        element("dt", {}, "What to do"), element("dd", {}, finding.help ?? rule.help ?? ""),
        ...why(finding),
        ...(quotes.length ? [element("dt", {}, "The document says"), ...quotes.map((quote) => element("dd", { class: "quote" }, `“${quote}”${source}`))] : []),
        element("dt", {}, `Rule ${finding.rule}`), element("dd", {}, rule.means ?? "", rule.basis ? ` (${rule.basis})` : "",
          rule.page ? element("span", { class: "page" }, ` ${rule.page}`) : null)),
      copyButton(finding));
  }

  /** @param {Finding} finding */
  function places(finding) {
    const parts = [`${data.files[finding.file]}:${finding.line}:${finding.column}`];
    if (finding.type) parts.push(finding.type);
    if (finding.pointer) parts.push(finding.pointer);
    if (finding.stream >= 0 && data.streams[finding.stream].name) parts.push(`session ${data.streams[finding.stream].name}`);
    return parts.join(" · ");
  }

  /**
   * Returns what led to a finding, each with a button to go there.
   * @param {Finding} finding
   */
  function why(finding) {
    const parts = finding.related.map((related) => {
      const words = `line ${related.line}: ${related.message}`;
      if (related.event < 0) return element("dd", {}, words);
      const button = element("button", { type: "button", class: "link" }, words);
      button.addEventListener("click", () => chooseEvent(related.event));
      return element("dd", {}, button);
    });
    const { cell } = finding;
    if (cell) {
      const state = stateName(cell.lifecycle, cell.from);
      const words = cell.end
        ? `at the end, ${instanceName(cell.instance)} was still ${state}`
        : `${instanceName(cell.instance)} was ${state} when ${finding.type ?? "this"} came`;
      parts.push(element("dd", { class: "cell" }, words));
    }
    return parts.length ? [element("dt", {}, "Why"), ...parts] : [];
  }

  /** @param {Finding} finding */
  function copyButton(finding) {
    if (!finding.lines.length) return null;
    const number = finding.lines.length;
    const words = finding.fewest ? `Copy the fewest lines that still show this (${number})` : `Copy the ${count(number, "line")} that this is about`;
    const button = element("button", { type: "button", id: "copy", class: "action" }, words);
    button.addEventListener("click", () => copy(finding, button, words));
    return element("p", {}, button);
  }

  /**
   * @param {Finding} finding
   * @param {HTMLElement} button
   * @param {string} words
   */
  async function copy(finding, button, words) {
    const text = `${finding.lines.join("\n")}\n`;
    let copied = true;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copied = copyBySelection(text);
    }
    button.textContent = copied ? "Copied" : "The browser does not let this page copy";
    setTimeout(() => { button.textContent = words; }, 1500);
  }

  /**
   * Copies a text where the clipboard has no interface, as in a page that is a file.
   * @param {string} text
   */
  function copyBySelection(text) {
    const area = element("textarea", { "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    return copied;
  }

  /** @param {PageEvent} event */
  function facts(event) {
    const time = event.time === null ? "" : ` · ${new Date(event.time).toISOString().replace("T", " ")}`;
    const moves = event.moves.map((move) => element("li", { class: severityOfMove(move) ?? "" }, moveWords(move)));
    return element("section", { class: "facts", "aria-label": "The event" },
      element("h3", {}, data.types[event.type]),
      element("p", { class: "place" }, `${data.files[event.file]}:${event.line}${time}`),
      moves.length ? element("ul", { class: "moves" }, ...moves) : null);
  }

  function refresh() {
    const event = events[chosen.event];
    const finding = data.findings[chosen.finding];
    const isHere = finding && (finding.event === chosen.event || finding.event < 0);
    const others = (findingsAt.get(chosen.event) ?? []).filter((index) => index !== chosen.finding);
    const json = event && event.text
      ? pretty(event.text, isHere && finding.event >= 0 ? finding.mark : null, finding?.severity ?? "note") : null;
    fill(place,
      isHere ? explanation(finding) : null,
      others.length ? element("p", { class: "also" }, `${count(others.length, "other finding")} at this event: `, ...others.slice(0, 8).map(other)) : null,
      event ? facts(event) : null,
      json,
      event?.cut ? element("p", { class: "remark" }, "The rest of this event is left out.") : null);
    place.scrollTop = 0;
  }

  /** @param {number} index */
  function other(index) {
    const button = element("button", { type: "button", class: "link" }, `${data.findings[index].rule} `);
    button.addEventListener("click", () => chooseFinding(index));
    return button;
  }

  return { place, refresh, copy: () => byId("copy").click() };
})();
