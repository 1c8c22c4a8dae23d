// Few rules: those whose breach is a bug, or would break the console's Content-Security-Policy.
import globals from "globals";

const markup = "builds HTML from text, which the Content-Security-Policy refuses";

export default [
  { ignores: ["dist/", "target/", "artifacts/", "**/.wrangler/"] },
  {
    files: ["**/*.{js,mjs,jsx}"],
    languageOptions: { parserOptions: { ecmaFeatures: { jsx: true } } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-const-assign": "error",
      "no-dupe-keys": "error",
      "no-empty": "error",
      "no-eval": "error",
      "no-fallthrough": "error",
      "no-implied-eval": "error",
      "no-self-compare": "error",
      "no-shadow-restricted-names": "error",
      "no-undef": "error",
      "no-unreachable": "error",
      "no-unsafe-finally": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-var": "error",
      "prefer-const": "error",
      "use-isnan": "error",
      "valid-typeof": "error",
    },
  },
  { files: ["eslint.config.js", "xtask/**", "tests/**/*.mjs"], languageOptions: { globals: globals.nodeBuiltin } },
  // Functions that the runner carries over into the page.
  { files: ["tests/browser/**"], languageOptions: { globals: globals.browser } },
  {
    files: ["src/workers/**", "tests/origin/**", "tests/worker/support/*.js"],
    languageOptions: {
      globals: {
        ...globals.serviceworker,
        FixedLengthStream: "readonly",
        IdentityTransformStream: "readonly",
        WebSocketPair: "readonly",
      },
    },
  },
  {
    files: ["www/**"],
    languageOptions: { globals: globals.browser },
    rules: {
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: markup },
        { property: "outerHTML", message: markup },
        { property: "insertAdjacentHTML", message: markup },
        { object: "document", property: "write", message: markup },
      ],
      "no-restricted-syntax": ["error", { selector: "JSXIdentifier[name='dangerouslySetInnerHTML']", message: markup }],
      "no-script-url": "error",
    },
  },
];
