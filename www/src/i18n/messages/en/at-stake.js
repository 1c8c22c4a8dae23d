// Holds the messages about what an action ends, before the action.
export default {
  "at-stake.busy": "Counting the keys that it has issued…",
  "at-stake.unknown": "The keys that it has issued could not be counted.",
  "at-stake.issuer": "{name}:",
  "at-stake.none": "No stored key that it has issued is valid now.",
  "at-stake.end": {
    one: "{count} stored key that it has issued ends for good, too.",
    other: "{count} stored keys that it has issued end for good, too.",
  },
  "at-stake.end.more": {
    one: "More than {count} stored key that it has issued ends for good, too.",
    other: "More than {count} stored keys that it has issued end for good, too.",
  },
  "at-stake.end.sealed":
    "So do the short-lived keys that it has issued. They are stored nowhere, so they cannot be counted.",
  "at-stake.limit": {
    one: "{count} stored key that it has issued follows these limits, too.",
    other: "{count} stored keys that it has issued follow these limits, too.",
  },
  "at-stake.limit.more": {
    one: "More than {count} stored key that it has issued follows these limits, too.",
    other: "More than {count} stored keys that it has issued follow these limits, too.",
  },
  "at-stake.limit.sealed":
    "So do the short-lived keys that it has issued. They are stored nowhere, so they cannot be counted.",
  "at-stake.unlimited": { one: "{count} of them is unlimited.", other: "{count} of them are unlimited." },
  "at-stake.used": {
    one: "{count} of them was used in the last 24 hours.",
    other: "{count} of them were used in the last 24 hours.",
  },
  "at-stake.unused": "None of them was used in the last 24 hours.",
  "at-stake.calls": {
    one: "It was called {count} time in the last 24 hours.",
    other: "It was called {count} times in the last 24 hours.",
  },
  "at-stake.no-calls": "It was not called in the last 24 hours.",
  "at-stake.account.members": {
    one: "This stops {count} key that members issued.",
    other: "This stops {count} keys that members issued.",
  },
  "at-stake.account.issuers": {
    one: "It also stops {count} stored key that programs issued.",
    other: "It also stops {count} stored keys that programs issued.",
  },
  "at-stake.account.used": {
    one: "{count} key was used in the last 24 hours.",
    other: "{count} keys were used in the last 24 hours.",
  },
  "at-stake.account.unused": "No key was used in the last 24 hours.",
  "at-stake.account.sealed": "Short-lived keys stop, too. They are stored nowhere, so they cannot be counted.",
};
