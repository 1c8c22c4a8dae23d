// Holds the messages of the second step of signing in.
export default {
  "mfa.heading": "Two-step sign-in (MFA)",
  "mfa.lead":
    "With it, signing in to this account takes your password and a code of an app on your phone. Your other accounts keep their own setting.",
  "mfa.on": "On",
  "mfa.off": "Off",
  "mfa.set-up": "Set up",
  "mfa.beginning": "Setting up…",
  "mfa.since": "On since {at}.",
  "mfa.codes-left": { one: "{count} recovery code left.", other: "{count} recovery codes left." },
  "mfa.codes-few": "Get new ones before you run out.",
  "mfa.renew": "Get new recovery codes",
  "mfa.renewing": "Getting codes…",
  "mfa.renew.title": "Get new recovery codes?",
  "mfa.renew.body": "You get ten new codes. The codes that you have no longer work.",
  "mfa.turn-off": "Turn off",
  "mfa.turning-off": "Turning off…",
  "mfa.turn-off.title": "Turn off two-step sign-in?",
  "mfa.turn-off.body":
    "Your password alone then signs you in to this account. The recovery codes no longer work, and the entry in your app can be removed.",
  "loading.factors": "Loading two-step sign-in",
  "problem.factors_not_loaded": "Two-step sign-in could not be loaded; nothing was changed.",
  "result.mfa_on": "Two-step sign-in is on. Your other browsers are signed out.",
  "mfa.turn-off.keys": "Your keys are refused everywhere within {seconds} s, until it is on again.",
  "mfa.turn-off.keys.now": "Your keys are refused everywhere at once, until it is on again.",
  "mfa.turn-off.keys.eventually": "Most places refuse your keys within a minute, until it is on again.",
  "result.mfa_off": "Two-step sign-in is off.",
  "result.codes_renewed": "You have new recovery codes.",

  // The app
  "mfa.app.title": "Set up two-step sign-in",
  "mfa.app.scan": "Scan this code with an authenticator app, until {until} ({zone}).",
  "mfa.app.qr": "QR code with the key for the app; the key also stands below as text.",
  "mfa.app.type": "Or enter this key in the app:",
  "mfa.app.copy": "Copy key",
  "mfa.app.open": "Open an app on this device",
  "mfa.app.code.hint": "The six digits that the app shows now.",
  "mfa.app.confirm": "Turn on",
  "mfa.app.busy": "Turning on…",
  "problem.app_over": "The time to enter a code has passed. Close this and set it up again.",
  "problem.factor_is_on": "Two-step sign-in is on already. To use another app, turn it off first.",
  "problem.no_factor": "Two-step sign-in is off, so nothing was changed.",

  // Recovery codes
  "recovery.title": "Your recovery codes",
  "recovery.lead":
    "Store these {count} codes now: they are not shown again. Each works once in place of a code of the app, for example if you lose your phone.",
  "recovery.label": "Recovery codes",
  "recovery.copy": "Copy codes",
  "recovery.download": "Download",
  "recovery.close.body":
    "The codes are not shown again. If you lose them and your app, an owner must turn off two-step sign-in for you.",

  // Signing in
  "factor.title": "Two-step sign-in",
  "factor.code": "Code from the app",
  "factor.code.hint": "Six digits from your authenticator app.",
  "factor.recovery": "Recovery code",
  "factor.recovery.hint": "Sixteen letters and digits. Each code works once.",
  "factor.use-recovery": "Use a recovery code",
  "factor.use-code": "Use a code from the app",
  "factor.start-again": "Start again",
  "step-up.mail-lead": "A code is being mailed to {email}.",
  "step-up.mailed":
    "A code is on its way to {address}. It confirms that it is you, once, until {until} ({zone}). Your action continues afterwards.",
  "step-up.mailed-new":
    "A new code is on its way to {address}; the one before no longer works. It confirms that it is you, once, until {until} ({zone}).",
  "step-up.mailed.said": "A code is on its way to {address}.",
  "step-up.mailed-again": "A new code is on its way to {address}.",
  "step-up.mail-off":
    "This account confirms actions with a code by mail, but mail is not set up here. Nothing was changed; ask whoever runs this service.",
  "step-up.code": "Authentication code",
  "step-up.code.hint": "Six digits from the mail.",
  "step-up.mail-again": "Mail a new code",
  "step-up.mailing": "Mailing…",
  "step-up.missing.title": "Set up MFA first",
  "step-up.missing.factor":
    "This account asks for multi-factor authentication (MFA) before this action. Nothing was changed.",
  "step-up.missing.passkey": "This account asks for a passkey before this action. Nothing was changed.",
  "step-up.missing.setup": "Set up MFA",
  "error.step-up-code.required": "Enter the code from the mail.",
  "error.step-up-code.refused": {
    one: "That code doesn’t match; {count} try left.",
    other: "That code doesn’t match; {count} tries left.",
  },
  "error.step-up-code.over": "That code has run out; mail a new one.",
  "error.step-up-code.not_a_code": "A code has {digits} digits.",
  "error.factor-code.required": "Enter a code.",
  "error.factor-code.refused": {
    one: "That code doesn’t match, or was used before; {count} try left.",
    other: "That code doesn’t match, or was used before; {count} tries left.",
  },
  "error.factor-code.not_a_code": "A code has {digits} digits.",
  "error.factor-code.not_a_recovery_code": "A recovery code has sixteen letters and digits.",
  "error.first-code.not_a_code": "A code has {digits} digits.",
  "error.first-code.required": "Enter the code that the app shows.",
  "error.first-code.refused": {
    one: "That code doesn’t match; {count} try left. Check that the clock of your phone is right.",
    other: "That code doesn’t match; {count} tries left. Check that the clock of your phone is right.",
  },
  "problem.challenge_over": "The time or the tries for the code are used up. Sign in again.",
  "problem.too_many_factor_tries": "Too many codes were wrong. Try again after {at} ({zone}).",

  // Members
  "members.mfa": "MFA",
  "act.reset-factors": "Turn off two-step sign-in",
  "reset-factors.title": 'Turn off two-step sign-in for "{name}"?',
  "reset-factors.body":
    "Do this if they lost their app and their recovery codes. Their password alone then signs them in; they are signed out everywhere, and {email} gets a mail.",
  "reset-factors.confirm": "Turn off",
  "reset-factors.busy": "Turning off…",
  "result.factors_reset": 'Two-step sign-in is off for "{name}", who is signed out everywhere.',
};
