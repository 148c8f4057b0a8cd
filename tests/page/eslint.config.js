// The rules of the linter, for the page and its tests. Names and types are checked by tsc.
import js from "@eslint/js";

const rules = {
  ...js.configs.recommended.rules,
  // The files of the page are one script, whose names tsc knows.
  "no-undef": "off",
  "no-unused-vars": ["error", { vars: "local", args: "after-used" }],
  "no-control-regex": "off",
  "no-misleading-character-class": "off",
  "eqeqeq": "error",
  "no-var": "error",
  "prefer-const": "error",
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  // Text is inserted as text; nothing is read as HTML, and nothing leaves the page.
  "no-restricted-properties": ["error",
    ...["innerHTML", "outerHTML", "insertAdjacentHTML", "write", "writeln", "srcdoc"].map((property) => ({ property })),
  ],
  "no-restricted-globals": ["error", "fetch", "XMLHttpRequest", "WebSocket", "localStorage", "sessionStorage", "eval"],
  "max-lines": ["error", { max: 400 }],
};

export default [
  { files: ["src/page/*.js"], languageOptions: { sourceType: "script", ecmaVersion: 2023 }, rules },
  { files: ["tests/page/*.js"], languageOptions: { sourceType: "module", ecmaVersion: 2023 }, rules },
];
