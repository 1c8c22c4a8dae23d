// Deleting keys, step by step.
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
    one: "This key is refused mostly within a minute, in some places later; it can be restored until {until}:",
    other:
      "These {count} keys are refused mostly within a minute, in some places later; they can be restored until {until}:",
  },
  "delete.key": '"{name}" ({id})',
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
  "delete.mail-failing": "The mail has not got out so far; it is tried again. Disabling stops a key without a mail.",
  "delete.mail-refused":
    "The mail was refused and is not tried again. Ask whoever runs this service about your address; disabling stops a key without a mail.",
  "delete.mail-off":
    "Deleting wants a code by mail, and mail is not set up here. Disabling stops a key without a mail.",
  "delete.too-many-codes": "No more codes are mailed to you until {at} ({zone}). Disabling stops a key without a mail.",
  "delete.disable": { one: "Disable instead", other: "Disable {count} instead" },
  "delete.refused.protected": "Nothing was deleted, because this is protected: {names}.",
  "delete.refused.not_found": "Nothing was deleted, because this is deleted already: {names}.",
  "problem.protected": "Nothing was deleted: one of the keys is protected.",
  "problem.mail_off":
    "Deleting wants a code by mail, and mail is not set up here. Disabling stops a key without a mail.",
  "problem.not_deleted": "This key is not deleted. Look at it as it is now.",
  "problem.too_many_codes": "No more codes are mailed to you for now. Disabling stops a key without a mail.",
  "mail.failing": "Mail is not getting out at the moment. Deleting keys has to wait; disabling works.",
};
