// Holds the messages of deletions.
export default {
  "delete.title": "Delete API Key",
  "delete.body": {
    one: "This key is refused everywhere within {seconds} s; it can be restored until {until}:",
    other: "These {count} keys are refused everywhere within {seconds} s; they can be restored until {until}:",
  },
  "delete.body.now": {
    one: "This key is refused everywhere at once; it can be restored until {until}:",
    other: "These {count} keys are refused everywhere at once; they can be restored until {until}:",
  },
  "delete.body.eventually": {
    one: "Most places refuse this key within a minute; some take longer. It can be restored until {until}:",
    other:
      "Most places refuse these {count} keys within a minute; some take longer. They can be restored until {until}:",
  },
  "delete.key": '"{name}" ({id})',
  "delete.unused": {
    one: "It was not called in the last 24 hours.",
    other: "None of them was called in the last 24 hours.",
  },
  "delete.used": {
    one: '"{name}" was called {count} time in the last 24 hours.',
    other: '"{name}" was called {count} times in the last 24 hours.',
  },
  "delete.confirm": "Delete",
  "delete.opening": "Mailing a code…",
  "delete.mailed": {
    one: "A code is on its way to {address}. It deletes this key and nothing else, until {until} ({zone}):",
    other: "A code is on its way to {address}. It deletes these {count} keys and nothing else, until {until} ({zone}):",
  },
  "delete.mailed-new": {
    one: "A new code is on its way to {address}. It deletes this key and nothing else, until {until} ({zone}):",
    other:
      "A new code is on its way to {address}. It deletes these {count} keys and nothing else, until {until} ({zone}):",
  },
  "delete.mailed-again": "A new code is on its way to {address}.",
  "delete.code": "Authentication code",
  "delete.code.hint": "Six digits.",
  "delete.code.tries": { one: "Six digits. {count} try left.", other: "Six digits. {count} tries left." },
  "delete.send": "Send",
  "delete.busy": "Deleting…",
  "delete.mail-again": "Mail a new code",
  "delete.mailing": "Mailing…",
  "delete.mail-failing": "The mail could not be sent yet and is retried. To stop a key without mail, disable it.",
  "delete.mail-refused":
    "The mail was rejected and is not retried. Contact the provider of this service about your address. To stop a key without mail, disable it.",
  "delete.mail-off":
    "Deletion requires a code by mail, but mail is not set up here. To stop a key without mail, disable it.",
  "delete.too-many-codes":
    "No more codes are mailed to you until {at} ({zone}). To stop a key without mail, disable it.",
  "delete.disable": { one: "Disable instead", other: "Disable {count} instead" },
  "delete.refused.protected": "Nothing was deleted. Protected: {names}.",
  "delete.refused.not_found": "Nothing was deleted. Already deleted: {names}.",
  "problem.protected": "Nothing was deleted: one of the keys is protected.",
  "problem.mail_off":
    "Deletion requires a code by mail, but mail is not set up here. To stop a key without mail, disable it.",
  "problem.not_deleted": "This key is not deleted. Check its current state.",
  "problem.too_many_codes": "No more codes are mailed to you for now. To stop a key without mail, disable it.",
  "mail.failing": "Mail cannot be sent at the moment. Keys cannot be deleted, but they can be disabled.",
};
