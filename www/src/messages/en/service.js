// Service ID and service password.
export default {
  "service.title": "Short-lived keys for services",
  "service.lead":
    "A backend exchanges the service ID and password, or an issuable key, for short-lived keys of its own. The password is not the one that you sign in with.",
  "service.id": "Service ID",
  "service.password": "Service password",
  "service.changed": "changed {ago}",
  "service.show": "Show the service password",
  "service.change": "Change the service password",
  "service.create": "Create service password",
  "service.creating": "Creating…",
  "service.none": "There is none yet. An owner of the account can create it.",
  "service.shown": "Store it where your backend reads it. You can show it again, after confirming who you are.",
  "service.example": "Example: issue a key for five minutes",
  "service.example.hint":
    "The first line waits for the service password. The answer is the bare key; anything but status 200 says why there is none.",
  "service.limits": "What keys issued with the password may be at most",
  "service.limits.edit": "Change what keys issued with the password may be at most",
  "service.change.title": "Change the service password?",
  "service.change.body": "All short-lived keys issued with the old password end within {seconds} s.",
  "service.change.body.now": "All short-lived keys issued with the old password end at once.",
  "service.change.body.eventually":
    "All short-lived keys issued with the old password end mostly within a minute; some places take longer.",
  "service.change.confirm": "Change",
  "service.change.busy": "Changing…",
  "copy.service-id": "Copy service ID",
  "copy.service-password": "Copy service password",
  "result.service_password": "The service password is changed.",
  "result.service_edited": "Saved.",
  "bound.service.eventually":
    "Most places refuse the old one and the keys issued with it within a minute; some take longer.",
  "bound.service.by": "The old one and the keys issued with it are refused everywhere by {time} ({zone}).",
  "bound.service.since": "The old one and the keys issued with it are refused everywhere since {time} ({zone}).",
  "bound.service.now": "The old one and the keys issued with it are refused everywhere from now on.",
  "problem.not_viewable": "It cannot be shown any more. Get a new one, and store it.",
  "problem.service_changed":
    "Somebody changed this meanwhile; yours is not saved. Look at it as it is now, then try again.",
  "problem.service_not_loaded": "The service credentials could not be loaded; nothing was changed.",
};
