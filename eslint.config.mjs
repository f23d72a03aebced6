// What JavaScript may look like here: small ES modules for today's browsers, and a few scripts for node.
import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-var": "error",
  "prefer-const": "error",
  "no-implicit-globals": "error",
  "no-unused-vars": ["error", { argsIgnorePattern: "^_", caughtErrors: "none" }],
  "no-eval": "error",
  "no-implied-eval": "error",
  "no-new-func": "error",
  "no-script-url": "error",
  "no-alert": "error",
  "no-restricted-properties": [
    "error",
    { property: "innerHTML", message: "Text from people must stay text: use textContent or build elements." },
    { property: "outerHTML", message: "Text from people must stay text: use textContent or build elements." },
    { property: "insertAdjacentHTML", message: "Text from people must stay text: build elements." },
  ],
};

export default [
  { ignores: ["**/vendor/**", "node_modules/**", "instance/**", ".venv/**"] },
  {
    files: ["lessonadmin/static/**/*.{js,mjs}", "muxsim/static/**/*.{js,mjs}", "muxsim/**/static/**/*.{js,mjs}"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: globals.browser },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules,
  },
  {
    files: ["bin/*.mjs", "*.mjs", "tests/**/*.{js,mjs}"],
    languageOptions: { ecmaVersion: 2024, sourceType: "module", globals: { ...globals.node, ...globals.browser } },
    rules,
  },
  {
    // finds its package by NODE_PATH, which node asks for `require` only
    files: ["bench/**/*.cjs"],
    languageOptions: { ecmaVersion: 2024, sourceType: "commonjs", globals: globals.node },
    rules,
  },
];
