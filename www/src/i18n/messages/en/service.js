// Holds the messages of the service credentials.
export default {
  "service.title": "Short-lived keys for services",
  "service.lead":
    "Backends use the service ID and password, or an issuable key, to issue short-lived keys. The service password is not your sign-in password.",
  "service.id": "Service ID",
  "service.password": "Service password",
  "service.changed": "changed {ago}",
  "service.show": "Show the service password",
  "service.change": "Change the service password",
  "service.create": "Create service password",
  "service.creating": "Creating…",
  "service.none": "No service password yet. An owner of the account can create one.",
  "service.shown": "Store it where your backend reads it. You can show it again, after confirming who you are.",
  "service.example": "Example: issue a key for five minutes",
  "service.example.hint":
    "The first line waits for the service password. A response with status 200 is the key itself; any other response says why there is none.",
  "service.limits": "Limits for keys issued with this password",
  "service.limits.edit": "Change the limits for keys issued with this password",
  "service.used": "Last used",
  "service.used.never": "Never",
  "service.used.count": { one: "{count} use in the last 7 days", other: "{count} uses in the last 7 days" },
  "service.used.network": { one: "{network}: {count} use, {ago}", other: "{network}: {count} uses, {ago}" },
  "service.change.title": "Change the service password?",
  "service.change.body":
    "All keys issued with the old password end within {seconds} s, the stored ones and the short-lived ones.",
  "service.change.body.now":
    "All keys issued with the old password end at once, the stored ones and the short-lived ones.",
  "service.change.body.eventually":
    "All keys issued with the old password, stored and short-lived, end within a minute in most places; some take longer.",
  "service.change.confirm": "Change",
  "service.change.busy": "Changing…",
  "copy.service-id": "Copy service ID",
  "copy.service-password": "Copy service password",
  "result.service_password": "The service password is changed.",
  "result.service_edited": "Saved.",
  "bound.service.eventually":
    "Most places refuse the old password and the keys issued with it within a minute; some take longer.",
  "bound.service.by": "The old password and the keys issued with it are refused everywhere by {time} ({zone}).",
  "bound.service.since": "The old password and the keys issued with it are refused everywhere since {time} ({zone}).",
  "bound.service.now": "The old password and the keys issued with it are refused everywhere from now on.",
  "problem.not_viewable": "It can no longer be shown. Create a new one and store it.",
  "problem.service_changed":
    "Somebody changed this in the meantime, so your change is not saved. Check the current values, then try again.",
  "problem.service_not_loaded": "The service credentials could not be loaded; nothing was changed.",
};
