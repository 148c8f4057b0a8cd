// Ground: text that is safe to show, elements, numbers with their nouns, and what the page was given.

/** The characters that steer how the text around them is shown, or that nobody sees. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

/**
 * Returns a text in which every hidden character is named instead.
 * @param {string} text
 */
function visible(text) {
  return text.replace(HIDDEN, (found) => `⟨U+${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/**
 * Returns an element with attributes and children. A child that is a string becomes text: no text is ever read as HTML.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number | boolean | null | undefined>} [attributes]
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value));
  }
  append(made, children);
  return made;
}

/**
 * @param {Element} parent
 * @param {(Node | string | null | undefined)[]} children
 */
function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined) continue;
    parent.append(typeof child === "string" ? document.createTextNode(visible(child)) : child);
  }
}

/**
 * Returns an element of SVG.
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...string} words
 */
function drawn(tag, attributes, ...words) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  append(made, words);
  return made;
}

/**
 * Replaces the children of an element.
 * @param {Element} parent
 * @param {...(Node | string | null | undefined)} children
 */
function fill(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/**
 * Returns a number with its noun.
 * @param {number} number
 * @param {string} noun
 */
function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

/**
 * Returns a text of at most so many characters.
 * @param {string} text
 * @param {number} most
 */
function shortened(text, most) {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

/**
 * Returns a duration in words.
 * @param {number} milliseconds
 */
function duration(milliseconds) {
  const size = Math.abs(milliseconds);
  if (size < 1) return `${milliseconds.toFixed(2)} ms`;
  if (size < 1000) return `${Math.round(milliseconds)} ms`;
  if (size < 60_000) return `${(milliseconds / 1000).toFixed(size < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(size / 60_000);
  if (minutes < 120) return `${minutes} min ${Math.round((size % 60_000) / 1000)} s`;
  return `${(size / 3_600_000).toFixed(1)} h`;
}

/**
 * Returns the element with an id, which must be there.
 * @param {string} id
 */
function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no ${id}`);
  return found;
}

/** The words and signs of severities. */
const SIGNS = { error: "✗", warning: "⚠", note: "•" };

/**
 * @param {string} severity
 * @returns {string}
 */
function sign(severity) {
  return SIGNS[/** @type {keyof typeof SIGNS} */ (severity)] ?? "•";
}
